"""Bytes of the Graph API to objects, each byte once: the envelope by its parts, rows by types that are made from the catalogue.

A list of actions stays the text that Meta sent, so that a page of rows is one small object a row and not a tree of dictionaries.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from connectors.meta_ads.columns import JSON_COLUMNS, WITHIN
from connectors.meta_ads.reports import SHAPES
from connectors.rows import drift
from domain.catalogue import Account, Column, ColumnType, Report

Parts: TypeAlias = Mapping[str, msgspec.Raw]
"""One answer of the Graph API: its top-level members, each as it was sent."""

ALWAYS_THERE = frozenset({"date_stop", "id", "account_id"})
"""What Meta sends unasked."""

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MANY_PARTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.DECIMAL})


def parts_of(body: bytes) -> Parts:
    """Take one answer apart. Raises ValueError where it is no JSON object."""
    return _PARTS.decode(body)


def answers(body: bytes) -> list[dict[str, msgspec.Raw]]:
    """Take a landed body apart: one answer of Meta, or the list of those that were joined into one page. Raises ValueError."""
    return _MANY_PARTS.decode(body) if body.lstrip().startswith(b"[") else [_PARTS.decode(body)]


@dataclass(frozen=True)
class Rows:
    """Rows of one answer; `unknown` are their fields that the catalogue lacks. An absent field and a null are both None."""

    rows: Sequence[Any]
    unknown: frozenset[str] = frozenset()


def decoded(report: Report, account: Account, parts: Parts) -> Rows:
    """Return the rows of an answer. Raises IncompleteAnswer for what is no list of rows."""
    shape = SHAPES[report.name]
    data = parts.get("data", msgspec.Raw(b"null")) if shape.level or shape.edge else msgspec.json.encode([parts])
    expected, anything, names = _decoders(report)
    try:
        return Rows(expected.decode(data))
    except msgspec.DecodeError:
        pass  # a field or a type that the catalogue lacks: read it again, slower, so that the column can be named
    try:
        unknown = {name for row in names.decode(data) for name in row} - set(anything.type.__args__[0].__struct_fields__)
        return Rows(anything.decode(data), frozenset(unknown))
    except msgspec.DecodeError as error:
        raise drift(report, account, "data", f"is no list of rows: {error}") from None


def joined(keys: Iterable[str], answers: Sequence[Rows]) -> Rows:
    """Return the rows of several answers that hold groups of fields of the same rows, told apart by their `keys`."""
    if len(answers) == 1:
        return answers[0]
    keys, found = tuple(keys), dict[tuple[str, ...], Any]()
    for row in (row for answer in answers for row in answer.rows):
        first = found.setdefault(tuple(str(getattr(row, key)) for key in keys), row)
        for name in row.__struct_fields__ if first is not row else ():
            if (value := getattr(row, name)) is not None:
                setattr(first, name, value)
    return Rows(list(found.values()), frozenset().union(*(answer.unknown for answer in answers)))


@lru_cache(maxsize=64)
def _decoders(report: Report) -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]:
    """Return how a report's rows are read: as the catalogue promises them, with any type and further fields, and as bare names."""
    fields: dict[str, tuple[Any, Any]] = dict.fromkeys((*sorted(ALWAYS_THERE), *SHAPES[report.name].breakdowns), (str | None, Any))
    for column in report.columns:
        fields[WITHIN.get(column.name, (column.name,))[0]] = _types(column)
    if SHAPES[report.name].per_action:
        fields |= dict.fromkeys(("actions", "action_values"), (list[dict[str, Any]] | None, Any))
    expected, anything = (
        msgspec.defstruct("Row", [(name, types[place], None) for name, types in fields.items()], gc=False, forbid_unknown_fields=place == 0) for place in (0, 1)
    )
    return tuple(msgspec.json.Decoder(list[of]) for of in (expected, anything, dict[str, msgspec.Raw]))  # type: ignore[return-value,valid-type]


def _types(column: Column) -> tuple[Any, Any]:
    """Return the promised type of a column's values, and the widest one that can still be worded about."""
    if column.name in JSON_COLUMNS:
        return msgspec.Raw, msgspec.Raw
    if column.name in WITHIN:
        return dict[str, Any] | None, Any
    return (str | int | None if column.type in _NUMBERS else str | None), Any
