"""What changed beyond the usual: every test of a report, and the changes that hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from analyst.decomposition import RATIOS, rate_and_mix
from analyst.panel import DIMENSIONS, LEAST_SHARE, Entity, Panel, Parts
from analyst.significance import LEAST_CHANGE, discoveries, judge

TESTED = ("spend", "conversions", "cpa", "roas", "cvr", "cpc", "ctr")
WEIGHTS: Mapping[str, float] = {"cpa": 1.0, "roas": 0.98, "conversions": 0.95, "spend": 0.9, "cvr": 0.75, "cpc": 0.7, "ctr": 0.6}
EFFICIENCY = ("cpa", "roas", "cvr", "cpc", "ctr")
HEADLINES = frozenset({"spend", "conversions", "cpa", "roas"})
MOSTLY = 0.8
"""From this part of a change on, one entity tells it alone."""
LEAST_IMPORTANCE = 0.01
MOST_FINDINGS = 6
"""Per currency."""


@dataclass(frozen=True)
class Change:
    """One entity's metric that moved: `metric` is a tested one, or `started` / `stopped` for a platform or campaign."""

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
    sure = [change for (change, _), kept in zip(tested, holds, strict=True) if kept and abs(change.size) >= LEAST_CHANGE]
    found = certain + [change for change in sure if change.importance >= LEAST_IMPORTANCE]
    return Tests(_ordered(panel, found), len(tested))


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
    return [entity for entity in found if panel.share(entity) >= LEAST_SHARE]


def _started_or_stopped(panel: Panel, entity: Entity) -> Change | None:
    """Name a platform or campaign that had no spend at all in one of the two periods."""
    now, before = panel.parts(entity, panel.window)["spend"], panel.parts(entity, panel.compared)["spend"]
    if entity.level == "total" or bool(now) == bool(before):
        return None
    return Change(entity, "started" if now else "stopped", 1.0 if now else -1.0, 0.8 * float(panel.share(entity)))


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
        weight = WEIGHTS[metric] * float(panel.share(entity)) * min(1.0, abs(size))
        found.append((Change(entity, metric, size, weight), verdict.p_value))
    return found


def _ordered(panel: Panel, changes: list[Change]) -> list[Change]:
    """Order by importance what is left when each thing is said once; cut per currency."""
    told = _one_voice(changes)
    told = [change for change in told if not any(_tells(panel, other, change) for other in told if other is not change)]
    rank = {level: place for place, level in enumerate(DIMENSIONS)}
    kept: list[Change] = []
    for change in sorted(told, key=lambda c: (-c.importance, rank[c.entity.level], c.metric, c.entity.key)):
        if sum(other.entity.currency == change.entity.currency for other in kept) < MOST_FINDINGS:
            kept.append(change)
    return kept


def _one_voice(changes: list[Change]) -> list[Change]:
    """Keep of each entity its spend (or, where its price of a conversion stands, its conversions) and one efficiency change."""
    kept = []
    for entity in dict.fromkeys(change.entity for change in changes):
        found = {change.metric: change for change in changes if change.entity == entity}
        efficiency = next((found[metric] for metric in EFFICIENCY if metric in found), None)
        volume = found.get("spend") or (None if efficiency else found.get("conversions"))
        kept += [change for change in (found.get("started"), found.get("stopped"), volume, efficiency) if change]
    return kept


def _tells(panel: Panel, other: Change, change: Change) -> bool:
    """Say whether another finding tells this one already.

    A headline (spend, conversions, CPA or ROAS of a currency) names the part that moved it. Below it the smaller entity speaks:
    a campaign for its platform, and whatever started, stopped or moved for the ratios that are quiet without it.
    """
    if other.entity == change.entity or other.entity.level == change.entity.level:
        return False
    outer, inner = (other, change) if len(other.entity.key) < len(change.entity.key) else (change, other)
    if inner.entity.key[: len(outer.entity.key)] != outer.entity.key:
        return False
    same = other.metric == change.metric and (other.size > 0) == (change.size > 0) and explained(panel, outer, inner) >= MOSTLY
    if outer.entity.level == "total" and outer.metric in HEADLINES:
        return same and change is inner
    return change is outer and (same or (outer.metric in RATIOS and quiet_without(panel, outer, inner.entity)))


def quiet_without(panel: Panel, outer: Change, entity: Entity) -> bool:
    """Say whether a whole's ratio would hardly have changed without one of its entities."""
    values = []
    for window in (panel.window, panel.compared):
        whole, part = panel.parts(outer.entity, window), panel.parts(entity, window)
        values.append(value_of(outer.metric, {measure: whole[measure] - part[measure] for measure in whole}))
    now, before = values
    if now is None or not before:
        return False
    rest = abs(float(now / before - 1))
    return rest < LEAST_CHANGE and rest < abs(outer.size) / 2


def explained(panel: Panel, outer: Change, inner: Change) -> float:
    """Return which part of a whole's change one of its entities made; 1 for starts and stops of a platform's only campaign."""
    metric = outer.metric if outer.metric in TESTED else "spend"
    inside = [e for e in panel.entities(inner.entity.level, inner.entity.currency) if e.key[: len(outer.entity.key)] == outer.entity.key]
    top, bottom = RATIOS.get(metric, (metric, ""))
    now, before = ({e: panel.parts(e, window) for e in inside} for window in (panel.window, panel.compared))
    if not bottom:
        whole = sum(now[e][top] - before[e][top] for e in inside)
        return float((now[inner.entity][top] - before[inner.entity][top]) / whole) if whole else 0.0
    effects = rate_and_mix({e: (p[top], p[bottom]) for e, p in now.items()}, {e: (p[top], p[bottom]) for e, p in before.items()})
    whole = sum((effect.rate + effect.mix for effect in effects.values()), Decimal(0)) if effects else Decimal(0)
    return float(effects[inner.entity].rate / whole) if effects and whole else 0.0
