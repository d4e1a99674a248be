r"""The fields of the Logs API by source, and the visits and hits that fill them.

Numbers and dates print as they are, arrays as `[1,2]`, arrays of texts as `[\'a\',\'b\']` with the quotes escaped, as ClickHouse's TSV does.
Money is multiplied by the field's own coefficient.
"""

import re
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from sandbox.accounts import SandboxAccount
from sandbox.facts import MICRO
from sandbox.generator.noise import mix
from sandbox.yandex_metrica.counters import goal_number, site
from sandbox.yandex_metrica.dimensions import ATTRIBUTIONS
from sandbox.yandex_metrica.errors import wrong
from sandbox.yandex_metrica.facts import origins

PREFIX = {"visits": "ym:s:", "hits": "ym:pv:"}
_TECHNICAL = """
clientID counterUserIDHash ipAddress regionCountry regionCity regionCountryID regionCityID browser browserCountry browserEngine browserLanguage
browserMajorVersion browserMinorVersion browserEngineVersion1 browserEngineVersion2 browserEngineVersion3 browserEngineVersion4 clientTimeZone
cookieEnabled javascriptEnabled deviceCategory mobilePhone mobilePhoneModel operatingSystem operatingSystemRoot physicalScreenHeight
physicalScreenWidth screenColors screenFormat screenHeight screenOrientation screenOrientationName screenWidth windowClientHeight windowClientWidth
networkType counterID date dateTime referer from hasGCLID GCLID openstatAd openstatCampaign openstatService openstatSource
UTMCampaign UTMContent UTMMedium UTMSource UTMTerm goalsID
""" + " ".join(f"parsedParamsKey{n}" for n in range(1, 11))
_VISITS = """
visitID watchIDs dateTimeUTC isNewUser startURL endURL pageViews visitDuration bounce goalsSerialNumber goalsDateTime goalsPrice goalsOrder goalsCurrency
TrafficSource AdvEngine ReferalSource SearchEngineRoot SearchEngine SocialNetwork SocialNetworkProfile DirectClickOrder DirectBannerGroup DirectClickBanner
DirectClickOrderName ClickBannerGroupName DirectClickBannerName DirectPhraseOrCond DirectPlatformType DirectPlatform DirectConditionType CurrencyID
RecommendationSystem Messenger purchaseID purchaseDateTime purchaseAffiliation purchaseRevenue purchaseTax purchaseShipping purchaseCoupon
purchaseCurrency purchaseProductQuantity promotionID promotionName promotionCreative promotionPosition promotionCreativeSlot promotionEventTime
promotionType offlineCallTalkDuration offlineCallHoldDuration offlineCallMissed offlineCallTag offlineCallFirstTimeCaller offlineCallURL
productsPurchaseID impressionsURL impressionsDateTime eventsProductEventTime eventsProductType productsEventTime productsList
""" + " ".join(
    f"{kind}{part}"
    for kind in ("eventsProduct", "products", "impressionsProduct")
    for part in (
        *("ID", "Name", "Brand", "Category", "Category1", "Category2", "Category3", "Category4", "Category5", "Variant", "Position", "Price", "Currency"),
        *("Coupon", "Quantity", "List", "Discount", "EventTime"),
    )
)
_HITS = """
watchID pageViewID title pageCharset URL lastTrafficSource lastSearchEngineRoot lastSearchEngine lastAdvEngine lastSocialNetwork lastSocialNetworkProfile
recommendationSystem messenger isPageView isTurboPage isTurboApp iFrame link download notBounce artificial ecommerce params httpError shareService
shareURL shareTitle
"""
KNOWN = {"visits": set((_TECHNICAL + _VISITS).split()), "hits": set((_TECHNICAL + _HITS).split())}
_MODELS = tuple(m.lower() for m in ("<attribution>", *ATTRIBUTIONS, "lastSignificant", "lastYandexDirectClick"))
_MODELS += tuple(m.replace("_", "") for m in _MODELS if m.startswith("cross_"))
"""Attribution models as they stand within a field's name, in any case."""
_ARRAYS = re.compile(r"^(goals|purchase|products|eventsProduct|impressions|promotion|offlineCall|parsedParams|watchIDs)")
_COUNTED = re.compile(
    r"(ID|Hash|Version\d?|Height|Width|Colors|Orientation|Enabled|GCLID|TimeZone|Order|Group|isPage|isTurbo\w+|iFrame|link|download|notBounce|artificial)$"
)
_TEXTS = {"GCLID", "ClickBannerGroupName"}
_ENGLISH_MOSCOW = {
    "regionCountry": "Russia",
    "regionCity": "Moscow",
    "regionCountryID": "225",
    "regionCityID": "213",
    "deviceCategory": "1",
    "browser": "chrome",
}


def check(source: str, fields: list[str]) -> list[str]:
    """Return the fields' plain names. Raises MetricaError for an unknown source or field."""
    if source not in PREFIX:
        raise wrong("source", source)
    plain = []
    for field in fields:
        name = field.removeprefix(PREFIX[source])
        if not field.startswith(PREFIX[source]):
            raise wrong("fields", field)
        if name not in KNOWN[source] and source == "visits":
            name = next((name[len(m) :] for m in _MODELS if name.lower().startswith(m) and name[len(m) :] in KNOWN[source]), name)
        if name not in KNOWN[source]:
            raise wrong("fields", field)
        plain.append(name)
    return plain


