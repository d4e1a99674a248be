"""Two organizations, three platforms, two currencies and awkward names, loaded through the ledger and built by dbt once."""

import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dbt.contracts.graph.semantic_manifest import SemanticManifest

from domain.clock import PinnedClock
from domain.questions import Answer, Question, Scope
from home.directory import Home
from warehouse.as_of import create_as_of_views
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.metrics.catalogue import Catalogue
from warehouse.metrics.door import MetricDoor

MODELS = (
    *("fct_ad_performance_daily", "fct_conversions_daily", "fct_sessions_daily", "fct_video_daily", "mart_reach", "dim_account_project", "dim_fx_rate"),
    *(f"dim_{entity}{history}" for entity in ("account", "campaign", "ad_group", "ad") for history in ("", "_history")),
)
"""What the compiler reads."""
SINCE, UNTIL = date(2024, 2, 20), date(2024, 4, 10)
FIRST = datetime(2024, 4, 11, 12, tzinfo=UTC)
SECOND = datetime(2024, 4, 12, 12, tzinfo=UTC)
TODAY = date(2024, 4, 12)
NAMES = ("Brand", "Бренд", "it's", "a\\b", "{p0:String}", "100% скидка", 'say "hi"', "tab\tnew\nline", "", "'; DROP TABLE marts.builds; --")
FILMS = ("-a1", "-a2")
"""Ads that are videos."""
THRUPLAYS_SINCE = date(2024, 3, 10)
"""The first day for which ThruPlays were asked."""
RATES_SINCE = SINCE - timedelta(days=60)
MEASURES = ("impressions", "clicks", "spend", "conversions", "conversions_value")
PROJECTS = (
    ("north", "Проект Север", "google_ads", "g1", date(2024, 1, 1), None),
    ("north", "Проект Север", "meta_ads", "m1", date(2024, 3, 1), date(2024, 3, 20)),
    ("south", "South", "meta_ads", "m1", date(2024, 3, 21), None),
    ("south", "South", "yandex_direct", "y1", date(2024, 1, 1), None),
)


@dataclass
class Agency:
    """The built warehouse, its door, and every fact row as polars sees it."""

    mart: Any
    door: MetricDoor
    facts: pl.DataFrame
    before: pl.DataFrame = field(default_factory=pl.DataFrame)
    """The facts as they were known on the first day, before the second one restated some."""

    def ask(self, *metrics: str, organization: str = "org", projects: Sequence[str] | None = None, **question: Any) -> Answer:
        """Ask over the whole window, unless the question says otherwise."""
        scope = Scope(organization_id=organization, project_ids=None if projects is None else tuple(projects))
        return self.door.ask(scope, Question(**{"since": SINCE, "until": UNTIL, "metrics": metrics, **question}))


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory, builder: Any) -> Catalogue:
    """The definitions of this checkout, parsed without a server."""
    path = tmp_path_factory.mktemp("parsed") / "semantic_manifest.json"
    SemanticManifest(builder.parsed()).write_json_to_file(str(path))
    return Catalogue.load(path)


@pytest.fixture(scope="session")
def agency(tmp_path_factory: pytest.TempPathFactory, builder: Any, repository: Path, catalogue: Catalogue) -> Iterator[Agency]:
    """Everything loaded twice (the second time restates March), then built, with as-of views."""
    home = Home.open(tmp_path_factory.mktemp("metrics") / "home")
    with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
        mart = builder.MartBuilder(home, warehouse)
        before = [row for organization in ("org", "rival") for row in _facts(organization)]
        _load(mart, before, FIRST)
        _load_kag(mart, repository.parent / "shared" / "fixtures")
        _load_rates(mart)
        channel = {"platform": "vk_ads", "account_id": "v1", "account_name": "VK", "currency": "RUB", "timezone": "Europe/Berlin"}
        mart.load("raw_imports__accounts", "v1", [channel], (FIRST.date(), FIRST.date()), at=FIRST)
        mart.assign([dict(zip(("project_id", "project_name", "platform", "account_id", "since", "until"), p, strict=True)) for p in PROJECTS], at=FIRST)
        mart.assign([{"project_id": "theirs", "platform": "google_ads", "account_id": "g1", "since": SINCE}], organization="rival", at=FIRST)
        restated = [{**row, "spend": row["spend"] + Decimal("0.07")} if row["date"].month == 3 else row for row in before if row["ad"] != "g1-a0"]
        _load(mart, restated, SECOND)
        mart.build(*(f"+{model}" for model in MODELS))
        create_as_of_views(warehouse, builder.EVERY_REPORT, home.directory("dbt") / "target" / "manifest.json", MODELS[:5])
        clock = PinnedClock(TODAY, datetime.now(UTC))
        yield Agency(mart, MetricDoor(warehouse, clock, catalogue), _frame(restated), _frame(before))
    Warehouse.stop(home)


