"""The Yandex.Direct reports as data; columns are the services' own field names, nested ones joined by `_`."""

from datetime import date, timedelta

from connectors.retention import months_before
from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level, Platform

LOOKBACK_DAYS = 30
"""Direct settles in about three days; goals are attributed for weeks. What click fraud corrects earlier, Changes.check names."""

RETENTION_MONTHS = 36
"""Statistics reach three years back, to the start of that month."""

QUERY_DAYS = 180
"""Search queries are kept for so many days."""

DETAIL_DAYS = 35
"""How far the first pull of a detail report reaches back."""

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
_MEASURED = (*_METRICS, *_VAT)
_CAMPAIGN_ID = Column("CampaignId", _S, "Campaign id")
_CAMPAIGN = (
    _CAMPAIGN_ID,
    Column("CampaignName", _S, "Campaign name"),
    Column("CampaignType", _S, "TEXT_CAMPAIGN, UNIFIED_CAMPAIGN, ..."),
)
_GROUP_ID = Column("AdGroupId", _S, "Ad group id; NULL for master campaigns", nullable=True)
_GROUP = (_GROUP_ID, Column("AdGroupName", _S, "Ad group name; NULL for master campaigns", nullable=True))
_CRITERION = (
    Column("CriterionId", _S, "Keyword or other criterion; NULL where Direct prints --", nullable=True),
    Column("Criterion", _S, "Its words; ---autotargeting for autotargeting", nullable=True),
    Column("CriterionType", _S, "KEYWORD, AUTOTARGETING, RETARGETING, ..."),
)


def _daily(
    name: str, level: Level, source: str, columns: tuple[Column, ...], key: tuple[str, ...], doc: str, kept: int = 1095, first: int | None = None
) -> Report:
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
        retention_days=kept,
        first_pull_days=first,
    )


def _detail(name: str, level: Level, source: str, columns: tuple[Column, ...], key: tuple[str, ...], doc: str, kept: int = 1095) -> Report:
    return _daily(name, level, source, columns, key, doc, kept, DETAIL_DAYS)


def _snapshot(name: str, level: Level, source: str, columns: tuple[Column, ...], key: tuple[str, ...], doc: str) -> Report:
    return Report(Platform.YANDEX_DIRECT, name, level, source, columns, key, "", 1, doc)


