"""The Yandex Metrica reports as data; columns are Metrica's own names without the prefix and the attribution model."""

from datetime import date

from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level, Platform

LOOKBACK_DAYS = 4
"""99 % of visits are final within three days of their beginning."""

FIRST_PULL_DAYS = 35
"""How far back the first pull of a detail report reaches."""

FIRST_LOGS_DAYS = 14
"""How far back the first pull of visits and hits reaches."""

_S, _D, _DATE, _B = ColumnType.STRING, ColumnType.DECIMAL, ColumnType.DATE, ColumnType.BOOLEAN

VISITED = ("visits", "users", "newUsers", "pageviews", "sumGoalReachesAny", "ecommercePurchases", "ecommerceRevenue")
GOAL = ("goalReaches", "goalRevenue")
GOALS_AT_ONCE = 10
"""Goals of one request: two metrics each, and a request holds twenty."""

_VISITED = (
    Column("visits", _D, "Visits; NULL in the rows of goals", nullable=True),
    Column("users", _D, "Visitors; they do not add up over days or groupings", nullable=True),
    Column("newUsers", _D, "New visitors", nullable=True),
    Column("pageviews", _D, "Page views", nullable=True),
    Column("sumGoalReachesAny", _D, "Times any goal was reached, goals that nobody chose included", nullable=True),
    Column("ecommercePurchases", _D, "Purchases of e-commerce", nullable=True),
    Column("ecommerceRevenue", _D, "Revenue of e-commerce in `currency`; a purchase that is a goal too stands in goalRevenue as well", nullable=True),
)
_GOAL = (
    Column("goal_id", _S, "Goal; empty in the rows that count visits"),
    Column("goalReaches", _D, "Times the goal was reached; NULL in the rows that count visits", nullable=True),
    Column("goalRevenue", _D, "Revenue of the goal in `currency`; NULL where Metrica has none", nullable=True),
)
_FLAGS = (
    Column("currency", _S, "ISO 4217 currency of the revenue, from the request"),
    Column("attribution", _S, "Attribution model, from the request"),
    Column("sampled", _B, "Whether Metrica computed the row on a sample"),
    Column("sample_share", _D, "Share of the visits that the sample holds, 1 for all"),
    Column("contains_sensitive_data", _B, "Whether Metrica hid rows of fewer than ten visitors"),
)
_DAY = (Column("date", _DATE, "Day in the counter's time zone"),)
TRAFFIC = (
    Column("TrafficSource", _S, "ad, organic, direct, referral, social, email, ...; NULL where undefined", nullable=True),
    Column("SourceEngine", _S, "The source within it, such as organic.google; NULL where undefined", nullable=True),
    Column("UTMSource", _S, "utm_source; NULL without the tag", nullable=True),
    Column("UTMMedium", _S, "utm_medium; NULL without the tag", nullable=True),
    Column("UTMCampaign", _S, "utm_campaign; NULL without the tag", nullable=True),
)
_VISITOR = (
    Column("deviceCategory", _S, "desktop, mobile, tablet, tv; NULL where undefined", nullable=True),
    Column("regionCountry", _S, "Country by its English name; NULL where undefined", nullable=True),
)
_PAGE = (Column("startURLPath", _S, "Path of the page where the visit began; NULL where undefined", nullable=True),)

ATTRIBUTED = frozenset(c.name for c in TRAFFIC)
"""Groupings that take an attribution model."""

_NOT_ASKED = frozenset({*VISITED, *GOAL, "goal_id", *(c.name for c in _FLAGS)})


def _daily(name: str, columns: tuple[Column, ...], doc: str, first_pull_days: int | None = None, *, goals: bool = True) -> Report:
    measured = (*_VISITED, *_GOAL) if goals else _VISITED
    return Report(
        platform=Platform.YANDEX_METRICA,
        name=name,
        level=Level.ACCOUNT,
        source="stat/v1/data",
        columns=(*_DAY, *columns, *measured, *_FLAGS),
        key=("date", *(c.name for c in columns), *(("goal_id",) if goals else ())),
        date_column="date",
        lookback_days=LOOKBACK_DAYS,
        doc=doc,
        first_pull_days=first_pull_days,
    )


