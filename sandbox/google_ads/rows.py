"""Write result rows as GoogleAdsRow bytes, or as REST documents."""

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from sandbox.google_ads.engine import Result
from sandbox.google_ads.fields import ENUMS, FIELDS, RESOURCES, Field
from sandbox.google_ads.wire import FIXED64, VARINT, integer, message, tag, text, varint

BATCH = 10_000


def batches(result: Result, size: int = BATCH) -> Iterator[list[bytes]]:
    """Yield lists of encoded `results` entries (tag, length and row), at most `size` in each."""
    rows = _encoded(result)
    while batch := list(islice(rows, size)):
        yield batch


def _encoded(result: Result) -> Iterator[bytes]:
    groups: dict[str, list[str]] = {}
    for name in result.fields:
        groups.setdefault(FIELDS[name].resource, []).append(name)
    parts: list[Iterator[bytes]] = []
    for resource, names in groups.items():
        columns = [result.rows[name].to_list() for name in names]
        encoder = _metrics if resource == "metrics" else _attributes
        parts.append(encoder([FIELDS[n] for n in names], RESOURCES[resource], columns))
    for pieces in zip(*parts, strict=True):
        row = b"".join(pieces)
        yield b"\x0a" + varint(len(row)) + row


def _attributes(fields: Sequence[Field], number: int, columns: Sequence[Sequence[Any]]) -> Iterator[bytes]:
    """Encode attributes and segments; equal values are encoded once."""
    seen: dict[tuple[Any, ...], bytes] = {}
    for values in zip(*columns, strict=True):
        piece = seen.get(values)
        if piece is None:
            piece = seen[values] = message(number, b"".join(_value(f, v) for f, v in zip(fields, values, strict=True) if v is not None))
        yield piece


def _value(field: Field, value: Any) -> bytes:  # noqa: ANN401
    *above, last = field.path
    if field.type in ("s", "date"):
        body = text(last, value)
    elif field.type in ENUMS:
        body = integer(last, ENUMS[field.type].get(value, 1))
    elif field.type == "d":
        body = tag(last, FIXED64) + struct.pack("<d", value)
    else:
        body = integer(last, value)
    for number in reversed(above):
        body = message(number, body)
    return body


def _metrics(fields: Sequence[Field], number: int, columns: Sequence[Sequence[Any]]) -> Iterator[bytes]:
    """Encode the metrics, which differ from row to row."""
    head = tag(number, 2)
    writers: list[tuple[bytes, Callable[[Any], bytes]]] = []
    for field in fields:
        whole = field.type == "i"
        writers.append((tag(field.path[0], VARINT if whole else FIXED64), varint if whole else struct.Struct("<d").pack))
    encoded = [[key + write(value) for value in column] for (key, write), column in zip(writers, columns, strict=True)]
    for pieces in zip(*encoded, strict=True):
        body = b"".join(pieces)
        yield head + varint(len(body)) + body


def documents(result: Result) -> Iterator[dict[str, Any]]:
    """Yield REST rows: camelCase keys, int64 as strings, enums by name."""
    paths = [[_camel(part) for part in name.split(".")] for name in result.fields]
    kinds = [FIELDS[name].type for name in result.fields]
    for values in result.rows.iter_rows():
        row: dict[str, Any] = {}
        for path, kind, value in zip(paths, kinds, values, strict=True):
            at = row
            for part in path[:-1]:
                at = at.setdefault(part, {})
            at[path[-1]] = str(value) if kind == "i" and path[-1] != "year" else value
        yield row


def mask(names: Sequence[str]) -> str:
    """Return a field mask as REST prints it."""
    return ",".join(".".join(_camel(part) for part in name.split(".")) for name in names)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