SNAPSHOTS = (
    _snapshot(
        "accounts",
        Level.ACCOUNT,
        "clients.get",
        (
            Column("Login", _S, "The client's login, which is the account id"),
            Column("ClientInfo", _S, "Account name", nullable=True),
            Column("Currency", _S, "ISO 4217 currency"),
            Column("Timezone", _S, "IANA time zone of the dates, from the integration's settings"),
            Column("Archived", ColumnType.BOOLEAN, "Whether the client is archived"),
            Column("ClientId", _S, "The client's number", nullable=True),
            Column("Type", _S, "SUBCLIENT, CLIENT, ...", nullable=True),
            Column("VatRate", _S, "VAT in per cent, as printed; NULL for a client without", nullable=True),
        ),
        ("Login",),
        "The account as it stands today",
    ),
    _snapshot(
        "campaigns",
        Level.CAMPAIGN,
        "campaigns.get",
        (
            Column("Id", _S, "Campaign id"),
            Column("Name", _S, "Campaign name"),
            Column("Type", _S, "TEXT_CAMPAIGN, UNIFIED_CAMPAIGN, ..."),
            Column("Status", _S, "Moderation: ACCEPTED, DRAFT, MODERATION, REJECTED"),
            Column("State", _S, "ON, SUSPENDED, OFF, ENDED, ARCHIVED, CONVERTED"),
            Column("StartDate", _S, "First day", nullable=True),
            Column("EndDate", _S, "Last day; NULL: open", nullable=True),
            Column("Currency", _S, "ISO 4217 currency", nullable=True),
            Column("DailyBudget_Amount", _I, "Daily budget in micros", nullable=True),
            Column("DailyBudget_Mode", _S, "STANDARD or DISTRIBUTED", nullable=True),
            Column("WeeklySpendLimit", _I, "The bidding strategy's weekly budget in micros; search and network taken together by the greater", nullable=True),
            Column("PriorityGoals", _S, "Ids of the goals that the campaign works for, by comma; empty without", nullable=True),
            Column("AttributionModel", _S, "The campaign's own attribution model", nullable=True),
        ),
        ("Id",),
        "Campaigns as they stand today",
    ),
    _snapshot(
        "ad_groups",
        Level.AD_GROUP,
        "adgroups.get",
        (
            Column("Id", _S, "Ad group id"),
            Column("CampaignId", _S, "Campaign id"),
            Column("Name", _S, "Ad group name"),
            Column("Type", _S, "TEXT_AD_GROUP, ...", nullable=True),
            Column("Status", _S, "Moderation: ACCEPTED, ...", nullable=True),
            Column("ServingStatus", _S, "ELIGIBLE or RARELY_SERVED", nullable=True),
        ),
        ("Id",),
        "Ad groups as they stand today",
    ),
    _snapshot(
        "ads",
        Level.AD,
        "ads.get",
        (
            Column("Id", _S, "Ad id"),
            Column("AdGroupId", _S, "Ad group id"),
            Column("CampaignId", _S, "Campaign id"),
            Column("Type", _S, "TEXT_AD, ...", nullable=True),
            Column("Status", _S, "Moderation: ACCEPTED, ...", nullable=True),
            Column("State", _S, "ON, SUSPENDED, OFF, ARCHIVED, ...", nullable=True),
            Column("Title", _S, "Headline of a text ad; NULL for other types", nullable=True),
            Column("Href", _S, "Landing page of a text ad", nullable=True),
        ),
        ("Id",),
        "Ads as they stand today",
    ),
    _snapshot(
        "keywords",
        Level.AD_GROUP,
        "keywords.get",
        (
            Column("Id", _S, "Keyword id, the CriterionId of reports"),
            Column("Keyword", _S, "Its words; ---autotargeting for autotargeting"),
            Column("AdGroupId", _S, "Ad group id"),
            Column("CampaignId", _S, "Campaign id"),
            Column("Status", _S, "Moderation: ACCEPTED, ...", nullable=True),
            Column("State", _S, "ON, OFF, SUSPENDED", nullable=True),
            Column("ServingStatus", _S, "ELIGIBLE or RARELY_SERVED", nullable=True),
            Column("Bid", _I, "Bid on search in micros", nullable=True),
            Column("ContextBid", _I, "Bid in networks in micros", nullable=True),
        ),
        ("Id",),
        "Keywords as they stand today",
    ),
    _snapshot(
        "goals",
        Level.CAMPAIGN,
        "GetStatGoals (v4 Live)",
        (
            Column("CampaignID", _S, "Campaign id"),
            Column("GoalID", _S, "Metrica's goal id"),
            Column("Name", _S, "The goal's name", nullable=True),
        ),
        ("CampaignID", "GoalID"),
        "Metrica goals that the campaigns reached",
    ),
)

