"""Turn a batch of GoogleAdsRow into a report's typed rows; nothing here calls Google."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import pyarrow as pa

from connectors.google_ads.batches import Batch, row_message
from connectors.google_ads.fields import OPTIONAL, column_name
from connectors.google_ads.reports import PATHS
from connectors.rows import typed
from domain.catalogue import Account, Report

_ARROW = {1: pa.float64(), 2: pa.float64(), 3: pa.int64(), 5: pa.int64(), 8: pa.bool_(), 9: pa.string(), 14: pa.string()}
"""By the descriptors' numbers of types: double, float, int64, int32, bool, string, enum."""
_ENUM = 14
_WORDS = ("type",)
"""Field names that the messages carry with an underscore, as they are words of Python."""


def table(batch: Batch, report: Report, account: Account) -> pa.Table:
    """Return the rows of one batch in the report's schema; a field that its mask lacks is NULL where it may be.

    Raises IncompleteAnswer for a field that is missing or of another type where the catalogue promises one, ValueError for bytes that
    are no whole message.
    """
    if not len(batch):
        return report.schema.empty_table()
    row = row_message(batch.version)
    answered = set(batch.mask)
    resources: dict[str, list[str]] = {}
    for path in PATHS[report.name]:
        if path in answered:
            resources.setdefault(path.partition(".")[0], []).append(path)
    numbers = {name: row.DESCRIPTOR.fields_by_name[name].number for name in resources}
    parts = batch.parts(list(numbers.values()))
    columns: dict[str, Any] = {}
    for name, paths in resources.items():
        decode, types = _decoder(type(getattr(row(), name)), paths)
        values = zip(*_decoded(parts[numbers[name]], decode), strict=True)
        for path, column, kind in zip(paths, values, types, strict=True):
            columns[column_name(report.name, path)] = pa.array(column, kind)
    return typed(report, account, columns, len(batch), doubles=True)


def _decoded(parts: Sequence[bytes], decode: Callable[[bytes], tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Decode every part, equal ones once."""
    known: dict[bytes, tuple[Any, ...]] = {}
    found = []
    for part in parts:
        values = known.get(part)
        if values is None:
            values = known[part] = decode(part)
        found.append(values)
    return found


def _decoder(message: Any, paths: Sequence[str]) -> tuple[Callable[[bytes], tuple[Any, ...]], list[pa.DataType]]:  # noqa: ANN401 - a protobuf class
    """Return what turns the bytes of a message into the values of the paths, and the values' types."""
    read: list[Callable[[Any], Any]] = []
    types = []
    for path in paths:
        *parents, last = (f"{name}_" if name in _WORDS else name for name in path.split(".")[1:])
        at = message.DESCRIPTOR
        for parent in parents:
            at = at.fields_by_name[parent].message_type
        field = at.fields_by_name[last]
        types.append(_ARROW.get(field.type, pa.null()))
        read.append(_reader(field, parents, last, optional=path in OPTIONAL))
    parse = message.FromString
    plain = all(isinstance(one, attrgetter) for one in read)
    if plain and len(read) > 1:
        together = attrgetter(*(".".join(f"{n}_" if n in _WORDS else n for n in path.split(".")[1:]) for path in paths))
        return lambda part: together(parse(part)), types
    return lambda part: tuple([one(decoded) for decoded in (parse(part),) for one in read]), types


def _reader(field: Any, parents: Sequence[str], last: str, *, optional: bool) -> Callable[[Any], Any]:  # noqa: ANN401 - a protobuf descriptor
    """Return what reads one field: enums by name, an optional one as None where it is unset."""
    if field.type == _ENUM:
        names = {number: value.name for number, value in field.enum_type.values_by_number.items()}
        number_of = attrgetter(".".join((*parents, last)))
        return lambda message: names.get(number_of(message)) or str(number_of(message))
    if optional and field.has_presence:
        parent_of: Callable[[Any], Any] = attrgetter(".".join(parents)) if parents else lambda message: message

        def read(message: Any) -> Any:  # noqa: ANN401 - a protobuf message of any API version
            parent = parent_of(message)
            return getattr(parent, last) if parent.HasField(last) else None

        return read
    return attrgetter(".".join((*parents, last)))