def _snapshot(name: str, source: str, columns: tuple[Column, ...], key: str, doc: str) -> Report:
    return Report(
        platform=Platform.YANDEX_METRICA,
        name=name,
        level=Level.ACCOUNT,
        source=source,
        columns=columns,
        key=(key,),
        date_column="",
        lookback_days=1,
        doc=doc,
    )


def _log(name: str, columns: tuple[Column, ...], key: str, doc: str) -> Report:
    return Report(
        platform=Platform.YANDEX_METRICA,
        name=name,
        level=Level.ACCOUNT,
        source=f"logrequests source={name}",
        columns=(*columns, Column("attribution", _S, "Attribution model, from the request")),
        key=("date", key),
        date_column="date",
        lookback_days=LOOKBACK_DAYS,
        doc=doc,
        first_pull_days=FIRST_LOGS_DAYS,
        delay_days=1,
    )


def _texts(*named: tuple[str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, _S, doc) for name, doc in named)


_VISIT_COLUMNS = (
    Column("visitID", _S, "Visit, an unsigned 64-bit number kept as text; unique within a year"),
    Column("date", _DATE, "Day on which the visit began, in the counter's time zone"),
    *_texts(
        ("dateTime", "Moment at which the visit began, in the counter's time zone"),
        ("clientID", "Visitor by the browser's cookie, an unsigned 64-bit number"),
        ("watchIDs", "Hits of the visit as an array of unsigned 64-bit numbers, 500 at most"),
        ("isNewUser", "1 for the visitor's first visit"),
        ("startURL", "Page where the visit began"),
        ("referer", "Referrer"),
        ("pageViews", "Pages viewed"),
        ("visitDuration", "Seconds on the site"),
        ("bounce", "1 for a bounce"),
        ("deviceCategory", "1 desktop, 2 mobile, 3 tablet, 4 TV"),
        ("regionCountry", "Country"),
        ("regionCity", "City by its English name"),
        ("goalsID", "Goals reached as an array, in step with the other goals… columns"),
        ("goalsDateTime", "When each goal was reached, at UTC+3"),
        ("goalsPrice", "Value of each goal as an array, MULTIPLIED BY 1,000"),
        ("goalsOrder", "Order of each goal"),
        ("goalsCurrency", "Currency of each goal's value"),
        ("TrafficSource", "ad, organic, direct, referral, ...; empty or undefined where unknown"),
        ("AdvEngine", "Advertising system"),
        ("ReferalSource", "Site that linked"),
        ("SearchEngineRoot", "Search engine"),
        ("SocialNetwork", "Social network"),
        ("UTMSource", "utm_source"),
        ("UTMMedium", "utm_medium"),
        ("UTMCampaign", "utm_campaign"),
        ("UTMContent", "utm_content"),
        ("UTMTerm", "utm_term"),
        ("DirectClickOrder", "Campaign of Yandex.Direct; 0 without"),
        ("DirectClickOrderName", "Its name"),
        ("purchaseID", "Purchases as an array, in step with the other purchase… columns"),
        ("purchaseRevenue", "Revenue of each purchase as an array, in major units (× 1)"),
        ("purchaseTax", "Tax of each purchase as an array, MULTIPLIED BY 1,000,000"),
        ("purchaseCurrency", "Currency of each purchase"),
        ("productsID", "Products bought as an array"),
        ("productsPrice", "Price of each product as an array, MULTIPLIED BY 1,000,000"),
        ("productsQuantity", "Quantity of each product"),
        ("productsCurrency", "Currency of each product's price"),
    ),
)
_HIT_COLUMNS = (
    Column("watchID", _S, "Hit, an unsigned 64-bit number kept as text"),
    Column("date", _DATE, "Day of the hit, in the counter's time zone"),
    *_texts(
        ("dateTime", "Moment of the hit, in the counter's time zone"),
        ("clientID", "Visitor by the browser's cookie, an unsigned 64-bit number"),
        ("URL", "Page"),
        ("title", "Title of the page"),
        ("referer", "Referrer"),
        ("isPageView", "1 for a page view"),
        ("goalsID", "Goals reached by the hit as an array"),
        ("UTMSource", "utm_source"),
        ("UTMMedium", "utm_medium"),
        ("UTMCampaign", "utm_campaign"),
        ("deviceCategory", "1 desktop, 2 mobile, 3 tablet, 4 TV"),
        ("regionCountry", "Country"),
        ("lastTrafficSource", "Traffic source by the last-click model, the only one of hits"),
    ),
)
LOG_ATTRIBUTED = ATTRIBUTED | {"AdvEngine", "ReferalSource", "SearchEngineRoot", "SocialNetwork", "UTMContent", "UTMTerm"}
LOG_ATTRIBUTED |= {"DirectClickOrder", "DirectClickOrderName"}

