"""Groupings: what they group by, and how a value is printed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from sandbox.accounts import SandboxAccount
from sandbox.yandex_metrica.counters import quoted, site
from sandbox.yandex_metrica.errors import MetricaError, wrong

ATTRIBUTIONS = (
    *("lastsign", "last_yandex_direct_click", "last", "first", "automatic"),
    *(f"cross_device_{name}" for name in ("first", "last_significant", "last_yandex_direct_click", "last")),
)
PERIODS = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
_ATTRIBUTION = "|".join(("<attribution>", *ATTRIBUTIONS, "lastSignificant"))
_ATTRIBUTED = re.compile(rf"^(ym:(?:s|ad):)(?:{_ATTRIBUTION})?([A-Za-z]+)$", re.IGNORECASE)
_PERIOD = re.compile(r"^(ym:(?:s|pv|ad):)datePeriod(<group>|day|week|month|quarter|year)(Name)?$", re.IGNORECASE)
SENSITIVE = {"startURL", "startURLPath", "startURLPathFull", "URL", "URLPath"}
"""Groupings whose rows are hidden below ten visitors."""
_UNFILLED = """
browser browserAndVersion operatingSystem operatingSystemRoot mobilePhone mobilePhoneModel screenResolution screenFormat gender ageInterval interest
regionContinent regionDistrict regionArea regionCity regionCitySize browserLanguage browserCountry clientTimeZone isNewUser isRobot endURL endURLPath
startURLDomain referer externalReferer searchPhrase UTMContent UTMTerm openstatAd openstatCampaign openstatService openstatSource from hasGCLID
directClickOrder directBannerGroup directClickBanner directPhraseOrCond directPlatformType directPlatform directConditionType directSearchPhrase
hour dayOfWeek visitDuration pageViews goalDimension paramsLevel1 title
"""
_NAMES = {
    "ad": ("Ad traffic", "Переходы по рекламе"),
    "organic": ("Search engine traffic", "Переходы из поисковых систем"),
    "direct": ("Direct traffic", "Прямые заходы"),
    "referral": ("Link traffic", "Переходы по ссылкам на сайтах"),
    "email": ("Mailing traffic", "Переходы с почтовых рассылок"),
    "social": ("Social network traffic", "Переходы из социальных сетей"),
    "messenger": ("Messenger traffic", "Переходы из мессенджеров"),
    "recommend": ("Recommendation system traffic", "Переходы из рекомендательных систем"),
    "internal": ("Internal traffic", "Внутренние переходы"),
    "desktop": ("PC", "ПК"),
    "mobile": ("Smartphones", "Смартфоны"),
    "tablet": ("Tablets", "Планшеты"),
    "tv": ("TV", "ТВ"),
}
_COUNTRIES = {
    "Russia": (225, "RU"),
    "United States": (84, "US"),
    "Germany": (96, "DE"),
    "Belarus": (149, "BY"),
    "Kazakhstan": (159, "KZ"),
    "Turkey": (983, "TR"),
}

Printed = Mapping[str, Any]


@dataclass(frozen=True)
class Dimension:
    """One grouping: `key` is the expression that rows are grouped by (null is undefined), `show` prints a key."""

    name: str
    key: pl.Expr
    show: Callable[[Any, str], Printed]
    sensitive: bool = False

    def printed(self, keys: pl.Series, lang: str) -> dict[Any, str]:
        """Return the JSON of each different key, null left out."""
        return {value: quoted(self.show(value, lang)) for value in keys.unique().to_list() if value is not None}


def read_dimension(name: str, account: SandboxAccount, parameters: Mapping[str, str]) -> Dimension:
    """Return the grouping of a name. Raises MetricaError for one that Metrica does not have."""
    if found := _PERIOD.match(name):
        period = found[2].lower() if found[2] != "<group>" else parameters.get("group", "week").lower()
        if period not in PERIODS:
            raise wrong("group", period)
        return Dimension(name, pl.col("date").dt.truncate(PERIODS[period]).dt.to_string("%Y-%m-%d"), _plain)
    if parameters.get("attribution", "lastsign").lower() not in ATTRIBUTIONS:
        raise wrong("attribution", parameters["attribution"])
    found = _ATTRIBUTED.match(name)
    plain = found[2] if found else name.rpartition(":")[2]
    plain = plain[:1].lower() + plain[1:] if plain[:3] not in ("UTM", "URL") else plain
    made = _known(account).get((name[: name.rindex(":") + 1] if ":" in name else "", plain))
    if made is None and plain.endswith("Name"):
        made = _known(account).get((name[: name.rindex(":") + 1], plain.removesuffix("Name")))
        plain = plain.removesuffix("Name")
    if made is None:
        raise MetricaError(400, "invalid_parameter", f"Wrong attribute: {name}, code: 4001", "dimensions")
    key, show = made
    return Dimension(name, key, show, plain in SENSITIVE)


Show = Callable[[Any, str], Printed]


def _known(account: SandboxAccount) -> dict[tuple[str, str], tuple[pl.Expr, Show]]:
    page = pl.when(pl.col("landing_page") != "").then(pl.col("landing_page"))
    day: tuple[pl.Expr, Show] = (pl.col("date").dt.to_string("%Y-%m-%d"), _plain)
    engine = pl.col("engine")
    known: dict[tuple[str, str], tuple[pl.Expr, Show]] = {
        ("ym:s:", "date"): day,
        ("ym:s:", "trafficSource"): (pl.col("kind"), _source),
        ("ym:s:", "sourceEngine"): (engine, _engine),
        ("ym:s:", "advEngine"): (_within("ad"), _engine),
        ("ym:s:", "searchEngine"): (_within("organic"), _engine),
        ("ym:s:", "searchEngineRoot"): (_within("organic"), _engine),
        ("ym:s:", "socialNetwork"): (_within("social"), _engine),
        ("ym:s:", "messenger"): (_within("messenger"), _engine),
        ("ym:s:", "recommendationSystem"): (_within("recommend"), _engine),
        ("ym:s:", "referalSource"): (pl.when(pl.col("kind") == "referral").then(pl.col("source")), _plain),
        **{("ym:s:", f"UTM{part.capitalize()}"): (pl.col(f"utm_{part}"), _plain) for part in ("source", "medium", "campaign")},
        ("ym:s:", "deviceCategory"): (pl.when(pl.col("device") != "").then(pl.col("device")), _device),
        ("ym:s:", "regionCountry"): (pl.when(pl.col("country") != "").then(pl.col("country")), _country),
        ("ym:s:", "startURLPath"): (page, _plain),
        ("ym:s:", "startURLPathFull"): (page, _plain),
        ("ym:s:", "startURL"): (page, lambda value, _: {"name": value if "://" in value else f"https://{site(account)}{value}"}),
        ("ym:pv:", "date"): day,
        ("ym:pv:", "URLPath"): (page, _plain),
        ("ym:pv:", "URL"): (page, lambda value, _: {"name": value if "://" in value else f"https://{site(account)}{value}"}),
        ("ym:ad:", "date"): day,
        ("ym:ad:", "directOrder"): (pl.concat_str("order_id", "campaign", separator="\t"), _order),
        ("ym:ad:", "currency"): (pl.col("currency"), _plain),
        **{
            (p, n): (pl.col("date").dt.to_string(form), _plain)
            for p in ("ym:s:", "ym:pv:")
            for n, form in (("month", "%-m"), ("year", "%Y"), ("dayOfMonth", "%-d"))
        },
        **{
            (p, f"startOf{n.capitalize()}"): (pl.col("date").dt.truncate(PERIODS[n]).dt.to_string("%Y-%m-%d"), _plain)
            for p in ("ym:s:", "ym:pv:")
            for n in ("week", "month", "quarter", "year")
        },
    }
    nothing: tuple[pl.Expr, Show] = (pl.lit(None, pl.String()), _plain)
    return {(prefix, name): nothing for prefix in ("ym:s:", "ym:pv:") for name in _UNFILLED.split()} | known


def _within(kind: str) -> pl.Expr:
    return pl.when(pl.col("kind") == kind).then(pl.col("engine"))


def _plain(value: Any, _: str) -> Printed:  # noqa: ANN401
    return {"name": str(value)}


def _named(value: str, lang: str) -> str:
    return _NAMES[value][0 if lang == "en" else 1] if value in _NAMES else value


def _source(value: str, lang: str) -> Printed:
    return {"icon_id": str(list(_NAMES).index(value)), "icon_type": "traffic-source", "name": _named(value, lang), "id": value}


def _engine(value: str, _: str) -> Printed:
    return {"name": value.partition(".")[2], "id": value}


def _device(value: str, lang: str) -> Printed:
    return {"name": _named(value, lang), "id": value}


def _country(value: str, _: str) -> Printed:
    number, iso = _COUNTRIES.get(value, (0, ""))
    return {"icon_id": str(number), "icon_type": "country", "name": value, "id": str(number), "iso_name": iso} if number else {"name": value, "id": value}


def _order(value: str, _: str) -> Printed:
    number, _, name = value.partition("\t")
    return {"name": name, "id": number, "direct_id": f"N-{number}"}
