"""The Yandex.Direct reports as data; columns are the Reports service's own field names."""

from datetime import date

from connectors.retention import months_before
from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level, Platform

LOOKBACK_DAYS = 30
"""Direct settles in about three days; later click-fraud corrections and goals need the longer window."""

RETENTION_MONTHS = 36
"""Statistics reach three years back, to the start of that month."""

_S, _I, _D = ColumnType.STRING, ColumnType.INTEGER, ColumnType.DECIMAL

INCLUDE_VAT = "IncludeVAT"
"""The one column that comes from the request: whether the amounts include VAT."""

_DAY = (Column("Date", ColumnType.DATE, "Day in the account's time zone"),)
_METRICS = (
    Column("Impressions", _I, "Impressions"),
    Column("Clicks", _I, "Clicks"),
    Column("Cost", _D, "Cost in the account's currency, cents rounded per row", nullable=True),
    Column("Conversions", _D, "Conversions over all goals; NULL where Direct prints --", nullable=True),
    Column("Revenue", _D, "Revenue of the goals; does not depend on IncludeVAT; NULL where Direct prints --", nullable=True),
)
_VAT = (Column(INCLUDE_VAT, _S, "YES when the amounts include VAT, from the request"),)
_CAMPAIGN = (
    Column("CampaignId", _S, "Campaign id"),
    Column("CampaignName", _S, "Campaign name"),
    Column("CampaignType", _S, "TEXT_CAMPAIGN, UNIFIED_CAMPAIGN, ..."),
)
_AD = (
    Column("CampaignId", _S, "Campaign id"),
    Column("CampaignName", _S, "Campaign name"),
    Column("CampaignType", _S, "TEXT_CAMPAIGN, UNIFIED_CAMPAIGN, ..."),
    Column("AdGroupId", _S, "Ad group id; NULL for master campaigns", nullable=True),
    Column("AdGroupName", _S, "Ad group name; NULL for master campaigns", nullable=True),
    Column("AdId", _S, "Ad id; NULL for master campaigns", nullable=True),
)


def _daily(name: str, level: Level, source: str, columns: tuple[Column, ...], key: tuple[str, ...], doc: str) -> Report:
    return Report(
        platform=Platform.YANDEX_DIRECT,
        name=name,
        level=level,
        source=source,
        columns=(*_DAY, *columns),
        key=("Date", *key),
        date_column="Date",
        lookback_days=LOOKBACK_DAYS,
        doc=doc,
        retention_days=1095,
    )


REPORTS = (
    Report(
        platform=Platform.YANDEX_DIRECT,
        name="accounts",
        level=Level.ACCOUNT,
        source="clients.get",
        columns=(
            Column("Login", _S, "The client's login, which is the account id"),
            Column("ClientInfo", _S, "Account name", nullable=True),
            Column("Currency", _S, "ISO 4217 currency"),
            Column("Timezone", _S, "IANA time zone of the dates, from the integration's settings"),
            Column("Archived", ColumnType.BOOLEAN, "Whether the client is archived"),
        ),
        key=("Login",),
        date_column="",
        lookback_days=1,
        doc="The account as it stands today",
    ),
    _daily("account_daily", Level.ACCOUNT, "ACCOUNT_PERFORMANCE_REPORT", (*_METRICS, *_VAT), (), "Daily statistics of the account"),
    _daily("campaign_daily", Level.CAMPAIGN, "CAMPAIGN_PERFORMANCE_REPORT", (*_METRICS, *_VAT, *_CAMPAIGN), ("CampaignId",), "Daily statistics by campaign"),
    _daily(
        "ad_daily",
        Level.AD,
        "AD_PERFORMANCE_REPORT",
        (*_METRICS, *_VAT, *_AD),
        ("CampaignId", "AdGroupId", "AdId"),
        "Daily statistics by ad; master campaigns have no ads, so it sums to less than the campaigns",
    ),
)


def oldest(today: date) -> date:
    """Return the oldest day that the Reports service answers for."""
    return months_before(today, RETENTION_MONTHS).replace(day=1)


def requested_fields(report: Report) -> list[str]:
    """List the fields to ask for: every column but the one that we add."""
    return [c.name for c in report.columns if c.name != INCLUDE_VAT]
