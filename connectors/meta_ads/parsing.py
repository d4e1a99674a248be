"""Landed bytes to typed rows: the one way, for a live pull and for a replay alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from connectors.meta_ads.columns import JSON_COLUMNS, WITHIN
from connectors.meta_ads.reports import DEFAULT_WINDOW, SHAPES, WINDOWS, row_key
from connectors.rows import drift, typed
from domain.catalogue import Account, Report

Row = Mapping[str, Any]

_ALWAYS_THERE = frozenset({"date_stop", "id", "account_id"})
"""What Meta sends unasked."""

_WINDOW_KEYS = {"value": DEFAULT_WINDOW, **{name: name for name in WINDOWS}}


@dataclass
class Notes:
    """What a person should know of the answers of a pull: fields that the catalogue lacks are kept in the landed bytes alone."""

    unknown: set[str] = field(default_factory=set)
    rows: int = 0
    _seen: set[str] = field(default_factory=set)
    _expected: set[str] = field(default_factory=set)

    def of(self, report: Report, rows: Sequence[Row]) -> None:
        """Take note of the fields of some rows."""
        fields = set().union(*rows) if rows else set()
        asked = {WITHIN[c.name][0] if c.name in WITHIN else c.name for c in report.columns} | set(SHAPES[report.name].breakdowns)
        if SHAPES[report.name].per_action:
            asked |= {"actions", "action_values"}
        self.unknown |= fields - asked - _ALWAYS_THERE
        self._seen |= fields
        self._expected = {c.name for c in report.columns if c.name.endswith("name")}
        self.rows += len(rows)

    def __str__(self) -> str:
        """Say it as the tail of a sentence, empty when there is nothing to say."""
        said = f"; fields that the catalogue does not know are kept in the bytes alone: {', '.join(sorted(self.unknown))}" if self.unknown else ""
        missing = sorted(self._expected - self._seen) if self.rows else []
        return said + (f"; fields that no row has are NULL: {', '.join(missing)}" if missing else "")


def answers(body: bytes) -> list[dict[str, Any]]:
    """Read a landed body: one answer of Meta, or the list of those that were joined into one page. Raises ValueError."""
    loaded = orjson.loads(body)
    found = loaded if isinstance(loaded, list) else [loaded]
    if not all(isinstance(one, dict) for one in found):
        raise ValueError("the body is no answer of the Graph API")
    return found


def table(report: Report, account: Account, found: Sequence[Mapping[str, Any]], notes: Notes | None = None) -> pa.Table:
    """Return the rows of one page in the report's schema; several answers hold groups of fields of the same rows.

    Raises IncompleteAnswer where a value has another type than the catalogue says.
    """
    shape = SHAPES[report.name]
    rows = list(found) if not shape.level and not shape.edge else _rows(report, account, found)
    if notes is not None:
        notes.of(report, rows)
    if shape.per_action:
        return _per_action(report, account, rows)
    columns: dict[str, list[Any] | None] = {}
    for column in report.columns:
        if column.name in WITHIN:
            outer, inner = WITHIN[column.name]
            values = [(row.get(outer) or {}).get(inner) for row in rows]
        else:
            values = [row.get(column.name) for row in rows]
        columns[column.name] = _texts(report, account, column.name, values) if column.name in JSON_COLUMNS else values
    return typed(report, account, columns, len(rows))


def _rows(report: Report, account: Account, found: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the answers' rows, joined by key where there are several answers; Meta leaves absent metrics out of a row."""
    listed = [one.get("data") for one in found]
    if not all(isinstance(data, list) and all(isinstance(row, dict) for row in data) for data in listed):
        raise drift(report, account, "data", "is no list of rows")
    if len(listed) == 1:
        return listed[0] or []
    key = row_key(SHAPES[report.name])
    joined: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in (row for data in listed for row in data or ()):
        joined.setdefault(tuple(str(row.get(k)) for k in key), {}).update(row)
    return list(joined.values())


def _texts(report: Report, account: Account, name: str, values: Iterable[Any]) -> list[str | None]:
    """Keep lists as JSON text, an absent one as NULL."""
    values = list(values)
    if any(not isinstance(v, list | None) for v in values):
        raise drift(report, account, name, "is no list of actions")
    return [None if v is None else orjson.dumps(v).decode() for v in values]


def _per_action(report: Report, account: Account, rows: Sequence[Row]) -> pa.Table:
    """Spread each row into one for each action type and attribution window that it holds a figure for."""
    own = [c.name for c in report.columns[:-4]]
    spread: dict[str, list[Any]] = {c.name: [] for c in report.columns}
    kinds, windows, counts, values = (spread[c.name] for c in report.columns[-4:])
    times: list[int] = []
    for row in rows:
        figures: dict[tuple[str, str], list[Any]] = {}
        for place, name in enumerate(("actions", "action_values")):
            for action in _actions(report, account, name, row):
                kind = action["action_type"]
                for key, value in action.items():
                    if window := _WINDOW_KEYS.get(key):
                        figures.setdefault((kind, window), [None, None])[place] = value
        times.append(len(figures))
        for (kind, window), (count, value) in figures.items():
            kinds.append(kind)
            windows.append(window)
            counts.append(count)
            values.append(value)
    for name in own:
        spread[name] = [value for row, number in zip(rows, times, strict=True) for value in (row.get(name),) * number]
    return typed(report, account, spread, len(kinds))


def _actions(report: Report, account: Account, name: str, row: Row) -> list[dict[str, Any]]:
    found = row.get(name) or []
    if not isinstance(found, list) or not all(isinstance(a, dict) and "action_type" in a for a in found):
        raise drift(report, account, name, "is no list of actions")
    return found
