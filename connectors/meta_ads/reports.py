"""The Meta Ads reports as data; columns are the insights' own field names."""

from datetime import date

from connectors.retention import months_before
from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level, Platform

LOOKBACK_DAYS = 28
"""Meta's numbers become final after 28 days."""

RETENTION_MONTHS = 37
"""Insights answer for 37 months, counted in the account's time zone."""

_S, _I, _D = ColumnType.STRING, ColumnType.INTEGER, ColumnType.DECIMAL

_DAY = (
    Column("date_start", ColumnType.DATE, "Day in the account's time zone"),
    Column("account_id", _S, "Account id without act_"),
    Column("account_name", _S, "Account name", nullable=True),
    Column("account_currency", _S, "ISO 4217 currency of every amount"),
)
_METRICS = (
    Column("impressions", _I, "Impressions; NULL where Meta sent none", nullable=True),
    Column("clicks", _I, "Clicks (all); NULL where Meta sent none", nullable=True),
    Column("spend", _D, "Spend in major units of the account's currency", nullable=True),
    Column("actions", _S, "JSON: counts by action type, exactly as sent; types overlap and must not be added up", nullable=True),
    Column("action_values", _S, "JSON: values by action type in the account's currency, exactly as sent", nullable=True),
)
_CAMPAIGN = (
    Column("campaign_id", _S, "Campaign id"),
    Column("campaign_name", _S, "Campaign name", nullable=True),
)
_AD = (
    Column("adset_id", _S, "Ad set id; the ad group of other platforms"),
    Column("adset_name", _S, "Ad set name", nullable=True),
    Column("ad_id", _S, "Ad id"),
    Column("ad_name", _S, "Ad name", nullable=True),
)


def _daily(name: str, level: Level, columns: tuple[Column, ...], key: tuple[str, ...], doc: str) -> Report:
    return Report(
        platform=Platform.META_ADS,
        name=name,
        level=level,
        source=f"insights level={level}",
        columns=columns,
        key=key,
        date_column="date_start",
        lookback_days=LOOKBACK_DAYS,
        doc=doc,
        retention_days=1123,
    )


REPORTS = (
    Report(
        platform=Platform.META_ADS,
        name="accounts",
        level=Level.ACCOUNT,
        source="adaccount",
        columns=(
            Column("account_id", _S, "Account id without act_"),
            Column("name", _S, "Account name", nullable=True),
            Column("currency", _S, "ISO 4217 currency"),
            Column("timezone_name", _S, "IANA time zone of the dates"),
            Column("account_status", _I, "1 active, 2 disabled, 3 unsettled, 7 in review, 8 pending settlement, 9 grace period, 100 closing, 101 closed"),
        ),
        key=("account_id",),
        date_column="",
        lookback_days=1,
        doc="The account as it stands today",
    ),
    _daily("account_daily", Level.ACCOUNT, (*_DAY, *_METRICS), ("date_start",), "Daily insights of the account"),
    _daily("campaign_daily", Level.CAMPAIGN, (*_DAY, *_METRICS, *_CAMPAIGN), ("date_start", "campaign_id"), "Daily insights by campaign"),
    _daily("ad_daily", Level.AD, (*_DAY, *_METRICS, *_CAMPAIGN, *_AD), ("date_start", "ad_id"), "Daily insights by ad"),
)


def oldest(today: date) -> date:
    """Return the oldest day that insights answer for; `today` is the account's."""
    return months_before(today, RETENTION_MONTHS)
