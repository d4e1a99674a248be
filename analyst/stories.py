"""From a change to its facts: how large, what it was made of, and which entities moved it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from analyst.changes import Change
from analyst.decomposition import FORMULAS, RATIOS, lmdi, rate_and_mix
from analyst.ledger import Ledger
from analyst.operations import measures_of
from analyst.panel import DIMENSIONS, Entity, Panel
from domain.errors import DataQualityError
from domain.facts import Fact
from domain.windows import DateWindow

MOST_DRIVERS = 3
BESIDE: Mapping[str, tuple[str, ...]] = {
    "spend": ("conversions", "cpa"),
    "conversions": ("spend", "cpa"),
    "cpa": ("spend", "conversions"),
    "roas": ("spend", "conversions_value"),
    "cpc": ("clicks", "cpa"),
    "cvr": ("conversions", "cpa"),
    "ctr": ("clicks", "cpc"),
}
LEAST_PART = Decimal("0.15")
"""A driver below this part of the change is not named."""


@dataclass(frozen=True)
class Story:
    """A change with its facts, ready to be worded."""

    change: Change
    metric: str
    now: Fact
    before: Fact
    difference: Fact
    percent: Fact
    drivers: list[Fact] = field(default_factory=list)
    """Additive metrics: what entities added to the change."""
    factors: list[tuple[str, Fact]] = field(default_factory=list)
    """Ratio metrics: factor name and its exact LMDI part of the change."""
    rates: list[Fact] = field(default_factory=list)
    """Ratio metrics: what entities' own rates added."""
    mixes: list[Fact] = field(default_factory=list)
    """Ratio metrics: what entities' shares added."""
    beside: list[tuple[Fact, Fact]] = field(default_factory=list)
    """What went along: another metric of the same entity, and its relative change."""

    @property
    def facts(self) -> list[Fact]:
        """Return every fact that the story may tell, in order."""
        found = [self.now, self.before, self.difference, self.percent, *self.drivers, *(f for _, f in self.factors), *self.rates, *self.mixes]
        return found + [fact for pair in self.beside for fact in pair]


