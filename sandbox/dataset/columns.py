"""The columns of the three dataset formats, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.platforms import Platform


class Kind(StrEnum):
    """What a column may hold; each kind has one check in `checks`."""

    PLATFORM = "platform"
    TEXT = "text"
    NAME = "name"
    CURRENCY = "currency"
    TIMEZONE = "timezone"
    DATE = "date"
    MOMENT = "moment"
    COUNT = "count"
    AMOUNT = "amount"
    AS_OF = "as_of"


@dataclass(frozen=True)
class Format:
    """One dataset format. `key` makes a row unique; optional columns belong to it where the file has them."""

    name: str
    columns: Mapping[str, Kind]
    optional: Mapping[str, Kind]
    key: tuple[str, ...]
    platforms: tuple[Platform, ...] = ()

    def kind(self, column: str) -> Kind:
        """Return what a column may hold."""
        return self.columns.get(column) or self.optional[column]


_ACCOUNT = {
    "platform": Kind.PLATFORM,
    "account_id": Kind.TEXT,
    "account_name": Kind.NAME,
    "currency": Kind.CURRENCY,
    "timezone": Kind.TIMEZONE,
}

ADS = Format(
    "ads",
    columns={
        **_ACCOUNT,
        "campaign_id": Kind.NAME,
        "campaign_name": Kind.NAME,
        "ad_group_id": Kind.NAME,
        "ad_group_name": Kind.NAME,
        "ad_id": Kind.NAME,
        "ad_name": Kind.NAME,
        "date": Kind.DATE,
        "impressions": Kind.COUNT,
        "clicks": Kind.COUNT,
        "spend": Kind.AMOUNT,
        "conversions": Kind.AMOUNT,
        "conversions_value": Kind.AMOUNT,
    },
    optional={
        "device": Kind.NAME,
        "country": Kind.NAME,
        "conversion_action": Kind.NAME,
        "keyword": Kind.NAME,
        "search_term": Kind.NAME,
        "as_of": Kind.AS_OF,
    },
    key=("platform", "account_id", "campaign_id", "ad_group_id", "ad_id", "date", "device", "country", "conversion_action", "keyword", "search_term", "as_of"),
    platforms=(Platform.GOOGLE_ADS, Platform.META_ADS, Platform.YANDEX_DIRECT),
)

ANALYTICS = Format(
    "analytics",
    columns={
        **_ACCOUNT,
        "date": Kind.DATE,
        "source": Kind.NAME,
        "medium": Kind.NAME,
        "campaign": Kind.NAME,
        "sessions": Kind.COUNT,
        "users": Kind.COUNT,
        "conversions": Kind.AMOUNT,
        "conversions_value": Kind.AMOUNT,
    },
    optional={"device": Kind.NAME, "country": Kind.NAME, "landing_page": Kind.NAME, "goal_id": Kind.NAME, "as_of": Kind.AS_OF},
    key=("platform", "account_id", "date", "source", "medium", "campaign", "device", "country", "landing_page", "goal_id", "as_of"),
    platforms=(Platform.GA4, Platform.YANDEX_METRICA),
)

VISITS = Format(
    "visits",
    columns={
        "account_id": Kind.TEXT,
        "visit_id": Kind.TEXT,
        "client_id": Kind.TEXT,
        "date_time": Kind.MOMENT,
        "source": Kind.NAME,
        "medium": Kind.NAME,
        "campaign": Kind.NAME,
        "goals": Kind.NAME,
        "revenue": Kind.AMOUNT,
    },
    optional={},
    key=("account_id", "visit_id"),
)

FORMATS = (ADS, ANALYTICS, VISITS)

_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP "
    "DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK "
    "LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF "
    "SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF "
    "XPF YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_CODES.split())
"""The active currencies of ISO 4217."""
