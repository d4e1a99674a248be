"""The dimensions and metrics of the Data API's schema, and what the sandbox's facts say of them.

A dimension without an expression here is known to the API but not to the facts: it answers `(not set)`, as a property does that
never collected it; a metric without one answers 0. A session is taken for one page view that engages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from sandbox.ga4.channels import channel_group
from sandbox.ga4.countries import country_code

NOT_SET = "(not set)"


@dataclass(frozen=True)
class Dimension:
    """One dimension; `expression` reads it from an analytics frame, None where the facts say nothing."""

    name: str
    category: str
    expression: pl.Expr | None = None


@dataclass(frozen=True)
class Metric:
    """One metric; `expression` adds it up over a group of rows. `scale` is what a whole unit is stored as; 0 means a double."""

    name: str
    category: str
    type: str
    expression: pl.Expr
    scale: int = 1


_MICRO = 1_000_000


def _text(column: str) -> pl.Expr:
    return pl.when(pl.col(column) == "").then(pl.lit(NOT_SET)).otherwise(pl.col(column))


def _date(form: str) -> pl.Expr:
    return pl.col("date").dt.strftime(form)


_GOOGLE_PAID = (pl.col("source") == "google") & pl.col("medium").is_in(["cpc", "ppc", "display", "cross-network"])
_SOURCE, _MEDIUM, _CAMPAIGN = _text("source"), _text("medium"), _text("campaign")
_GOAL = pl.col("goal_id") != ""
_CONVERTED = pl.col("conversions") + pl.col("conversions_value") > 0
_EVENT = pl.when(_GOAL).then(pl.col("goal_id")).when(_CONVERTED).then(pl.lit("purchase")).otherwise(pl.lit("session_start"))
_CHANNEL = channel_group()
_YEAR_START = pl.date(pl.col("date").dt.year(), 1, 1)
_WEEK = ((pl.col("date").dt.ordinal_day() + _YEAR_START.dt.weekday() % 7 - 1) // 7 + 1).cast(pl.String).str.zfill(2)
_SUNDAY_FIRST = (pl.col("date").dt.weekday() % 7).cast(pl.String)

_FROM_FACTS: Mapping[str, Mapping[str, pl.Expr]] = {
    "Time": {
        "date": _date("%Y%m%d"),
        "day": _date("%d"),
        "dayOfWeek": _SUNDAY_FIRST,
        "dayOfWeekName": _date("%A"),
        "isoWeek": _date("%V"),
        "isoYear": _date("%G"),
        "isoYearIsoWeek": _date("%G%V"),
        "month": _date("%m"),
        "week": _WEEK,
        "year": _date("%Y"),
        "yearMonth": _date("%Y%m"),
        "yearWeek": _date("%Y") + _WEEK,
        "dateHour": _date("%Y%m%d00"),
        "dateHourMinute": _date("%Y%m%d0000"),
        "hour": pl.lit("00"),
        "minute": pl.lit("00"),
    },
    "Traffic Source": {
        **{f"{p}ource": _SOURCE for p in ("s", "sessionS", "sessionManualS", "firstUserS", "firstUserManualS", "manualS")},
        **{f"{p}edium": _MEDIUM for p in ("m", "sessionM", "sessionManualM", "firstUserM", "firstUserManualM", "manualM")},
        **{
            f"{p}ourceMedium": pl.concat_str(_SOURCE, pl.lit(" / "), _MEDIUM)
            for p in ("s", "sessionS", "sessionManualS", "firstUserS", "firstUserManualS", "manualS")
        },
        **{f"{p}ampaignName": _CAMPAIGN for p in ("c", "sessionC", "sessionManualC", "firstUserC", "firstUserManualC", "manualC")},
        **{f"{p}GoogleAdsCampaignName": pl.when(_GOOGLE_PAID).then(_CAMPAIGN).otherwise(pl.lit(NOT_SET)) for p in ("session", "firstUser")},
        "googleAdsCampaignName": pl.when(_GOOGLE_PAID).then(_CAMPAIGN).otherwise(pl.lit(NOT_SET)),
        **{f"{p}DefaultChannelGroup": _CHANNEL for p in ("session", "firstUser")},
        **{f"{p}PrimaryChannelGroup": _CHANNEL for p in ("session", "firstUser")},
        "defaultChannelGroup": _CHANNEL,
        "primaryChannelGroup": _CHANNEL,
    },
    "Platform / Device": {"deviceCategory": _text("device"), "platform": pl.lit("web"), "platformDeviceCategory": pl.lit("web / ") + _text("device")},
    "Geography": {"country": _text("country"), "countryId": country_code(pl.col("country"))},
    "Page / Screen": {
        "landingPage": _text("landing_page"),
        "landingPagePlusQueryString": _text("landing_page"),
        "pagePath": _text("landing_page"),
        "pagePathPlusQueryString": _text("landing_page"),
        "unifiedPagePathScreen": _text("landing_page"),
    },
    "Event": {"eventName": _EVENT, "isKeyEvent": pl.when(_GOAL | _CONVERTED).then(pl.lit("true")).otherwise(pl.lit("false"))},
}
_UNKNOWN: Mapping[str, str] = {
    "Time": "nthDay nthHour nthMinute nthMonth nthWeek nthYear",
    "Traffic Source": (
        "campaignId sessionCampaignId firstUserCampaignId sessionManualCampaignId sessionManualAdContent manualAdContent firstUserManualAdContent "
        "sessionManualTerm manualTerm firstUserManualTerm sessionSourcePlatform sourcePlatform firstUserSourcePlatform sessionManualSourcePlatform "
        "manualSourcePlatform firstUserManualSourcePlatform sessionManualCreativeFormat sessionManualMarketingTactic googleAdsAccountName "
        "googleAdsAdGroupId googleAdsAdGroupName googleAdsAdNetworkType googleAdsCampaignId googleAdsCampaignType googleAdsCreativeId "
        "googleAdsCustomerId googleAdsKeyword googleAdsQuery sessionGoogleAdsAccountName sessionGoogleAdsAdGroupId sessionGoogleAdsAdGroupName "
        "sessionGoogleAdsAdNetworkType sessionGoogleAdsCampaignId sessionGoogleAdsCampaignType sessionGoogleAdsCreativeId sessionGoogleAdsCustomerId "
        "sessionGoogleAdsKeyword sessionGoogleAdsQuery firstUserGoogleAdsAccountName firstUserGoogleAdsAdGroupId firstUserGoogleAdsAdGroupName "
        "firstUserGoogleAdsAdNetworkType firstUserGoogleAdsCampaignId firstUserGoogleAdsCampaignType firstUserGoogleAdsCreativeId "
        "firstUserGoogleAdsCustomerId firstUserGoogleAdsKeyword firstUserGoogleAdsQuery firstSessionDate"
    ),
    "Platform / Device": (
        "appVersion browser deviceModel language languageCode mobileDeviceBranding mobileDeviceMarketingName mobileDeviceModel operatingSystem "
        "operatingSystemVersion operatingSystemWithVersion screenResolution streamId streamName"
    ),
    "Geography": "city cityId continent continentId region",
    "Page / Screen": "contentGroup contentId contentType fullPageUrl hostName pageLocation pageReferrer pageTitle unifiedScreenClass unifiedScreenName",
    "User": "brandingInterest newVsReturning signedInWithUserId userAgeBracket userGender audienceId audienceName audienceResourceName",
    "Ecommerce": (
        "currencyCode itemAffiliation itemBrand itemCategory itemCategory2 itemCategory3 itemCategory4 itemCategory5 itemId itemListId "
        "itemListName itemListPosition itemLocationID itemName itemPromotionCreativeName itemPromotionCreativeSlot itemPromotionId "
        "itemPromotionName itemVariant orderCoupon shippingTier transactionId"
    ),
    "Publisher": "adFormat adSourceName adUnitName",
    "Link": "fileExtension fileName linkClasses linkDomain linkId linkText linkUrl outbound",
    "General": "cohort cohortNthDay cohortNthMonth cohortNthWeek comparison groupId method percentScrolled searchTerm character level virtualCurrencyName "
    "achievementId videoProvider videoTitle videoUrl visible",
}
DEPRECATED_DIMENSIONS = {
    "sessionDefaultChannelGrouping": "sessionDefaultChannelGroup",
    "firstUserDefaultChannelGrouping": "firstUserDefaultChannelGroup",
    "isConversionEvent": "isKeyEvent",
    "defaultChannelGrouping": "defaultChannelGroup",
}

_SESSIONS, _USERS, _EVENTS = pl.col("sessions").sum(), pl.col("users").sum(), pl.col("conversions").sum()
_VALUE = pl.col("conversions_value").sum()
_COUNTED = 2 * _SESSIONS + _EVENTS // _MICRO


def _ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole).otherwise(0.0)


_METRICS: tuple[Metric, ...] = (
    *(Metric(n, "Session", "TYPE_INTEGER", _SESSIONS) for n in ("sessions", "engagedSessions")),
    *(Metric(n, "User", "TYPE_INTEGER", _USERS) for n in ("totalUsers", "activeUsers", "newUsers", "active1DayUsers", "active7DayUsers", "active28DayUsers")),
    Metric("screenPageViews", "Page / Screen", "TYPE_INTEGER", _SESSIONS),
    Metric("eventCount", "Event", "TYPE_INTEGER", _COUNTED),
    Metric("keyEvents", "Event", "TYPE_FLOAT", _EVENTS, _MICRO),
    Metric("eventValue", "Event", "TYPE_FLOAT", _VALUE, _MICRO),
    *(Metric(n, "Ecommerce", "TYPE_INTEGER", _EVENTS // _MICRO) for n in ("ecommercePurchases", "transactions")),
    *(Metric(n, "Revenue", "TYPE_CURRENCY", _VALUE, _MICRO) for n in ("totalRevenue", "purchaseRevenue", "grossPurchaseRevenue")),
    Metric("engagementRate", "Session", "TYPE_FLOAT", _ratio(_SESSIONS, _SESSIONS), 0),
    Metric("sessionsPerUser", "Session", "TYPE_FLOAT", _ratio(_SESSIONS, _USERS), 0),
    Metric("screenPageViewsPerSession", "Page / Screen", "TYPE_FLOAT", _ratio(_SESSIONS, _SESSIONS), 0),
    Metric("screenPageViewsPerUser", "Page / Screen", "TYPE_FLOAT", _ratio(_SESSIONS, _USERS), 0),
    Metric("eventsPerSession", "Event", "TYPE_FLOAT", _ratio(_COUNTED, _SESSIONS), 0),
    Metric("eventCountPerUser", "Event", "TYPE_FLOAT", _ratio(_COUNTED, _USERS), 0),
    Metric("sessionKeyEventRate", "Session", "TYPE_FLOAT", _ratio(_EVENTS / _MICRO, _SESSIONS), 0),
    Metric("userKeyEventRate", "User", "TYPE_FLOAT", _ratio(_EVENTS / _MICRO, _USERS), 0),
    Metric("averagePurchaseRevenue", "Revenue", "TYPE_CURRENCY", _ratio(_VALUE / _MICRO, _EVENTS / _MICRO), 0),
    Metric("averageRevenuePerUser", "Revenue", "TYPE_CURRENCY", _ratio(_VALUE / _MICRO, _USERS), 0),
)
_ZERO: Mapping[str, str] = {
    "TYPE_FLOAT": (
        "bounceRate cartToViewRate crashFreeUsersRate dauPerMau dauPerWau wauPerMau firstTimePurchaserRate firstTimePurchasersPerNewUser "
        "itemListClickThroughRate itemPromotionClickThroughRate itemViewRate purchaseToViewRate purchaserRate scrolledUserRate returnOnAdSpend "
        "transactionsPerPurchaser itemsPurchasedPerUser"
    ),
    "TYPE_INTEGER": (
        "addToCarts advertiserAdClicks advertiserAdImpressions cartToDetailRate checkouts cohortActiveUsers cohortTotalUsers crashAffectedUsers "
        "firstTimePurchasers itemListClickEvents itemListClicks itemListViewEvents itemListViews itemPromotionClicks itemPromotionViews itemViewEvents "
        "itemViews itemsAddedToCart itemsCheckedOut itemsClickedInList itemsClickedInPromotion itemsPurchased itemsViewed itemsViewedInList "
        "itemsViewedInPromotion organicGoogleSearchClicks organicGoogleSearchImpressions promotionClicks promotionViews publisherAdClicks "
        "publisherAdImpressions scrolledUsers totalPurchasers"
    ),
    "TYPE_CURRENCY": (
        "advertiserAdCost advertiserAdCostPerClick advertiserAdCostPerKeyEvent averagePurchaseRevenuePerPayingUser averagePurchaseRevenuePerUser "
        "grossItemRevenue itemDiscountAmount itemRefundAmount itemRevenue refundAmount shippingAmount taxAmount totalAdRevenue"
    ),
    "TYPE_SECONDS": "averageSessionDuration userEngagementDuration",
    "TYPE_MILLISECONDS": "adUnitExposure",
}
DEPRECATED_METRICS = {
    "conversions": "keyEvents",
    "sessionConversionRate": "sessionKeyEventRate",
    "userConversionRate": "userKeyEventRate",
    "advertiserAdCostPerConversion": "advertiserAdCostPerKeyEvent",
    "itemPurchaseQuantity": "itemsPurchased",
    "itemPromotionViewsEvents": "itemPromotionViews",
}

DIMENSIONS: Mapping[str, Dimension] = {
    d.name: d
    for d in sorted(
        [
            *(Dimension(n, category, e) for category, known in _FROM_FACTS.items() for n, e in known.items()),
            *(Dimension(n, category) for category, names in _UNKNOWN.items() for n in names.split()),
        ],
        key=lambda d: d.name,
    )
}
METRICS: Mapping[str, Metric] = {
    m.name: m
    for m in sorted([*_METRICS, *(Metric(n, "General", kind, pl.lit(0)) for kind, names in _ZERO.items() for n in names.split())], key=lambda m: m.name)
}
OF_ITEMS = frozenset(n for n in DIMENSIONS if n.startswith("item"))
"""Item-scoped dimensions go with item-scoped metrics alone."""
ITEM_METRICS = frozenset(n for n in METRICS if n.startswith("item") or n in ("grossItemRevenue", "cartToViewRate", "purchaseToViewRate"))


def find_dimension(name: str) -> Dimension | None:
    """Return a dimension by its present or deprecated name, under the name asked for."""
    found = DIMENSIONS.get(DEPRECATED_DIMENSIONS.get(name, name))
    return found and Dimension(name, found.category, found.expression)


def find_metric(name: str, events: Callable[[], frozenset[str]]) -> Metric | None:
    """Return a metric by its present or deprecated name, `keyEvents:<event>` of the property's own events among them."""
    family, _, event = name.partition(":")
    if event and family in ("keyEvents", "conversions", "sessionKeyEventRate", "userKeyEventRate"):
        if event not in events():
            return None
        counted = pl.col("conversions").filter((pl.col("goal_id") == event) | ((pl.col("goal_id") == "") & (event == "purchase"))).sum()
        if family in ("keyEvents", "conversions"):
            return Metric(name, "Event", "TYPE_FLOAT", counted, _MICRO)
        return Metric(name, "Event", "TYPE_FLOAT", _ratio(counted / _MICRO, _SESSIONS if family == "sessionKeyEventRate" else _USERS), 0)
    found = METRICS.get(DEPRECATED_METRICS.get(name, name))
    return found and Metric(name, found.category, found.type, found.expression, found.scale)
