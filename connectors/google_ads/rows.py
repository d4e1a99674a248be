"""Turn GoogleAdsRow messages into a report's typed rows, and landed bodies back into messages; nothing here calls Google."""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

import pyarrow as pa

from connectors.google_ads.fields import OPTIONAL, column_name
from connectors.google_ads.reports import PATHS
from connectors.rows import typed
from domain.catalogue import Account, Report

_ARROW = {"int64": pa.int64(), "int32": pa.int64(), "double": pa.float64(), "bool": pa.bool_(), "string": pa.string(), "enum": pa.string()}
_KINDS = {1: "double", 2: "double", 3: "int64", 5: "int32", 8: "bool", 9: "string", 14: "enum"}
_WORDS = ("type",)
"""Field names that the messages carry with an underscore, as they are words of Python."""


def table(results: Any, mask: Iterable[str], report: Report, account: Account) -> pa.Table:  # noqa: ANN401 - a repeated protobuf field
    """Return the rows of one batch in the report's schema; a field that `mask` lacks is NULL where it may be.

    Raises IncompleteAnswer for a field that is missing or of another type where the catalogue promises one.
    """
    columns: dict[str, Any] = {}
    messages: dict[str, list[Any]] = {"": list(results)}
    answered = set(mask)
    for path in PATHS[report.name] if results else ():
        columns[column_name(report.name, path)] = _values(messages, path) if path in answered else None
    return typed(report, account, columns, len(results), doubles=True) if results else report.schema.empty_table()


def delimited(message: Any) -> bytes:  # noqa: ANN401 - a protobuf message of any API version
    """Serialize a message with its length before it (base-128 varint), as protobuf's delimited streams are; unknown fields are kept."""
    body: bytes = message.SerializeToString()
    size, prefix = len(body), bytearray()
    while size > 0x7F:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + body


def messages_of(body: bytes, parse: Callable[[bytes], Any]) -> Iterator[Any]:
    """Yield the messages of a landed body. Raises ValueError for bytes that end inside a message."""
    at = 0
    while at < len(body):
        size = shift = 0
        while True:
            if at >= len(body):
                raise ValueError("the body ends inside a length")
            byte = body[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if at + size > len(body):
            raise ValueError("the body ends inside a message")
        yield parse(body[at : at + size])
        at += size


def _values(messages: dict[str, list[Any]], path: str) -> pa.Array:
    parent, _, last = path.rpartition(".")
    own = _messages(messages, parent)
    name = _attribute(last)
    field = own[0].DESCRIPTOR.fields_by_name[name]
    kind = _KINDS.get(field.type, "")
    if path in OPTIONAL and field.has_presence:
        values: list[Any] = [getattr(m, name) if m.HasField(name) else None for m in own]
    else:
        values = list(map(attrgetter(name), own))
    if kind == "enum":
        names = {number: value.name for number, value in field.enum_type.values_by_number.items()}
        values = [names.get(v) or str(v) for v in values]
    return pa.array(values, _ARROW.get(kind))


def _messages(known: dict[str, list[Any]], path: str) -> list[Any]:
    """Return the submessage at a path of every row; each level is walked once for all its fields."""
    if path not in known:
        parent, _, last = path.rpartition(".")
        known[path] = list(map(attrgetter(_attribute(last)), _messages(known, parent)))
    return known[path]


def _attribute(name: str) -> str:
    return f"{name}_" if name in _WORDS else name
