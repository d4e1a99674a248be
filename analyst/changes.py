"""What changed beyond the usual: every test of a report, and the changes that hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from analyst.decomposition import RATIOS
from analyst.panel import Entity, Panel, Parts
from analyst.significance import LEAST_CHANGE, discoveries, judge

LEAST_SHARE = Decimal("0.05")
"""An entity below this part of its currency's spend, in both periods, is not tested."""
TESTED = ("spend", "conversions", "cpa", "roas", "cvr", "cpc", "ctr")
WEIGHTS: Mapping[str, float] = {"cpa": 1.0, "roas": 0.98, "conversions": 0.95, "spend": 0.9, "cvr": 0.75, "cpc": 0.7, "ctr": 0.6}
MOST_FINDINGS = 6
"""Per currency."""


@dataclass(frozen=True)
class Change:
    """One entity's metric that moved: `metric` is a tested one, or `started` / `stopped` for a campaign."""

    entity: Entity
    metric: str
    size: float
    """The relative change; 1 for a start, −1 for a stop."""
    importance: float


@dataclass(frozen=True)
class Tests:
    """The changes that hold, most important first, and how many tests were made."""

    changes: list[Change]
    made: int


def find_changes(panel: Panel, currencies: list[str]) -> Tests:
    """Test every entity of weight and every metric; Benjamini–Hochberg runs over all currencies together."""
    tested: list[tuple[Change, float]] = []
    certain: list[Change] = []
    for currency in currencies:
        for entity in _weighty(panel, currency):
            turned = _started_or_stopped(panel, entity)
            if turned:
                certain.append(turned)
            else:
                tested += _tests(panel, entity)
    holds = discoveries([p for _, p in tested])
    found = certain + [change for (change, _), kept in zip(tested, holds, strict=True) if kept and abs(change.size) >= LEAST_CHANGE]
    return Tests(_ordered(found), len(tested))


def share(panel: Panel, entity: Entity) -> Decimal:
    """Return the entity's part of its currency's spend, the larger of the two periods."""
    total = Entity("total", (entity.currency,))
    parts = []
    for window in (panel.window, panel.compared):
        whole = panel.parts(total, window)["spend"]
        parts.append(panel.parts(entity, window)["spend"] / whole if whole else Decimal(0))
    return max(parts)


def value_of(metric: str, parts: Parts) -> Decimal | None:
    """Return a metric from its additive parts; None without a denominator."""
    if metric not in RATIOS:
        return parts[metric]
    numerator, denominator = RATIOS[metric]
    return parts[numerator] / parts[denominator] if parts[denominator] else None


def _weighty(panel: Panel, currency: str) -> list[Entity]:
    """Return the total, the platforms where there are several, and the campaigns, each of weight."""
    platforms = panel.entities("platform", currency)
    found = panel.entities("total", currency) + (platforms if len(platforms) > 1 else [])
    campaigns = panel.entities("campaign", currency)
    found += campaigns if len(campaigns) > 1 else []
    return [entity for entity in found if share(panel, entity) >= LEAST_SHARE]


def _started_or_stopped(panel: Panel, entity: Entity) -> Change | None:
    """Name a campaign that had no spend at all in one of the two periods."""
    now, before = panel.parts(entity, panel.window)["spend"], panel.parts(entity, panel.compared)["spend"]
    if entity.level != "campaign" or bool(now) == bool(before):
        return None
    return Change(entity, "started" if now else "stopped", 1.0 if now else -1.0, 0.8 * float(share(panel, entity)))


def _tests(panel: Panel, entity: Entity) -> list[tuple[Change, float]]:
    days = panel.window.days
    now, before = panel.parts(entity, panel.window), panel.parts(entity, panel.compared)
    daily = panel.daily(entity)
    found = []
    for metric in TESTED:
        end, start = value_of(metric, now), value_of(metric, before)
        verdict = judge(daily, metric, days) if end is not None and start else None
        if verdict is None or end is None or not start:
            continue
        size = float(end / start - 1)
        weight = WEIGHTS[metric] * float(share(panel, entity)) * min(1.0, abs(size))
        found.append((Change(entity, metric, size, weight), verdict.p_value))
    return found


def _ordered(changes: list[Change]) -> list[Change]:
    """Order by importance; of one entity keep one volume and one efficiency change; cut per currency."""
    kept: list[Change] = []
    seen: set[tuple[Entity, str]] = set()
    count: dict[str, int] = {}
    rank = {"total": 0, "platform": 1, "campaign": 2}
    for change in sorted(changes, key=lambda c: (-c.importance, rank[c.entity.level], TESTED.index(c.metric) if c.metric in TESTED else 0, c.entity.key)):
        family = change.metric if change.metric in {"spend", "conversions"} else "efficiency" if change.metric in TESTED else "life"
        covered = any(_covers(other, change) for other in kept)
        currency = change.entity.currency
        if (change.entity, family) in seen or covered or count.get(currency, 0) >= MOST_FINDINGS:
            continue
        seen.add((change.entity, family))
        count[currency] = count.get(currency, 0) + 1
        kept.append(change)
    return kept


def _covers(larger: Change, smaller: Change) -> bool:
    """Say whether a finding about a whole already tells what its only mover did: same metric, same direction, nearly all of it."""
    inside = smaller.entity.key[: len(larger.entity.key)] == larger.entity.key and smaller.entity.key != larger.entity.key
    return inside and larger.metric == smaller.metric and (larger.size > 0) == (smaller.size > 0) and smaller.importance >= 0.8 * larger.importance