class Storyteller:
    """Mints the facts of stories."""

    def __init__(self, panel: Panel, ledger: Ledger) -> None:
        self.panel = panel
        self.ledger = ledger

    def fact(self, entity: Entity, metric: str, window: DateWindow) -> Fact:
        """Mint an entity's metric in a window, as the door gave it."""
        return self.ledger.measured(self.panel.question(entity.level, window), metric, entity.filters)

    def pair(self, entity: Entity, metric: str) -> tuple[Fact, Fact]:
        """Mint an entity's metric now and before."""
        return self.fact(entity, metric, self.panel.window), self.fact(entity, metric, self.panel.compared)

    def tell(self, change: Change) -> Story:
        """Mint everything that is known about a change."""
        metric = "spend" if change.metric in {"started", "stopped"} else change.metric
        now, before = self.pair(change.entity, metric)
        difference, percent = self.ledger.change(now, before)
        if change.metric in {"started", "stopped"}:
            return Story(change, metric, now, before, difference, percent)
        beside = self._beside(change.entity, metric)
        if metric in RATIOS:
            rates, mixes = self._rates_and_mixes(change.entity, metric)
            factors = self._factors(change.entity, metric)
            return Story(change, metric, now, before, difference, percent, factors=factors, rates=rates, mixes=mixes, beside=beside)
        return Story(change, metric, now, before, difference, percent, drivers=self._drivers(change.entity, metric, difference), beside=beside)

    def contribution(self, entity: Entity, metric: str) -> Fact:
        """Mint what an entity added to the change of an additive metric."""
        return self.ledger.derived("decomposition:additive", self.pair(entity, metric), metric=metric, unit=self.fact(entity, metric, self.panel.window).unit)

    def parts_of(self, whole: Entity) -> tuple[list[Entity], str]:
        """Return what a total or platform is made of: platforms where there are several, else campaigns; and the level's name."""
        for level in ("platform", "campaign"):
            width = len(whole.key)
            inside = [e for e in self.panel.entities(level, whole.currency) if e.key[:width] == whole.key]
            if len(DIMENSIONS[level]) > len(DIMENSIONS[whole.level]) and len(inside) > 1:
                return inside, level
        return [], ""

    def _beside(self, entity: Entity, metric: str) -> list[tuple[Fact, Fact]]:
        """Mint what a reader asks next: conversions and their price beside spend, spend and conversions beside a price."""
        found = []
        for other in BESIDE.get(metric, ()):
            now, before = self.pair(entity, other)
            percent = self.ledger.change(now, before)[1]
            if now.value is not None and percent.value is not None:
                found.append((now, percent))
        return found

    def _drivers(self, whole: Entity, metric: str, difference: Fact) -> list[Fact]:
        """Name the parts that moved an additive metric, after proving that all parts sum to the change."""
        parts, level = self.parts_of(whole)
        if not parts or not difference.value:
            return []
        moved = {part: self.panel.parts(part, self.panel.window)[metric] - self.panel.parts(part, self.panel.compared)[metric] for part in parts}
        residual = difference.value - sum(moved.values(), Decimal(0))
        if residual:
            raise DataQualityError(
                f"The change of {metric} in {whole.currency} is {difference.value}, its parts by {level} leave {residual} unexplained",
                fix="Rebuild the marts: ./run sync, then ask for the report again",
            )
        return [self.contribution(part, metric) for part in _largest(parts, lambda part: moved[part], difference.value)]

    def _factors(self, entity: Entity, metric: str) -> list[tuple[str, Fact]]:
        """Mint the LMDI parts of a ratio's change; their sum is proved against the change of the exact ratio."""
        if metric not in FORMULAS:
            return []
        now, before = self.panel.parts(entity, self.panel.window), self.panel.parts(entity, self.panel.compared)
        if lmdi(metric, now, before) is None:
            return []
        names = measures_of(metric)
        inputs = [self.fact(entity, name, window) for window in (self.panel.window, self.panel.compared) for name in names]
        unit = "money" if metric in {"cpa", "cpc"} else "number"
        subject = self.fact(entity, metric, self.panel.window)
        return [
            (factor, self.ledger.derived(f"decomposition:lmdi:{metric}:{factor}", inputs, metric=metric, unit=unit, subject=subject))
            for factor, *_ in FORMULAS[metric]
        ]

    def _rates_and_mixes(self, whole: Entity, metric: str) -> tuple[list[Fact], list[Fact]]:
        """Mint the largest rate and mix effects of the parts of a ratio."""
        parts, _ = self.parts_of(whole)
        numerator, denominator = RATIOS[metric]
        now, before = ({part: (p[numerator], p[denominator]) for part in parts if any((p := self.panel.parts(part, w)).values())} for w in self._windows)
        effects = rate_and_mix(now, before) if parts else None
        if not effects:
            return [], []
        change = sum((effect.rate + effect.mix for effect in effects.values()), Decimal(0))
        rates = _largest(parts, lambda part: effects[part].rate, change, most=2)
        mixes = _largest(parts, lambda part: effects[part].mix, change, most=1)
        return [self._effect("rate", part, whole, metric) for part in rates], [self._effect("mix", part, whole, metric) for part in mixes]

    def _effect(self, method: str, part: Entity, whole: Entity, metric: str) -> Fact:
        inputs = [fact for entity in (part, whole) for measure in RATIOS[metric] for fact in self.pair(entity, measure)]
        unit = "money" if metric in {"cpa", "cpc"} else "points" if metric in {"ctr", "cvr"} else "number"
        return self.ledger.derived(f"decomposition:{method}:{metric}", inputs, metric=metric, unit=unit)

    @property
    def _windows(self) -> tuple[DateWindow, DateWindow]:
        return self.panel.window, self.panel.compared


def _largest(parts: list[Entity], moved: Callable[[Entity], Decimal], change: Decimal, most: int = MOST_DRIVERS) -> list[Entity]:
    """Return the parts that moved most, at least one, none below `LEAST_PART` of the change."""
    ordered = sorted((part for part in parts if moved(part)), key=lambda part: (-abs(moved(part)), part.key))
    return [part for i, part in enumerate(ordered[:most]) if i == 0 or abs(moved(part)) >= LEAST_PART * abs(change)]
