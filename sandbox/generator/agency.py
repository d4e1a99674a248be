"""The demo agency as data: two clients, eight accounts, their campaigns, and the events planted for the analyst to find."""

from dataclasses import dataclass

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount

NORTH = "Северный дом"
OAK = "Bright Oak"


@dataclass(frozen=True)
class Event:
    """A change that begins `from_day` days before the anchor: factors on budget, cost per click and conversion rate."""

    from_day: int
    budget: float = 1.0
    cpc: float = 1.0
    cvr: float = 1.0


@dataclass(frozen=True)
class CampaignPlan:
    """What one campaign is like. Money in the account's currency; `starts` and `ends` count days before the anchor."""

    name: str
    kind: str
    budget: float
    cpc: float
    ctr: float
    cvr: float
    order: float
    groups: tuple[str, ...] = ()
    ads: int = 4
    starts: int | None = None
    ends: int | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class AccountPlan:
    """One account, the rhythm of its trade and its campaigns."""

    account: SandboxAccount
    rhythm: str
    campaigns: tuple[CampaignPlan, ...]
    id_base: int


C = CampaignPlan
_DEFECT = (Event(20, cvr=0.42),)
_AUCTION = (Event(13, cpc=1.45),)
_PUSH = (Event(27, budget=1.9, cvr=0.8),)

_GOOGLE_NORTH = (
    C("Поиск | Диваны и кресла", "search", 9200, 34, 0.071, 0.031, 11800, ("Диваны прямые", "Диваны угловые", "Кресла"), 6),
    C("Поиск | Кухни на заказ", "search", 11500, 58, 0.058, 0.019, 46500, ("Кухни", "Фасады", "Столешницы"), 6, events=_DEFECT),
    C('Поиск | Бренд "Северный дом"', "search", 2400, 11, 0.21, 0.084, 15200, ("Бренд", "Бренд + город"), 5),
    C("КМС | Ремаркетинг «Брошенная корзина»", "display", 3100, 9, 0.006, 0.012, 10400, ("Корзина 7 дней", "Корзина 30 дней"), 5),
    C("Performance Max — товарный фид", "performance_max", 14200, 19, 0.011, 0.017, 9900),
    C("Поиск | Матрасы (новая)", "search", 5200, 31, 0.066, 0.027, 12100, ("Матрасы", "Топперы"), 5, starts=24),
)
_META_NORTH = (
    C("Conversions | Гостиная, осень", "social", 8600, 21, 0.013, 0.016, 12600, ("Женщины 25-44", "Мужчины 25-54", "LAL 1% покупатели"), 6),
    C("Conversions | Спальни и матрасы", "social", 7400, 24, 0.012, 0.018, 13800, ("Москва", "Санкт-Петербург", "Миллионники"), 6),
    C("Catalog | Динамический ремаркетинг", "social", 4100, 15, 0.019, 0.029, 10800, ("Смотрели 14 дней", "Корзина 7 дней"), 5),
    C('Traffic | "Тихая гавань" (блог)', "social", 2600, 7, 0.022, 0.002, 8400, ("Интересы: дизайн", "Интересы: ремонт"), 5, ends=38),
    C("Leads | Замер кухни", "social", 5600, 33, 0.011, 0.011, 0, ("Новосёлы", "Ремонт"), 5, events=_AUCTION),
)
_DIRECT_NORTH = (
    C("Поиск — Диваны", "search", 10400, 29, 0.088, 0.029, 11900, ("Прямые", "Угловые", "Раскладные"), 6),
    C("Поиск — Кухни", "search", 12600, 47, 0.064, 0.018, 44800, ("Кухни", "Кухни недорого", "Гарнитуры"), 6),
    C('РСЯ — "Скидки до 30%"', "display", 6900, 8, 0.0055, 0.009, 9700, ("Интересы", "Look-alike", "Ключевые фразы"), 6, events=_PUSH),
    C("Мастер кампаний: весь ассортимент", "master", 8300, 14, 0.014, 0.015, 10300),
    C("Поиск — Бренд «Северный дом»", "search", 1900, 8, 0.27, 0.09, 15000, ("Бренд",), 6),
)
_DIRECT_REGION = (
    C("Регионы | Диваны", "search", 5100, 22, 0.081, 0.023, 10900, ("Урал", "Сибирь", "Юг"), 6),
    C("Регионы | Кухни", "search", 4800, 35, 0.06, 0.014, 39900, ("Урал", "Сибирь", "Юг"), 6),
    C("Регионы | РСЯ", "display", 3600, 6, 0.005, 0.007, 9200, ("Интересы", "Конкуренты"), 6),
    C("Регионы | Смарт-баннеры 50/50", "display", 2900, 9, 0.007, 0.012, 9900, ("Фид", "Фид: скидки"), 5, ends=33),
)
_GOOGLE_US = (
    C("US | Search | Project planning", "search", 420, 6.4, 0.049, 0.034, 310, ("Planning software", "Gantt", "Roadmaps"), 6),
    C("US | Search | Competitors", "search", 310, 9.1, 0.038, 0.021, 320, ("Alternatives", "Comparison"), 6, events=_AUCTION),
    C('US | Brand "Bright Oak"', "search", 90, 1.3, 0.24, 0.11, 340, ("Brand", "Brand + login"), 5),
    C("US | Display | Retargeting", "display", 140, 1.1, 0.0048, 0.009, 290, ("Pricing visitors", "Trial drop-outs"), 6),
    C("US | Performance Max", "performance_max", 520, 2.7, 0.012, 0.016, 300),
    C("US | Video | Founders' stories", "video", 160, 0.9, 0.007, 0.004, 280, ("In-stream", "In-feed"), 5, starts=26),
)
_GOOGLE_EU = (
    C("DE | Suche | Projektplanung", "search", 360, 5.2, 0.051, 0.029, 270, ("Projektplanung", "Gantt-Diagramm", "Terminplan"), 6, events=_DEFECT),
    C("EU | Search | Team planning", "search", 290, 4.7, 0.046, 0.026, 265, ("Team planning", "Resource planning"), 6),
    C("EU | Brand", "search", 70, 1.0, 0.26, 0.12, 290, ("Brand",), 5),
    C("EU | Display | Büro & Organisation", "display", 130, 0.9, 0.0045, 0.006, 240, ("Affinity", "In-market"), 6),
)
_META_US = (
    C("US | Trials | Operations leads", "social", 460, 4.1, 0.011, 0.021, 305, ("Ops managers", "PMO", "LAL 1% payers"), 7),
    C("US | Trials | Agencies", "social", 380, 3.8, 0.012, 0.019, 300, ("Agency owners", "Creative directors"), 7),
    C("US | Retargeting | Pricing page", "social", 210, 2.6, 0.018, 0.034, 310, ("7 days", "30 days"), 6),
    C('US | Webinar "Plan less, ship more"', "social", 150, 3.2, 0.014, 0.012, 0, ("Interest", "LAL"), 5, ends=41),
)
_META_EU = (
    C("EU | Trials | Germany", "social", 340, 3.4, 0.0115, 0.02, 270, ("Operations", "Mittelstand", "LAL 1%"), 7),
    C("EU | Trials | Nordics", "social", 230, 3.7, 0.0105, 0.018, 285, ("Operations", "LAL 2%"), 7, events=_PUSH),
    C("EU | Retargeting", "social", 160, 2.2, 0.017, 0.031, 275, ("7 Tage", "30 Tage"), 6),
)