REPORTS = (
    _snapshot(
        "accounts",
        "management/v1/counters",
        (
            *_texts(
                ("id", "Counter"),
                ("name", "Counter's name"),
                ("currency", "ISO 4217 currency of the counter"),
                ("time_zone_name", "IANA time zone of the dates"),
            ),
            Column("site", _S, "Site", nullable=True),
            Column("status", _S, "Active or Deleted", nullable=True),
            Column("type", _S, "simple or partner", nullable=True),
            Column("permission", _S, "own, view or edit: what the token's user may do", nullable=True),
            Column("owner_login", _S, "Owner", nullable=True),
            Column("create_time", _S, "When the counter was made", nullable=True),
        ),
        "id",
        "The counter as it stands today",
    ),
    _snapshot(
        "goals",
        "management/v1/counter/{id}/goals",
        (
            *_texts(
                ("id", "Goal"),
                ("name", "Goal's name"),
                ("type", "url, number, step, action, phone, email, payment_system, messenger, file, search, social, ..."),
            ),
            Column("default_price", _D, "Value of one reach, where the goal has one", nullable=True),
            Column("status", _S, "Active or Deleted", nullable=True),
            Column("goal_source", _S, "user, or auto for goals that Metrica made", nullable=True),
        ),
        "id",
        "The counter's goals as they stand today",
    ),
    _daily("counter_daily", (), "Daily totals of the counter, and of each goal, in requests of their own: what the traffic report is held against"),
    _daily(
        "traffic_daily",
        (*TRAFFIC, *_VISITOR),
        "Daily visits by where they came from, device and country, and beside them each goal that was reached; a goal that nobody reached has no row",
    ),
    _daily(
        "landing_page_daily",
        (TRAFFIC[0], *_PAGE),
        "Daily visits by traffic source and landing page; Metrica hides rows of fewer than ten visitors, so they sum to less than the counter",
        FIRST_PULL_DAYS,
        goals=False,
    ),
    _log("visits", _VISIT_COLUMNS, "visitID", "Single visits, all values as Metrica prints them; today is not available"),
    _log("hits", _HIT_COLUMNS, "watchID", "Single page views and events; pulled only with the setting `hits`"),
)


def oldest(today: date) -> date:
    """Return the oldest day that Metrica answers for: it keeps what its counters ever counted."""
    return date(2009, 1, 18)


def groupings(report: Report) -> list[str]:
    """List the columns of a daily report that group its rows, the date first."""
    return [c.name for c in report.columns if c.name not in _NOT_ASKED]


def log_fields(report: Report, attribution: str) -> dict[str, str]:
    """Return the Logs API's field of each column, in the catalogue's order."""
    prefix = "ym:s:" if report.name == "visits" else "ym:pv:"
    attributed = LOG_ATTRIBUTED if report.name == "visits" else frozenset()
    return {c.name: f"{prefix}{attribution if c.name in attributed else ''}{c.name}" for c in report.columns if c.name != "attribution"}
