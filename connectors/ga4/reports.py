"""The GA4 reports as data; columns are the Data API's own names of dimensions and metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connectors.retention import months_before
from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level, Platform

LOOKBACK_DAYS = 4
"""Fresh data change for 24 to 48 hours, and offline events are taken for 72."""

RETENTION_MONTHS = 14
"""What a standard property may keep of its events; aggregated reports answer for longer, and how long is the property's own setting."""

DETAIL_DAYS = 35
"""How far the first pull of a detail report reaches."""

_S, _I, _D, _B = ColumnType.STRING, ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.BOOLEAN

_DIMENSIONS = {
    c.name: c
    for c in (
        Column("sessionSource", _S, "Source of the session; (other) gathers rare rows, (not set) is unknown"),
        Column("sessionMedium", _S, "Medium of the session"),
        Column("sessionCampaignName", _S, "Campaign of the session"),
        Column("sessionDefaultChannelGroup", _S, "GA4's default channel group of the session"),
        Column("deviceCategory", _S, "desktop, mobile, tablet, smart tv"),
        Column("country", _S, "Country in English"),
        Column("landingPage", _S, "Path of the session's first page, without its query"),
        Column("eventName", _S, "Name of the key event"),
    )
}
_METRICS = {
    c.name: c
    for c in (
        Column("sessions", _I, "Sessions that began"),
        Column("totalUsers", _I, "People with any event; does not add up over days or dimensions"),
        Column("newUsers", _I, "People seen for the first time"),
        Column("engagedSessions", _I, "Sessions of ten seconds, two views or a key event"),
        Column("screenPageViews", _I, "Page and screen views"),
        Column("keyEvents", _D, "Key events; fractional under data-driven attribution"),
        Column("totalRevenue", _D, "Purchases, subscriptions and advertising, in the property's currency"),
        Column("purchaseRevenue", _D, "Purchases less refunds, in the property's currency"),
    )
}
_QUALITY = (
    Column("currencyCode", _S, "ISO 4217 currency of the property, as the answer names it"),
    Column("timeZone", _S, "IANA time zone of the dates, as the answer names it"),
    Column("subjectToThresholding", _B, "Whether GA4 withheld rows of few people from this answer"),
    Column("dataLossFromOtherRow", _B, "Whether rare rows were folded into (other) in this answer"),
    Column("samplesReadCount", _I, "Events read, where the answer is sampled; else NULL", nullable=True),
    Column("samplingSpaceSize", _I, "Events that there were, where the answer is sampled; else NULL", nullable=True),
    Column("schemaRestriction", _S, "JSON: metrics that the login may not see, where there are any", nullable=True),
)
_CORE = ("sessions", "totalUsers", "newUsers", "engagedSessions", "keyEvents", "totalRevenue", "purchaseRevenue")


@dataclass(frozen=True)
class Query:
    """What runReport is asked for. `key_events_only` keeps rows of key events."""

    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    key_events_only: bool = False


QUERIES: Mapping[str, Query] = {
    "property_daily": Query(("date",), (*_CORE[:4], "screenPageViews", *_CORE[4:])),
    "traffic_daily": Query(("date", "sessionSource", "sessionMedium", "sessionCampaignName", "sessionDefaultChannelGroup", "deviceCategory"), _CORE),
    "channel_daily": Query(("date", "sessionDefaultChannelGroup"), _CORE),
    "landing_page_daily": Query(("date", "landingPage"), _CORE),
    "device_country_daily": Query(("date", "deviceCategory", "country"), _CORE),
    "key_event_daily": Query(
        ("date", "eventName", "sessionSource", "sessionMedium", "sessionCampaignName"), ("keyEvents", "totalRevenue"), key_events_only=True
    ),
}
"""By report: the query behind it."""

_DOCS = {
    "property_daily": "The property's day without a breakdown: what the others are held against",
    "traffic_daily": "Where sessions came from, by device",
    "channel_daily": "Sessions by default channel group",
    "landing_page_daily": "Sessions by landing page",
    "device_country_daily": "Sessions by device and country",
    "key_event_daily": "Key events by name and where the session came from",
}
_ALWAYS = frozenset({"property_daily", "traffic_daily"})


def _daily(name: str, query: Query) -> Report:
    return Report(
        platform=Platform.GA4,
        name=name,
        level=Level.ACCOUNT,
        source=f"runReport by {', '.join(query.dimensions)}",
        columns=(
            Column("date", ColumnType.DATE, "Day in the property's time zone"),
            *(_DIMENSIONS[d] for d in query.dimensions[1:]),
            *(_METRICS[m] for m in query.metrics),
            *_QUALITY,
        ),
        key=query.dimensions,
        date_column="date",
        lookback_days=LOOKBACK_DAYS,
        doc=_DOCS[name],
        first_pull_days=None if name in _ALWAYS else DETAIL_DAYS,
    )


REPORTS = (
    Report(
        platform=Platform.GA4,
        name="accounts",
        level=Level.ACCOUNT,
        source="Admin API properties.get",
        columns=(
            Column("property_id", _S, "Property id"),
            Column("displayName", _S, "Name of the property"),
            Column("currencyCode", _S, "ISO 4217 currency of its revenue"),
            Column("timeZone", _S, "IANA time zone of its dates"),
            Column("account", _S, "Resource name of the account above it", nullable=True),
            Column("serviceLevel", _S, "Standard or 360", nullable=True),
        ),
        key=("property_id",),
        date_column="",
        lookback_days=1,
        doc="The property as it stands today",
    ),
    *(_daily(name, query) for name, query in QUERIES.items()),
)


def oldest(today: date) -> date:
    """Return the oldest day that is worth asking for; `today` is the property's. GA4 began in 2020, and reports keep no less than 38 months."""
    return max(date(2020, 10, 14), months_before(today, 3 * RETENTION_MONTHS - 4))