REPORTS = (
    SNAPSHOTS[0],
    _daily("account_daily", Level.ACCOUNT, "ACCOUNT_PERFORMANCE_REPORT", _MEASURED, (), "Daily statistics of the account"),
    _daily("campaign_daily", Level.CAMPAIGN, "CAMPAIGN_PERFORMANCE_REPORT", (*_MEASURED, *_CAMPAIGN), ("CampaignId",), "Daily statistics by campaign"),
    _daily(
        "ad_daily",
        Level.AD,
        "AD_PERFORMANCE_REPORT",
        (*_MEASURED, *_CAMPAIGN, *_GROUP, Column("AdId", _S, "Ad id; NULL for master campaigns", nullable=True)),
        ("CampaignId", "AdGroupId", "AdId"),
        "Daily statistics by ad; master campaigns have no ads, so it sums to less than the campaigns",
    ),
    *SNAPSHOTS[1:],
    _detail(
        "ad_group_daily",
        Level.AD_GROUP,
        "ADGROUP_PERFORMANCE_REPORT",
        (*_MEASURED, *_CAMPAIGN, *_GROUP),
        ("CampaignId", "AdGroupId"),
        "Daily statistics by ad group; master campaigns have none",
    ),
    _detail(
        "keyword_daily",
        Level.AD_GROUP,
        "CRITERIA_PERFORMANCE_REPORT",
        (*_MEASURED, _CAMPAIGN_ID, _GROUP_ID, *_CRITERION),
        ("CampaignId", "AdGroupId", "CriterionId", "CriterionType"),
        "Daily statistics by keyword, autotargeting and audience",
    ),
    _detail(
        "search_term_daily",
        Level.AD_GROUP,
        "SEARCH_QUERY_PERFORMANCE_REPORT",
        (*_MEASURED, _CAMPAIGN_ID, _GROUP_ID, *_CRITERION, Column("Query", _S, "What people searched for")),
        ("CampaignId", "AdGroupId", "CriterionId", "CriterionType", "Query"),
        "Daily statistics by search query and the criterion that it met",
        QUERY_DAYS,
    ),
    _detail(
        "device_daily",
        Level.CAMPAIGN,
        "CUSTOM_REPORT",
        (*_MEASURED, _CAMPAIGN_ID, Column("Device", _S, "DESKTOP, MOBILE, TABLET, SMART_TV")),
        ("CampaignId", "Device"),
        "Daily statistics by campaign and device",
    ),
    _detail(
        "region_daily",
        Level.CAMPAIGN,
        "CUSTOM_REPORT",
        (
            *_MEASURED,
            _CAMPAIGN_ID,
            Column("LocationOfPresenceId", _S, "Region in which people were: a country, region or city; NULL where unknown", nullable=True),
            Column("LocationOfPresenceName", _S, "Its name", nullable=True),
        ),
        ("CampaignId", "LocationOfPresenceId"),
        "Daily statistics by campaign and region of presence",
    ),
    _detail(
        "network_daily",
        Level.CAMPAIGN,
        "CUSTOM_REPORT",
        (*_MEASURED, _CAMPAIGN_ID, Column("AdNetworkType", _S, "SEARCH or AD_NETWORK")),
        ("CampaignId", "AdNetworkType"),
        "Daily statistics by campaign and place: search or networks",
    ),
    _detail(
        "conversion_action_daily",
        Level.AD_GROUP,
        "CUSTOM_REPORT",
        (
            _CAMPAIGN_ID,
            _GROUP_ID,
            Column("GoalId", _S, "Metrica's goal id, from the column's name"),
            Column("AttributionModel", _S, "LC, LSCCD, FCCD or AUTO, from the column's name; a retired model stands as the one it became"),
            Column("Conversions", _D, "Conversions of the goal by the model", nullable=True),
            Column("Revenue", _D, "Revenue of the goal by the model", nullable=True),
            *_VAT,
        ),
        ("CampaignId", "AdGroupId", "GoalId", "AttributionModel"),
        "Daily conversions by goal and attribution model; combinations without any are left out",
    ),
)


def oldest(today: date) -> date:
    """Return the oldest day that the Reports service answers for."""
    return months_before(today, RETENTION_MONTHS).replace(day=1)


def oldest_of(report: Report, today: date) -> date:
    """Return the oldest day of one report: search queries are kept for a shorter time."""
    return max(oldest(today), today - timedelta(days=QUERY_DAYS)) if report.source.startswith("SEARCH_QUERY") else oldest(today)


def requested_fields(report: Report) -> list[str]:
    """List the fields to ask for: every column but those that we add; a split by goals asks for its metrics by their plain names."""
    return [c.name for c in report.columns if c.name not in (INCLUDE_VAT, "GoalId", "AttributionModel")]


def split_by_goals(report: Report) -> bool:
    """Tell whether the report has a column for each goal and attribution model."""
    return any(c.name == "GoalId" for c in report.columns)
