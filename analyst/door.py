"""The analyst's way to numbers: questions to the metric door, all answered from one data version."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from domain.errors import Conflict
from domain.questions import Answer, Question, Scope, Value

Row = Mapping[str, Value]


class Door(Protocol):
    """Whoever answers questions about metrics: `warehouse.metrics`' door, or a scripted one in tests."""

    def ask(self, scope: Scope, question: Question) -> Answer:
        """Answer the question within the scope."""
        ...


class DataMoved(Conflict):
    """The data version changed between two questions of one report."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            f"The data moved on from version {before} to {after} while the report was being made",
            fix="Ask for the report again when the build has finished",
        )


class Inquiry:
    """Asks each question once and remembers the answer. Raises DataMoved when answers come from two data versions."""

    def __init__(self, door: Door, scope: Scope) -> None:
        self._door = door
        self.scope = scope
        self._answers: dict[Question, Answer] = {}

    def ask(self, question: Question) -> Answer:
        """Return the answer, asked at most once."""
        if question not in self._answers:
            answer = self._door.ask(self.scope, question)
            known = self.data_version
            if self._answers and answer.data_version != known:
                raise DataMoved(known, answer.data_version)
            self._answers[question] = answer
        return self._answers[question]

    @property
    def building(self) -> bool:
        """Say whether a build ran beside any answer, so that numbers may have moved within one data version."""
        return any(answer.building for answer in self._answers.values())

    def expect(self, data_version: int) -> None:
        """Raise DataMoved where the answers come from another data version than this one."""
        if self.data_version != data_version:
            raise DataMoved(data_version, self.data_version)

    @property
    def data_version(self) -> int:
        """Return the data version that every answer so far came from; 0 before the first."""
        return next((answer.data_version for answer in self._answers.values()), 0)

    @property
    def warnings(self) -> dict[str, str]:
        """Return what the door warned about, the first message of each code, in the order of asking."""
        found: dict[str, str] = {}
        for answer in self._answers.values():
            for caveat in answer.warnings:
                found.setdefault(caveat.code, caveat.message)
        return found


def number(value: Value) -> Decimal | None:
    """Read a metric's value as a Decimal; a float keeps its shortest exact print. Raises ValueError for other kinds."""
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, int | float | str):
        result = Decimal(str(value))
        return result if result.is_finite() else None
    raise ValueError(f"{value!r} is not a number")


def matches(row: Row, filters: Mapping[str, str]) -> bool:
    """Say whether a row is the one that the filters name; a campaign's name is a label and no filter."""
    return all(name in row and text(row[name]) == value for name, value in filters.items() if name != "campaign_name")


def campaign_name(row: Row) -> str:
    """Return a row's campaign name, its id where it has none."""
    return text(row.get("campaign_name")) or text(row["campaign"])


def text(value: Value) -> str:
    """Print a dimension's value; nothing prints as nothing."""
    return "" if value is None else str(value)
