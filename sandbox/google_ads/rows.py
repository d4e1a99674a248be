"""Write result rows as GoogleAdsRow bytes, or as REST documents."""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from sandbox.google_ads.engine import Result
from sandbox.google_ads.fields import ENUMS, FIELDS, RESOURCES, Field
from sandbox.google_ads.wire import FIXED64, VARINT, integer, message, tag, text, varint

BATCH = 10_000


def batches(result: Result, size: int = BATCH) -> Iterator[list[bytes]]:
    """Yield lists of encoded `results` entries (tag, length and row), at most `size` in each."""
    groups: dict[str, list[Field]] = {}
    for name in result.fields:
        groups.setdefault(FIELDS[name].resource, []).append(FIELDS[name])
    encoders: list[tuple[list[str], _Encoder]] = []
    for resource, fields in groups.items():
        kind = _Metrics if resource == "metrics" else _Attributes
        encoders.append(([f.name for f in fields], kind(fields, RESOURCES[resource])))
    for start in range(0, result.rows.height if encoders else 0, size):
        part = result.rows.slice(start, size)
        pieces = [encoder.encode([part[name].to_list() for name in names]) for names, encoder in encoders]
        rows = (b"".join(row) for row in zip(*pieces, strict=True))
        yield [b"\x0a" + varint(len(row)) + row for row in rows]


def summary(result: Result) -> bytes:
    """Encode the summary row; empty without metrics."""
    if result.summary is None:
        return b""
    fields = [FIELDS[name] for name in result.summary.columns]
    return next(_Metrics(fields, RESOURCES["metrics"]).encode([result.summary[f.name].to_list() for f in fields]))


class _Encoder(Protocol):
    def encode(self, columns: Sequence[Sequence[Any]]) -> Iterator[bytes]:
        """Yield one resource's bytes for each row."""
        ...


class _Attributes:
    """Encode attributes and segments; equal values are encoded once."""

    def __init__(self, fields: Sequence[Field], number: int) -> None:
        self._fields = fields
        self._number = number
        self._seen: dict[tuple[Any, ...], bytes] = {}

    def encode(self, columns: Sequence[Sequence[Any]]) -> Iterator[bytes]:
        """Yield the resource's bytes for each row."""
        seen = self._seen
        for values in zip(*columns, strict=True):
            piece = seen.get(values)
            if piece is None:
                body = b"".join(_value(f, v) for f, v in zip(self._fields, values, strict=True) if v is not None)
                piece = seen[values] = message(self._number, body)
            yield piece


class _Metrics:
    """Encode the metrics, which differ from row to row."""

    def __init__(self, fields: Sequence[Field], number: int) -> None:
        self._head = tag(number, 2)
        self._writers: list[tuple[bytes, Callable[[Any], bytes]]] = []
        for field in fields:
            whole = field.type == "i"
            self._writers.append((tag(field.path[0], VARINT if whole else FIXED64), varint if whole else struct.Struct("<d").pack))

    def encode(self, columns: Sequence[Sequence[Any]]) -> Iterator[bytes]:
        """Yield the metrics' bytes for each row."""
        encoded = [[key + write(value) for value in column] for (key, write), column in zip(self._writers, columns, strict=True)]
        for pieces in zip(*encoded, strict=True):
            body = b"".join(pieces)
            yield self._head + varint(len(body)) + body


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