def print_log(source: str, fields: list[str], plain: list[str], visits: pl.DataFrame, account: SandboxAccount) -> pl.DataFrame:
    """Return the log as texts, a column for each field in its order."""
    rows = _hits(_visits(visits, account)) if source == "hits" else _visits(visits, account)
    values = _hit_values(account) if source == "hits" else _visit_values(account)
    return rows.select(_printed(values.get(name), name).alias(field) for field, name in zip(fields, plain, strict=True))


def _printed(value: pl.Expr | None, name: str) -> pl.Expr:
    if value is not None:
        return value.cast(pl.String).fill_null("")
    if name in _ENGLISH_MOSCOW:
        return pl.lit(_ENGLISH_MOSCOW[name])
    if _ARRAYS.match(name):
        return pl.lit("[]")
    return pl.lit("0" if name not in _TEXTS and _COUNTED.search(name) else "")


def _visits(visits: pl.DataFrame, account: SandboxAccount) -> pl.DataFrame:
    """Add to visits what Metrica would know of them: numbers that hang on the visit's id alone."""
    known = {text: str(goal_number(text)) for text in visits["goals"].str.split(",").explode().unique().to_list() if text}
    zone = ZoneInfo(account.timezone).key
    rows = origins(visits).with_columns(
        pl.col("visit_id").cast(pl.UInt64, strict=False).fill_null(pl.col("visit_id").str.len_bytes().cast(pl.UInt64)).alias("n"),
        pl.col("goals").str.split(",").list.eval(pl.element().filter(pl.element() != "").replace(known)).alias("goal_list"),
        pl.col("date_time").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("Europe/Moscow").alias("moscow"),
    )
    return rows.with_columns(
        (1 + pl.col("n") % 4).cast(pl.Int64).alias("pages"),
        pl.col("goal_list").list.len().cast(pl.Int64).alias("reached"),
        pl.format("https://{}/landing-{}", pl.lit(site(account)), pl.col("n") % 7).alias("start_url"),
        *(pl.Series(f"watch{k}", mix(rows["n"].to_numpy() ^ np.uint64(k * 7919 + 1)), dtype=pl.UInt64) for k in range(4)),
    )


def _hits(visits: pl.DataFrame) -> pl.DataFrame:
    """Lay each visit out into its page views; goals are reached on the last one."""
    pages = visits.with_columns(pl.int_ranges(0, pl.col("pages")).alias("page")).explode("page")
    watch = pl.coalesce([pl.when(pl.col("page") == k).then(pl.col(f"watch{k}")) for k in range(4)])
    last = pl.col("page") == pl.col("pages") - 1
    return pages.with_columns(
        watch.alias("watch"),
        (pl.col("date_time") + pl.duration(seconds=20 * pl.col("page"))).alias("date_time"),
        pl.when(last).then(pl.col("goal_list")).otherwise(pl.lit([], pl.List(pl.String))).alias("goal_list"),
    )


def _list(items: pl.Expr) -> pl.Expr:
    return pl.format("[{}]", items.list.join(","))


def _text_list(count: pl.Expr, text: pl.Expr) -> pl.Expr:
    r"""Print `count` (0 or more) times the same text as an array of texts: `[\'a\',\'a\']`."""
    one = pl.concat_str(pl.lit("\\'"), text, pl.lit("\\'"))
    return pl.format("[{}]", one.repeat_by(count).list.join(","))


def _once(value: pl.Expr) -> pl.Expr:
    """Print an array of one number where the visit earned something, else an empty one."""
    return pl.when(pl.col("revenue") > 0).then(pl.format("[{}]", value)).otherwise(pl.lit("[]"))


def _shared() -> dict[str, pl.Expr]:
    stamp = pl.col("date_time").dt.to_string("%Y-%m-%d %H:%M:%S")
    return {
        "date": pl.col("date_time").dt.to_string("%Y-%m-%d"),
        "dateTime": stamp,
        "clientID": pl.col("client_id"),
        "counterUserIDHash": pl.col("client_id"),
        "goalsID": _list(pl.col("goal_list")),
        "UTMSource": _tsv(pl.col("utm_source")),
        "UTMMedium": _tsv(pl.col("utm_medium")),
        "UTMCampaign": _tsv(pl.col("utm_campaign")),
        "TrafficSource": pl.col("kind").fill_null("undefined"),
        "AdvEngine": _engine("ad").fill_null("ya_undefined"),
        "SearchEngineRoot": _engine("organic"),
        "SearchEngine": _engine("organic"),
        "SocialNetwork": _engine("social"),
        "Messenger": _engine("messenger"),
        "RecommendationSystem": _engine("recommend"),
        "ReferalSource": _engine("referral"),
        "referer": pl.when(pl.col("kind") == "referral").then(pl.format("https://{}/", pl.col("source"))),
    }


