"""Read the JSON of a report into Arrow columns without a Python object for every cell, and without a float for any number.

Metrica prints rows compactly, `{"dimensions":[…],"metrics":[…]}`, so the array of rows becomes lines of JSON whose metrics are one text each;
the byte patterns that are replaced hold bare quotes, which no JSON string can hold. Whatever is printed otherwise is read row by row.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

DECIMAL = pa.decimal128(18, 6)
_SIX = Decimal("0.000001")
_OPEN, _BETWEEN, _MIDDLE, _CLOSE = b'"data":[{"dimensions":[', b']},{"dimensions":[', b'],"metrics":[', b']}],"'
_ROW = pa.schema([("dimensions", pa.list_(pa.struct([("id", pa.string()), ("name", pa.string())]))), ("metrics", pa.string())])


@dataclass(frozen=True)
class Table:
    """One page: `ids` and `names` of each grouping and the `metrics`, column by column; numbers are still texts."""

    envelope: dict[str, Any]
    count: int
    ids: list[pa.Array]
    names: list[pa.Array]
    metrics: list[pa.Array]


def read_table(body: bytes, dimensions: int, metrics: int) -> Table:
    """Read an answer of stat/v1/data. Raises ValueError for what is no such answer."""
    start = body.find(_OPEN)
    end = body.find(_CLOSE, start)
    if start < 0 or end < start:
        return _slowly(json.loads(body, parse_float=str, parse_int=str), dimensions, metrics)
    begin = start + len(b'"data":')
    lines = body[begin + 1 : end].replace(_BETWEEN, b']"}\n{"dimensions":[').replace(_MIDDLE, b'],"metrics":"[') + b']"}'
    block = max(1 << 20, len(lines)) if lines.count(b"\n") < 64 else 1 << 20
    try:
        envelope = json.loads(body[:begin] + b"[]" + body[end + 3 :], parse_float=str, parse_int=str)
        rows = arrow_json.read_json(
            io.BytesIO(lines),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=block),
            parse_options=arrow_json.ParseOptions(explicit_schema=_ROW, unexpected_field_behavior="ignore"),
        ).combine_chunks()
    except ValueError:  # also where a name ends as the rows do
        return _slowly(json.loads(body, parse_float=str, parse_int=str), dimensions, metrics)
    return _columns(envelope, rows, dimensions, metrics)


def _columns(envelope: dict[str, Any], rows: pa.Table, dimensions: int, metrics: int) -> Table:
    keys, numbers = _one(rows.column("dimensions")), _one(rows.column("metrics"))
    if keys.null_count or numbers.null_count or (len(keys) and not _all(pc.list_value_length(keys), dimensions)):
        raise ValueError("a row has another number of dimensions than was asked for")
    values = pc.split_pattern(pc.utf8_slice_codeunits(numbers, 1, -1), ",")
    if len(keys) and not _all(pc.list_value_length(values), metrics):
        raise ValueError("a row has another number of metrics than was asked for")
    parts = [pc.list_element(keys, i) for i in range(dimensions)]
    texts = [pc.list_element(values, i) for i in range(metrics)]
    return Table(
        envelope,
        len(keys),
        [pc.struct_field(part, "id") for part in parts],
        [pc.struct_field(part, "name") for part in parts],
        [pc.if_else(pc.equal(text, "null"), pa.scalar(None, pa.string()), text) for text in texts],
    )


def _slowly(answer: Any, dimensions: int, metrics: int) -> Table:  # noqa: ANN401
    """Read an answer that is printed in another way, or that has no rows."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise ValueError("the answer has no data")
    try:
        keys = [[row["dimensions"][i] for row in rows] for i in range(dimensions)]
        values = [pa.array([row["metrics"][i] for row in rows], pa.string()) for i in range(metrics)]
        ids = [pa.array([_text(k.get("id")) for k in column], pa.string()) for column in keys]
        names = [pa.array([_text(k["name"]) for k in column], pa.string()) for column in keys]
    except (KeyError, IndexError, TypeError, AttributeError, pa.ArrowException) as error:
        raise ValueError(f"the rows do not have the documented shape: {error!r}") from error
    return Table({k: v for k, v in answer.items() if k != "data"}, len(rows), ids, names, values)


def exact(texts: pa.Array) -> pa.Array:
    """Return texts as Decimal(18, 6); only what has more than six decimals is rounded, by Decimal, never by a float.

    Raises ValueError for a text that is no finite number, or a greater one than fits.
    """
    try:
        return texts.cast(DECIMAL)
    except pa.ArrowInvalid:
        try:
            return pa.array([None if t is None else Decimal(t).quantize(_SIX) for t in texts.to_pylist()], DECIMAL)
        except (ArithmeticError, pa.ArrowException) as error:
            raise ValueError(f"a metric is no number that fits: {error!r}") from error


def _one(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return (
        whole.chunk(0)
        if isinstance(whole, pa.ChunkedArray) and whole.num_chunks
        else pa.array([], column.type)
        if isinstance(whole, pa.ChunkedArray)
        else whole
    )


def _all(lengths: pa.Array, wanted: int) -> bool:
    return bool(pc.all(pc.equal(lengths, wanted)).as_py())


_text: Callable[[Any], str | None] = lambda value: None if value is None else str(value)  # noqa: E731