def roubles(currency: str, day: date) -> Decimal:
    """Say what a unit costs in roubles on a day; weekends take Friday's rate."""
    if currency == "RUB":
        return Decimal(1)
    number = (day - timedelta(days=max(0, day.weekday() - 4))).toordinal()
    return {"USD": Decimal("90.1234"), "EUR": Decimal("98.4321")}[currency] + Decimal(number % 17) / 8


def per_euro(day: date) -> Decimal:
    """Say how many dollars a euro buys on a weekday."""
    return Decimal("1.0800") + Decimal(day.toordinal() % 13) / 1000


def _load_rates(mart: Any) -> None:
    """Load both banks' rates: the rouble's in dollars and euros, and a nominal of 100 for the yen, which was quoted once only."""
    days = [RATES_SINCE + timedelta(days=n) for n in range((UNTIL - RATES_SINCE).days + 1)]
    weekdays = [day for day in days if day.weekday() < 5]
    window = (RATES_SINCE, UNTIL)
    ids = {"USD": "R01235", "EUR": "R01239"}
    quotes = [{"date": d, "currency_id": i, "char_code": c, "nominal": 1, "value": roubles(c, d)} for d in weekdays for c, i in ids.items()]
    quotes.append({"date": date(2024, 2, 20), "currency_id": "R01820", "char_code": "JPY", "nominal": 100, "value": Decimal("61.5000")})
    mart.load("raw_fx__cbr_rates", "-", quotes, window, organization="-", at=FIRST)
    mart.load("raw_fx__ecb_rates", "-", [{"date": d, "currency": "USD", "rate": per_euro(d)} for d in weekdays], window, organization="-", at=FIRST)


def _facts(organization: str) -> Iterator[dict[str, Any]]:
    """Yield every ad day, and campaign days without ads: in the same campaign and in a campaign of their own."""
    dice = random.Random(organization)
    accounts = (("google_ads", "g1", "EUR"), ("google_ads", "g2", "USD"), ("meta_ads", "m1", "EUR"), ("yandex_direct", "y1", "RUB"))
    for platform, account, currency in accounts:
        entities = [(f"{account}-c{n % 3}", f"{account}-g{n % 4}", f"{account}-a{n}") for n in range(6)]
        entities += [] if platform == "meta_ads" else [(f"{account}-c0", "", ""), (f"{account}-pmax", "", "")]
        for day in range((UNTIL - SINCE).days + 1):
            for number, (campaign, group, ad) in enumerate(entities):
                if dice.random() < 0.3:
                    continue
                clicks = dice.choice((0, 0, 1, dice.randrange(50)))
                yield {
                    "organization": organization,
                    "platform": platform,
                    "account": account,
                    "currency": currency,
                    "campaign": campaign,
                    "campaign_name": NAMES[number % len(NAMES)] if number < 3 else campaign,
                    "ad_group": group,
                    "ad": ad,
                    "date": SINCE + timedelta(days=day),
                    "impressions": clicks * 10 + dice.randrange(2),
                    "clicks": clicks,
                    "spend": Decimal(dice.randrange(100_000)) / 100,
                    "conversions": Decimal(dice.randrange(3)) if platform == "meta_ads" else Decimal(dice.randrange(3_000_000)) / 1_000_000,
                    "conversions_value": Decimal(dice.randrange(10_000)) / 100,
                }


def _frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema_overrides={name: pl.Decimal(38, 6) for name in MEASURES[2:]}, infer_schema_length=None)
    days = pl.DataFrame(
        [
            {"platform": platform, "account": account, "date": SINCE + timedelta(days=n), "project": project}
            for project, _, platform, account, since, until in PROJECTS
            for n in range((UNTIL - SINCE).days + 1)
            if since <= SINCE + timedelta(days=n) <= (until or date.max)
        ]
    )
    return frame.join(days, on=["platform", "account", "date"], how="left")