def _engine(kind: str) -> pl.Expr:
    return pl.when(pl.col("kind") == kind).then(_tsv(pl.col("source")))


def _tsv(text: pl.Expr) -> pl.Expr:
    """Escape what TSV escapes."""
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.str.replace_all(plain, escaped, literal=True)
    return text


def _visit_values(account: SandboxAccount) -> dict[str, pl.Expr]:
    revenue = pl.col("revenue")
    reached, first = pl.col("reached"), pl.lit("0")
    price = (revenue // 1_000).cast(pl.String)  # millionths × 1000 / 1,000,000
    zeros = pl.lit(",0").repeat_by(reached - 1).list.join("")
    bought = (revenue > 0).cast(pl.Int64)
    order = pl.concat_str(pl.lit("order-"), pl.col("visit_id"))
    rest = (revenue % MICRO).cast(pl.String).str.zfill(6).str.strip_chars_end("0")
    amount = pl.concat_str((revenue // MICRO).cast(pl.String), pl.when(rest == "").then(pl.lit("")).otherwise(pl.concat_str(pl.lit("."), rest)))
    shared = _shared()
    return shared | {
        "visitID": pl.col("visit_id"),
        "counterID": pl.lit(account.account_id),
        "watchIDs": _list(pl.concat_list([f"watch{k}" for k in range(4)]).cast(pl.List(pl.String)).list.head(pl.col("pages"))),
        "dateTimeUTC": pl.col("moscow").dt.to_string("%Y-%m-%d %H:%M:%S"),
        "isNewUser": (pl.col("n") % 10 < 7).cast(pl.Int64),
        "startURL": pl.col("start_url"),
        "endURL": pl.col("start_url"),
        "pageViews": pl.col("pages"),
        "visitDuration": pl.col("pages") * 20 + (pl.col("n") % 17).cast(pl.Int64),
        "bounce": ((pl.col("pages") == 1) & (reached == 0)).cast(pl.Int64),
        "goalsSerialNumber": _list(pl.int_ranges(1, reached + 1).cast(pl.List(pl.String))),
        "goalsDateTime": _text_list(reached, pl.col("moscow").dt.to_string("%Y-%m-%d %H:%M:%S")),
        "goalsPrice": pl.when(reached > 0).then(pl.format("[{}{}]", price, zeros)).otherwise(pl.lit("[]")),
        "goalsOrder": _text_list(reached, pl.when(revenue > 0).then(order).otherwise(pl.lit(""))),
        "goalsCurrency": _text_list(reached, pl.lit(account.currency)),
        "DirectClickOrder": first,
        "DirectBannerGroup": first,
        "DirectClickOrderName": pl.when(pl.col("source") == "yandex").then(_tsv(pl.col("utm_campaign"))),
        "CurrencyID": pl.lit(account.currency),
        "purchaseID": _text_list(bought, order),
        "purchaseDateTime": _text_list(bought, shared["dateTime"]),
        "purchaseRevenue": _once(amount),
        "purchaseTax": _once(revenue // 6 // MICRO * MICRO),
        "purchaseCurrency": _text_list(bought, pl.lit(account.currency)),
        "purchaseProductQuantity": _once(pl.lit("1")),
        "productsPurchaseID": _text_list(bought, order),
        "productsID": _text_list(bought, pl.lit("sku-1")),
        "productsName": _text_list(bought, pl.lit("Order")),
        "productsPrice": _once(revenue),
        "productsCurrency": _text_list(bought, pl.lit(account.currency)),
        "productsQuantity": _once(pl.lit("1")),
        "eventsProductPrice": _once(revenue),
        "eventsProductID": _text_list(bought, pl.lit("sku-1")),
        "eventsProductCurrency": _text_list(bought, pl.lit(account.currency)),
        "impressionsProductPrice": _once(revenue),
        "impressionsProductID": _text_list(bought, pl.lit("sku-1")),
    }


def _hit_values(account: SandboxAccount) -> dict[str, pl.Expr]:
    shared = _shared()
    url = pl.when(pl.col("page") == 0).then(pl.col("start_url")).otherwise(pl.format("https://{}/page-{}", pl.lit(site(account)), pl.col("page")))
    return shared | {
        "watchID": pl.col("watch"),
        "pageViewID": pl.col("page") + 1,
        "counterID": pl.lit(account.account_id),
        "URL": url,
        "title": pl.format("Page {}", pl.col("page")),
        "pageCharset": pl.lit("utf-8"),
        "isPageView": pl.lit("1"),
        "lastTrafficSource": shared["TrafficSource"],
        "lastAdvEngine": shared["AdvEngine"],
        "lastSearchEngine": shared["SearchEngine"],
        "lastSearchEngineRoot": shared["SearchEngineRoot"],
        "lastSocialNetwork": shared["SocialNetwork"],
    }


def between(visits: pl.DataFrame, since: date, until: date) -> pl.DataFrame:
    """Return the visits that began between two dates, both inclusive."""
    return visits.filter(pl.col("date_time").dt.date().is_between(since, until))
