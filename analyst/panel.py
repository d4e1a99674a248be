"""What a report asks: totals, platforms and campaigns of this period and the last, and their days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from analyst.door import Inquiry, Row, campaign_name, number, text
from domain.questions import Filter, Operator, Question
from domain.windows import DateWindow

MEASURES = ("spend", "impressions", "clicks", "conversions", "conversions_value")
RATIO_METRICS = ("ctr", "cpc", "cpm", "cvr", "cpa", "roas")
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "total": ("currency",),
    "platform": ("currency", "platform"),
    "campaign": ("currency", "platform", "account", "campaign"),
}
LEAST_SHARE = Decimal("0.05")
"""An entity below this part of its currency's spend, in both periods, is not tested."""
HISTORY_DAYS = 168
"""Days before the compared period that tell what is usual."""

Parts = Mapping[str, Decimal]


@dataclass(frozen=True)
class Entity:
    """One row of a level: a currency's total, a platform or a campaign."""

    level: str
    key: tuple[str, ...]
    """The values of the level's dimensions."""
    name: str = ""

    @property
    def currency(self) -> str:
        """Return the currency code."""
        return self.key[0]

    @property
    def filters(self) -> dict[str, str]:
        """Return the dimensions and the name, as facts carry them."""
        named = {"campaign_name": self.name} if self.level == "campaign" else {}
        return dict(zip(DIMENSIONS[self.level], self.key, strict=True)) | named


class Panel:
    """The answers of one report, read by entity. `window` is this period, `compared` the equal number of days before it."""

    def __init__(self, inquiry: Inquiry, window: DateWindow) -> None:
        self.inquiry = inquiry
        self.window = window
        self.compared = window.preceding()
        self._sums: dict[tuple[str, date], dict[Entity, Parts]] = {}
        self._daily: dict[str, dict[Entity, dict[str, list[float]]]] = {}
        self._names: dict[tuple[str, ...], str] = {}

    def question(self, level: str, window: DateWindow) -> Question:
        """Return the question that a level's facts of one window come from."""
        return Question(metrics=MEASURES + RATIO_METRICS, by=DIMENSIONS[level], since=window.since, until=window.until)

    def sums(self, level: str, window: DateWindow) -> Mapping[Entity, Parts]:
        """Return the additive measures of every entity that the window has."""
        key = (level, window.since)
        if key not in self._sums:
            rows = self.inquiry.ask(self.question(level, window)).rows
            self._sums[key] = {self._entity(level, row): {m: number(row[m]) or Decimal(0) for m in MEASURES} for row in rows}
        return self._sums[key]

    def entities(self, level: str, currency: str) -> list[Entity]:
        """Return the level's entities that spent or delivered in either window, the largest spend of both first."""
        now, before = self.sums(level, self.window), self.sums(level, self.compared)
        found = [e for e in {**before, **now} if e.currency == currency and any(v for period in (now, before) for v in period.get(e, {}).values())]
        return sorted(found, key=lambda e: (-self.parts(e, self.window)["spend"] - self.parts(e, self.compared)["spend"], e.key))

    def parts(self, entity: Entity, window: DateWindow) -> Parts:
        """Return an entity's additive measures in a window; zeros where it has no row."""
        return self.sums(entity.level, window).get(entity) or dict.fromkeys(MEASURES, Decimal(0))

    def currencies(self) -> list[str]:
        """Return the currencies of both windows that anything was delivered in, in alphabetical order."""
        found = {**self.sums("total", self.window), **self.sums("total", self.compared)}
        return sorted({e.currency for e in found if self.entities("total", e.currency)})

    def daily_question(self, level: str) -> Question:
        """Return the question for a level's days, history included."""
        since = self.compared.since - timedelta(days=HISTORY_DAYS)
        where = (Filter(dimension="campaign", operator=Operator.IN, values=self._weighty_campaigns()),) if level == "campaign" else ()
        return Question(metrics=MEASURES, by=(*DIMENSIONS[level], "date"), since=since, until=self.window.until, where=where)

    def share(self, entity: Entity) -> Decimal:
        """Return the entity's part of its currency's spend, the larger of the two periods."""
        parts = []
        for window in (self.window, self.compared):
            whole = self.parts(Entity("total", (entity.currency,)), window)["spend"]
            parts.append(self.parts(entity, window)["spend"] / whole if whole else Decimal(0))
        return max(parts)

    def _weighty_campaigns(self) -> tuple[str, ...]:
        """Name the campaigns whose days are worth asking for: at most some forty per currency can reach the least share."""
        found = {e.key[-1] for currency in self.currencies() for e in self.entities("campaign", currency) if self.share(e) >= LEAST_SHARE}
        return tuple(sorted(found))

    def daily(self, entity: Entity) -> Mapping[str, list[float]]:
        """Return an entity's days, history first, from the first day on which its currency delivered anything (at the latest `compared.since`)."""
        if entity.level not in self._daily:
            self._daily[entity.level] = self._read_days(entity.level)
        found = self._daily[entity.level].get(entity)
        days = (self.window.until - self.daily_question(entity.level).since).days + 1
        series = found or {measure: [0.0] * days for measure in MEASURES}
        first = next((i for i, values in enumerate(zip(*series.values(), strict=True)) if any(values)), days)
        start = min(first, days - 2 * self.window.days)
        return {measure: values[start:] for measure, values in series.items()}

    def first_day(self, currency: str) -> date | None:
        """Return the first day within reach on which the currency's total has a row."""
        rows = self.inquiry.ask(self.daily_question("total")).rows
        return min((day_of(row["date"]) for row in rows if text(row["currency"]) == currency), default=None)

    def _read_days(self, level: str) -> dict[Entity, dict[str, list[float]]]:
        question = self.daily_question(level)
        days = (question.until - question.since).days + 1
        found: dict[Entity, dict[str, list[float]]] = {}
        for row in self.inquiry.ask(question).rows:
            series = found.setdefault(self._entity(level, row), {measure: [0.0] * days for measure in MEASURES})
            place = (day_of(row["date"]) - question.since).days
            for measure in MEASURES:
                series[measure][place] += float(number(row[measure]) or 0)
        return found

    def _entity(self, level: str, row: Row) -> Entity:
        """Make the entity of a row; campaigns of one id are one entity even where they were renamed."""
        key = tuple(text(row[name]) for name in DIMENSIONS[level])
        if level != "campaign":
            return Entity(level, key)
        return Entity(level, key, self._names.setdefault(key, campaign_name(row)))


def day_of(value: object) -> date:
    """Read a date dimension's value, a date or its ISO print."""
    return value if isinstance(value, date) else date.fromisoformat(str(value))
