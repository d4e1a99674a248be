"""The ledger of a report: every fact once, measured ones with their question, derived ones with their operation."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from analyst.door import Inquiry, Row, matches, number
from analyst.operations import compute
from domain.errors import DataQualityError
from domain.facts import Fact
from domain.questions import Question

MONEY = frozenset({"spend", "conversions_value", "cpc", "cpm", "cpa"})
RATES = frozenset({"ctr", "cvr", "roas"})


def unit_of(metric: str) -> str:
    """Return a metric's unit: money, ratio, number (conversions may be fractional) or count."""
    if metric in MONEY:
        return "money"
    if metric in RATES:
        return "ratio"
    return "number" if metric == "conversions" else "count"


class Ledger:
    """Mints facts with ids f1, f2, … in the order of asking; the same number is never minted twice."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._facts: dict[str, Fact] = {}
        self._minted: dict[object, str] = {}

    @property
    def facts(self) -> Mapping[str, Fact]:
        """Return the facts by id."""
        return self._facts

    def measured(self, question: Question, metric: str, filters: Mapping[str, str]) -> Fact:
        """Mint the fact that the answer's row with these dimensions gives.

        An additive metric of a row that is absent is zero, since nothing was delivered; a ratio has no value then.
        """
        key = (question, metric, tuple(sorted(filters.items())))
        if key not in self._minted:
            answer = self._inquiry.ask(question)
            self._mint(
                key,
                metric=metric,
                value=measured_value(answer.rows, metric, filters),
                unit=unit_of(metric),
                currency=filters.get("currency", "") if unit_of(metric) == "money" else "",
                since=question.since,
                until=question.until,
                filters=dict(filters),
                question=question,
                scope=self._inquiry.scope,
                query_hash=answer.query_hash,
                data_version=answer.data_version,
                row_count=len(answer.rows),
            )
        return self._facts[self._minted[key]]

    def derived(self, operation: str, inputs: Iterable[Fact], *, metric: str, unit: str, subject: Fact | None = None) -> Fact:
        """Mint the result of an operation. It stands for the period and entity of `subject`, or of the first input."""
        facts = list(inputs)
        about = subject or facts[0]
        key = (operation, tuple(fact.id for fact in facts))
        if key not in self._minted:
            self._mint(
                key,
                metric=metric,
                value=compute(operation, [fact.value for fact in facts]),
                unit=unit,
                currency=about.filters.get("currency", "") if unit == "money" else "",
                since=about.since,
                until=about.until,
                filters=about.filters,
                scope=self._inquiry.scope,
                operation=operation,
                inputs=tuple(fact.id for fact in facts),
                data_version=about.data_version,
                row_count=sum(fact.row_count for fact in facts),
            )
        return self._facts[self._minted[key]]

    def change(self, now: Fact, before: Fact) -> tuple[Fact, Fact]:
        """Mint the difference (points for CTR and CVR) and the relative change (a percent; without a value where the base is zero)."""
        unit = now.unit if now.unit != "ratio" else "number" if now.metric == "roas" else "points"
        difference = self.derived("diff", [now, before], metric=now.metric, unit=unit)
        return difference, self.derived("ratio", [difference, before], metric=now.metric, unit="percent", subject=now)

    def reachable(self, ids: Iterable[str]) -> list[Fact]:
        """Return the facts with these ids and everything that they were derived from, in the order of minting."""
        wanted: set[str] = set()
        waiting = list(ids)
        while waiting:
            fact = self._facts[waiting.pop()]
            if fact.id not in wanted:
                wanted.add(fact.id)
                waiting.extend(fact.inputs)
        return [fact for fact in self._facts.values() if fact.id in wanted]

    def _mint(self, key: object, **fields: object) -> None:
        fact = Fact.model_validate({"id": f"f{len(self._facts) + 1}", **fields})
        self._facts[fact.id] = fact
        self._minted[key] = fact.id


def measured_value(rows: Iterable[Row], metric: str, filters: Mapping[str, str]) -> Decimal | None:
    """Find the one row that the filters name and return its metric.

    Raises DataQualityError where several rows answer to the same name.
    """
    found = [row for row in rows if matches(row, filters)]
    if len(found) > 1:
        raise DataQualityError(f"The metric door answered {len(found)} rows for one {', '.join(filters.values())}", fix="This is a fault of ours: report it")
    if not found:
        return None if unit_of(metric) == "ratio" or metric in {"cpc", "cpm", "cpa"} else Decimal(0)
    return number(found[0][metric])
