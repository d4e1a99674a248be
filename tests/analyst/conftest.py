"""A scripted metric door over rows in memory, and a seeded generator of agencies with known truth."""

import hashlib
import math
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.clock import PinnedClock
from domain.questions import Answer, AnswerColumn, Freshness, Question, Scope

MEASURES = ("spend", "impressions", "clicks", "conversions", "conversions_value")
UNTIL = date(2026, 10, 31)
Row = dict[str, object]


@dataclass
class ScriptedDoor:
    """Answers from a list of campaign-day rows, as the warehouse's door does; counts what it was asked."""

    rows: list[Row]
    data_through: date = UNTIL
    version: int = 7
    asked: list[Question] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)
    tamper: dict[str, Decimal] = field(default_factory=dict)
    """Metric → what is added to its answers from the `tamper_after`-th question on."""
    tamper_after: int = 0
    move_after: int = 0
    """The data version moves on after this many questions; 0 never."""

    def ask(self, scope: Scope, question: Question) -> Answer:
        self.asked.append(question)
        self.scopes.add(scope.organization_id)
        if self.move_after and len(self.asked) == self.move_after:
            self.version += 1
        groups: dict[tuple[object, ...], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(MEASURES, Decimal(0)))
        names: dict[tuple[object, ...], object] = {}
        for row in self.rows:
            wanted = all(str(row[f.dimension]) in f.values for f in question.where)
            if wanted and question.since <= row["date"] <= question.until:
                key = tuple(row[d] for d in question.by)
                names[key] = row["campaign_name"]
                for measure in MEASURES:
                    groups[key][measure] += row[measure]
        rows = [self._row(question, key, sums, names[key]) for key, sums in groups.items()]
        text = f"select {question.metrics} by {question.by} {question.since} {question.until}"
        columns = [AnswerColumn(name=d, kind="dimension") for d in question.by] + [AnswerColumn(name=m, kind="metric") for m in question.metrics]
        fresh = [Freshness(platform=p, data_through=self.data_through, observed_at=None) for p in sorted({str(r["platform"]) for r in self.rows})]
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return Answer(columns=columns, rows=rows, data_version=self.version, freshness=fresh, warnings=[], sql=text, query_hash=digest)

    def _row(self, question: Question, key: tuple[object, ...], sums: dict[str, Decimal], name: object) -> Row:
        row: Row = dict(zip(question.by, key, strict=True))
        if "campaign" in question.by:
            row["campaign_name"] = name
        for metric in question.metrics:
            row[metric] = _metric(metric, sums)
            if metric in self.tamper and len(self.asked) >= self.tamper_after and row[metric] is not None:
                row[metric] += self.tamper[metric]
        return row


def _metric(metric: str, s: dict[str, Decimal]) -> Decimal | None:
    if metric in s:
        return s[metric]
    top, bottom, factor = {
        "ctr": ("clicks", "impressions", 1),
        "cpc": ("spend", "clicks", 1),
        "cpm": ("spend", "impressions", 1000),
        "cvr": ("conversions", "clicks", 1),
        "cpa": ("spend", "conversions", 1),
        "roas": ("conversions_value", "spend", 1),
    }[metric]
    return (factor * s[top] / s[bottom]).quantize(Decimal("1e-12")) if s[bottom] else None


@dataclass
class Campaign:
    """One campaign of the generator."""

    name: str
    platform: str = "google_ads"
    currency: str = "RUB"
    spend: float = 3000.0
    cpc: float = 25.0
    ctr: float = 0.02
    cvr: float = 0.05
    value: float = 1500.0
    noise: float = 0.15
    carry: float = 0.0
    """Autocorrelation of the daily noise."""


@dataclass
class Planted:
    """From `since` on, a campaign's parameter is multiplied; factor 0 on spend ends it. `until` bounds it for starts."""

    campaign: str
    parameter: str
    factor: float
    since: date
    until: date = UNTIL


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def generate(campaigns: list[Campaign], *, seed: int, days: int = 224, planted: tuple[Planted, ...] = ()) -> list[Row]:
    rng = random.Random(seed)
    weekday = [math.exp(rng.gauss(0, 0.2)) for _ in range(7)]
    rows: list[Row] = []
    for number, campaign in enumerate(campaigns, 1):
        states = dict.fromkeys(("spend", "cpc", "ctr", "cvr"), 0.0)
        for back in range(days - 1, -1, -1):
            day = UNTIL - timedelta(days=back)
            level = {p: getattr(campaign, p) for p in (*states, "value")}
            for plant in planted:
                if plant.campaign == campaign.name and plant.since <= day <= plant.until:
                    level[plant.parameter] *= plant.factor
            for parameter, size in (("spend", 1.0), ("cpc", 0.5), ("ctr", 0.5), ("cvr", 0.5)):
                states[parameter] = campaign.carry * states[parameter] + math.sqrt(1 - campaign.carry**2) * rng.gauss(0, campaign.noise * size)
                level[parameter] *= math.exp(states[parameter])
            if level["spend"] <= 0:
                continue
            spend = level["spend"] * weekday[day.weekday()]
            clicks = poisson(rng, spend / level["cpc"])
            conversions = poisson(rng, clicks * level["cvr"])
            rows.append(
                {
                    "date": day,
                    "platform": campaign.platform,
                    "currency": campaign.currency,
                    "account": f"{campaign.platform}-1",
                    "campaign": str(1000 + number),
                    "campaign_name": campaign.name,
                    "spend": Decimal(f"{spend:.2f}"),
                    "impressions": Decimal(clicks + poisson(rng, clicks / level["ctr"])),
                    "clicks": Decimal(clicks),
                    "conversions": Decimal(conversions),
                    "conversions_value": Decimal(f"{sum(level['value'] * math.exp(rng.gauss(0, 0.3)) for _ in range(conversions)):.2f}"),
                }
            )
    return rows


def usual_campaigns() -> list[Campaign]:
    return [
        Campaign("Бренд | Поиск", "yandex_direct", spend=4000),
        Campaign("Generic search", "google_ads", spend=6000, cvr=0.04),
        Campaign("Performance Max", "google_ads", spend=3500, cvr=0.03),
        Campaign("Prospecting – lookalike", "meta_ads", spend=5000, cvr=0.02, ctr=0.01),
        Campaign("Retargeting 30 days", "meta_ads", spend=2500, cvr=0.06, ctr=0.015),
    ]


@dataclass(frozen=True)
class Kit:
    """What tests of the analyst share: classes and functions of this file, a scope and a clock."""

    door = ScriptedDoor
    campaign = Campaign
    planted = Planted
    generate = staticmethod(generate)
    usual = staticmethod(usual_campaigns)
    scope = Scope(organization_id="org", project_ids=("p1",))
    clock = PinnedClock(UNTIL + timedelta(days=1), datetime.now(UTC))
    until = UNTIL
    since = UNTIL - timedelta(days=27)


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()