def _load(mart: Any, facts: Sequence[dict[str, Any]], at: datetime) -> None:
    """Load facts as the three levels of their platforms' reports."""
    accounts = sorted({(row["organization"], row["platform"], row["account"]) for row in facts})
    for organization, platform, account in accounts:
        mine = [row for row in facts if (row["organization"], row["platform"], row["account"]) == (organization, platform, account)]
        day = (at.date(), at.date())
        snapshot = {"id": account, "descriptive_name": account, "account_id": account, "name": account, "Login": account, "ClientInfo": account}
        snapshot |= dict.fromkeys(("currency_code", "currency", "Currency"), mine[0]["currency"])
        snapshot |= dict.fromkeys(("time_zone", "timezone_name", "Timezone"), "Europe/Berlin")
        mart.load(f"raw_{platform}__accounts", account, [snapshot], day, organization=organization, at=at)
        for report, keys in (("account_daily", ()), ("campaign_daily", ("campaign",)), ("ad_daily", ("campaign", "ad_group", "ad"))):
            kept = [row for row in mine if report != "ad_daily" or row["ad"]]
            rows = [_raw(row) for row in _summed(kept, ("date", *keys))]
            mart.load(f"raw_{platform}__{report}", account, rows, (SINCE, UNTIL), organization=organization, at=at)


def _summed(rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        kept = sums.setdefault(tuple(row[key] for key in keys), {**row, **dict.fromkeys(MEASURES, 0)})
        for measure in MEASURES:
            kept[measure] += row[measure]
    return list(sums.values())


def _raw(row: dict[str, Any]) -> dict[str, Any]:
    """Give one row the columns of every platform; each report takes its own."""
    tiers = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
    said = {measure: json.dumps([{"action_type": tier, "value": str(row[measure])} for tier in tiers]) for measure in MEASURES[3:]}
    if row["ad"].endswith(FILMS):
        watched = [{"action_type": "video_view", "value": str(row["impressions"] // 3)}]
        said["conversions"] = json.dumps([*json.loads(said["conversions"]), *watched])
    columns: dict[str, Any] = {"IncludeVAT": "NO", "actions": said["conversions"], "action_values": said["conversions_value"]}
    columns |= dict.fromkeys(("segments_date", "date_start", "Date"), row["date"])
    columns |= dict.fromkeys(("customer_currency_code", "account_currency"), row["currency"])
    columns |= dict.fromkeys(("campaign_id", "CampaignId"), row["campaign"]) | dict.fromkeys(("campaign_name", "CampaignName"), row["campaign_name"])
    columns |= dict.fromkeys(("ad_group_id", "adset_id", "AdGroupId", "ad_group_name", "adset_name", "AdGroupName"), row["ad_group"])
    columns |= dict.fromkeys(("ad_group_ad_ad_id", "ad_id", "AdId", "ad_group_ad_ad_name", "ad_name"), row["ad"])
    columns |= dict.fromkeys(("metrics_impressions", "impressions", "Impressions"), row["impressions"])
    columns |= dict.fromkeys(("metrics_clicks", "clicks", "Clicks"), row["clicks"])
    columns |= {"reach": row["impressions"] // 2}
    if row["ad"].endswith(FILMS) and row["date"] >= THRUPLAYS_SINCE:
        columns |= {"video_thruplay_watched_actions": json.dumps([{"action_type": "video_view", "value": str(row["impressions"] // 12)}])}
    columns |= {"metrics_cost_micros": int(row["spend"] * 1_000_000), "spend": row["spend"], "Cost": row["spend"]}
    columns |= dict.fromkeys(("metrics_conversions", "Conversions"), row["conversions"])
    columns |= dict.fromkeys(("metrics_conversions_value", "Revenue"), row["conversions_value"])
    return columns


def _load_kag(mart: Any, fixtures: Path) -> None:
    """Load the known Facebook file, where it is at hand, as an organization of its own."""
    path = fixtures / "datasets" / "kag_facebook" / "kag.dataset.csv"
    if not path.exists():
        return
    kinds = {"impressions": int, "clicks": int, "spend": Decimal, "conversions": Decimal, "conversions_value": Decimal, "date": date.fromisoformat}
    with path.open(newline="") as file:
        rows = [{name: kinds.get(name, str)(value) for name, value in line.items()} for line in csv.DictReader(file)]
    facts = [
        {**row, "organization": "kag", "account": row["account_id"], "campaign": row["campaign_id"], "ad_group": row["ad_group_id"], "ad": row["ad_id"]}
        for row in rows
    ]
    window = (date(2023, 8, 1), date(2023, 8, 31))
    for report, keys in (("account_daily", ()), ("campaign_daily", ("campaign",)), ("ad_daily", ("campaign", "ad_group", "ad"))):
        mart.load(f"raw_meta_ads__{report}", facts[0]["account"], [_raw(row) for row in _summed(facts, ("date", *keys))], window, organization="kag", at=FIRST)