def _account(platform: Platform, account_id: str, name: str, currency: str, timezone: str, client: str, number: int = 0) -> SandboxAccount:
    return SandboxAccount(platform, account_id, name, currency, timezone, client, number=number)


_MOSCOW, _NEW_YORK, _BERLIN = "Europe/Moscow", "America/New_York", "Europe/Berlin"
AGENCY = (
    AccountPlan(_account(Platform.GOOGLE_ADS, "2417305861", "Северный дом", "RUB", _MOSCOW, NORTH), "retail", _GOOGLE_NORTH, 20411000001),
    AccountPlan(_account(Platform.GOOGLE_ADS, "5509318274", "Bright Oak US", "USD", _NEW_YORK, OAK), "saas", _GOOGLE_US, 21733000001),
    AccountPlan(_account(Platform.GOOGLE_ADS, "7740126935", "Bright Oak EU", "EUR", _BERLIN, OAK), "saas", _GOOGLE_EU, 22864000001),
    AccountPlan(_account(Platform.META_ADS, "1029384756102938", "Северный дом", "RUB", _MOSCOW, NORTH), "retail", _META_NORTH, 120210000010001),
    AccountPlan(_account(Platform.META_ADS, "2130495867213049", "Bright Oak US", "USD", _NEW_YORK, OAK), "saas", _META_US, 120220000010001),
    AccountPlan(_account(Platform.META_ADS, "3241506978324150", "Bright Oak EU", "EUR", _BERLIN, OAK), "saas", _META_EU, 120230000010001),
    AccountPlan(_account(Platform.YANDEX_DIRECT, "severny-dom", "Северный дом", "RUB", _MOSCOW, NORTH, 40112233), "retail", _DIRECT_NORTH, 701200101),
    AccountPlan(
        _account(Platform.YANDEX_DIRECT, "severny-dom-region", "Северный дом: регионы", "RUB", _MOSCOW, NORTH, 40112299), "retail", _DIRECT_REGION, 702300101
    ),
)
