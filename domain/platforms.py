"""The platforms and the levels of their hierarchy, in one vocabulary."""

from enum import StrEnum


class Platform(StrEnum):
    """An outside source of marketing data; the value is used in table names, settings and the API."""

    GOOGLE_ADS = "google_ads"
    META_ADS = "meta_ads"
    YANDEX_DIRECT = "yandex_direct"
    GA4 = "ga4"
    YANDEX_METRICA = "yandex_metrica"


class Level(StrEnum):
    """Where in the hierarchy a row stands: account > campaign > ad_group > ad. Meta's ad set is an ad_group."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    AD_GROUP = "ad_group"
    AD = "ad"
