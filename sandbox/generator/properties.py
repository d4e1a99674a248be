"""The demo agency's web analytics as data: which ad accounts send clicks to a site, and what else brings visitors."""

from dataclasses import dataclass

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.generator.agency import NORTH, OAK

TAGS = {
    (Platform.GOOGLE_ADS, "display"): ("google", "display"),
    (Platform.GOOGLE_ADS, "video"): ("youtube.com", "video"),
    (Platform.GOOGLE_ADS, "performance_max"): ("google", "cross-network"),
    (Platform.GOOGLE_ADS, "search"): ("google", "cpc"),
    (Platform.META_ADS, "social"): ("facebook", "paid_social"),
    (Platform.YANDEX_DIRECT, "search"): ("yandex", "cpc"),
    (Platform.YANDEX_DIRECT, "display"): ("yandex", "display"),
    (Platform.YANDEX_DIRECT, "master"): ("yandex", "cpc"),
}
"""How the site's links are tagged: source and medium by platform and kind of campaign."""


@dataclass(frozen=True)
class Channel:
    """Visitors that nobody pays for: `share` of the paid sessions, conversion rate, value of an order in the property's currency."""

    source: str
    medium: str
    share: float
    cvr: float
    order: float
    landing_page: str = "/"


@dataclass(frozen=True)
class PropertyPlan:
    """One site. `feeders` are the ad accounts whose clicks land on it; `order_goal` and `lead_goal` are empty where goals are not told apart."""

    account: SandboxAccount
    feeders: tuple[tuple[Platform, str], ...]
    channels: tuple[Channel, ...]
    countries: tuple[str, ...]
    landing_pages: tuple[str, ...]
    rhythm: str
    mobile: float
    order_goal: str = ""
    lead_goal: str = ""


_US, _EU, _NORTH = (
    SandboxAccount(Platform.GA4, "349118204", "Bright Oak US", "USD", "America/New_York", OAK),
    SandboxAccount(Platform.GA4, "349118377", "Bright Oak EU", "EUR", "Europe/Berlin", OAK),
    SandboxAccount(Platform.YANDEX_METRICA, "71530264", "Северный дом", "RUB", "Europe/Moscow", NORTH),
)
PROPERTIES = (
    PropertyPlan(
        _US,
        ((Platform.GOOGLE_ADS, "5509318274"), (Platform.META_ADS, "2130495867213049")),
        (
            Channel("google", "organic", 0.24, 0.016, 300, "/blog/gantt-chart-guide"),
            Channel("(direct)", "(none)", 0.17, 0.024, 318),
            Channel("g2.com", "referral", 0.04, 0.031, 325, "/pricing"),
            Channel("newsletter", "email", 0.05, 0.028, 305, "/webinar"),
        ),
        ("United States", "Canada"),
        ("/", "/pricing", "/product/planning", "/alternatives"),
        "saas",
        0.34,
    ),
    PropertyPlan(
        _EU,
        ((Platform.GOOGLE_ADS, "7740126935"), (Platform.META_ADS, "3241506978324150")),
        (
            Channel("google", "organic", 0.27, 0.015, 262, "/de/ratgeber/projektplanung"),
            Channel("(direct)", "(none)", 0.16, 0.021, 275, "/de/"),
            Channel("capterra.de", "referral", 0.05, 0.027, 280, "/de/preise"),
        ),
        ("Germany", "Denmark", "Sweden"),
        ("/de/", "/de/preise", "/en/", "/en/pricing"),
        "saas",
        0.38,
    ),
    PropertyPlan(
        _NORTH,
        (
            (Platform.GOOGLE_ADS, "2417305861"),
            (Platform.META_ADS, "1029384756102938"),
            (Platform.YANDEX_DIRECT, "severny-dom"),
            (Platform.YANDEX_DIRECT, "severny-dom-region"),
        ),
        (
            Channel("yandex", "organic", 0.19, 0.013, 13200, "/catalog/divany/"),
            Channel("google", "organic", 0.08, 0.011, 12900, "/catalog/kuhni/"),
            Channel("(direct)", "(none)", 0.13, 0.019, 16800),
            Channel("ivd.ru", "referral", 0.02, 0.009, 11400, "/blog/"),
        ),
        ("Russia",),
        ("/catalog/divany/", "/catalog/kuhni/", "/catalog/matrasy/", "/sale/"),
        "retail",
        0.62,
        order_goal="301112233",
        lead_goal="301112244",
    ),
)
