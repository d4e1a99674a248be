"""Landed bytes to typed rows: the one way, for a live pull and for a replay alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.meta_ads.columns import JSON_COLUMNS, WITHIN
from connectors.meta_ads.decoding import Parts, Rows, decoded, joined
from connectors.meta_ads.reports import DEFAULT_WINDOW, SHAPES, WINDOWS, row_key
from connectors.rows import Values, drift, typed
from domain.catalogue import Account, Report

_WINDOW_KEYS = {"value": DEFAULT_WINDOW, **{name: name for name in WINDOWS}}


@dataclass
class Notes:
    """What a person should know of the answers of a pull: fields that the catalogue lacks are kept in the landed bytes alone."""

    unknown: set[str] = field(default_factory=set)
    rows: int = 0
    _seen: set[str] = field(default_factory=set)
    _expected: set[str] = field(default_factory=set)

    def of(self, report: Report, rows: Rows) -> None:
        """Take note of the fields of some rows."""
        self._expected = {c.name for c in report.columns if c.name.endswith("name")}
        self._seen |= {name for name in self._expected - self._seen if any(getattr(row, name) is not None for row in rows.rows)}
        self.unknown |= rows.unknown
        self.rows += len(rows.rows)

    def __str__(self) -> str:
        """Say it as the tail of a sentence, empty when there is nothing to say."""
        said = f"; fields that the catalogue does not know are kept in the bytes alone: {', '.join(sorted(self.unknown))}" if self.unknown else ""
        missing = sorted(self._expected - self._seen) if self.rows else []
        return said + (f"; fields that no row has are NULL: {', '.join(missing)}" if missing else "")


def table(report: Report, account: Account, found: Sequence[Parts], notes: Notes | None = None) -> pa.Table:
    """Return the rows of one page in the report's schema; several answers hold groups of fields of the same rows.

    Raises IncompleteAnswer where a value has another type than the catalogue says.
    """
    shape = SHAPES[report.name]
    page = joined(row_key(shape) if shape.level else report.key, [decoded(report, account, parts) for parts in found])
    if notes is not None:
        notes.of(report, page)
    rows = page.rows
    if shape.per_action:
        return _per_action(report, account, rows)
    columns: dict[str, Values | None] = {}
    for name in (c.name for c in report.columns):
        outer, inner = WITHIN.get(name, (name, ""))
        values = list(map(attrgetter(outer), rows))
        if inner:
            values = [value.get(inner) if isinstance(value, dict) else value for value in values]
        columns[name] = _texts(report, account, name, values) if name in JSON_COLUMNS else values
    return typed(report, account, columns, len(rows))


def _texts(report: Report, account: Account, name: str, values: Sequence[Any]) -> pa.Array:
    """Keep lists as the text that Meta sent, an absent one as NULL."""
    texts = pa.array([None if value is None else str(value, "utf-8") for value in values], pa.string())
    lists = pc.starts_with(texts, "[")
    if pc.all(lists, min_count=0).as_py():
        return texts
    texts = pc.if_else(pc.equal(texts, "null"), pa.scalar(None, pa.string()), texts)
    if not pc.all(pc.starts_with(texts, "["), min_count=0).as_py():
        raise drift(report, account, name, "is no list of actions")
    return texts


def _per_action(report: Report, account: Account, rows: Sequence[Any]) -> pa.Table:
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
        spread[name] = [value for row, number in zip(rows, times, strict=True) for value in (getattr(row, name),) * number]
    return typed(report, account, spread, len(kinds))


def _actions(report: Report, account: Account, name: str, row: object) -> list[dict[str, Any]]:
    found = getattr(row, name) or []
    if not isinstance(found, list) or not all(isinstance(a, dict) and "action_type" in a for a in found):
        raise drift(report, account, name, "is no list of actions")
    return found
