"""Answers as plain JSON values: money as strings, counts as integers, conversions and ratios as numbers."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from domain.money import plain
from domain.questions import Answer, Value

_ARROW = {"count": pa.int64(), "number": pa.decimal128(38, 12), "money": pa.decimal128(38, 12), "ratio": pa.float64()}


def to_json(answer: Answer) -> dict[str, Any]:
    """Return {"rows", "data_version", "freshness", "warnings", "sql"}, ready for json.dumps.

    Money never becomes a float: '58705.23'. Whole conversions are integers. Dates are ISO; what is undefined is null.
    """
    units = {column.name: column.unit for column in answer.columns}
    return {
        "rows": [{name: printed(value, units[name]) for name, value in row.items()} for row in answer.rows],
        "data_version": answer.data_version,
        "building": answer.building,
        "freshness": [entry.model_dump(mode="json") for entry in answer.freshness],
        "warnings": [entry.model_dump(mode="json") for entry in answer.warnings],
        "sql": answer.sql,
        "query_hash": answer.query_hash,
        "comparison": answer.comparison.model_dump(mode="json") if answer.comparison else None,
        "currency": answer.currency,
    }


def to_arrow(answer: Answer) -> pa.Table:
    """Return the rows as Arrow: counts int64, numbers and money decimal128(38, 12), ratios float64, dates date32, the rest text.

    What else `to_json` says stands as JSON in the schema's metadata under `mrm`.
    """
    fields = [pa.field(c.name, pa.date32() if c.name == "date" else _ARROW.get(c.unit, pa.string())) for c in answer.columns]
    about = {name: value for name, value in to_json(answer).items() if name != "rows"}
    schema = pa.schema(fields, metadata={"mrm": json.dumps(about, ensure_ascii=False)})
    columns = [pa.array([row[c.name] for row in answer.rows], field.type) for c, field in zip(answer.columns, fields, strict=True)]
    return pa.table(columns, schema=schema)


def arrow_stream(answer: Answer) -> bytes:
    """Return the rows as one Arrow IPC stream."""
    table = to_arrow(answer)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def printed(value: Value, unit: str) -> str | int | float | None:
    """Return one value of an answer as JSON holds it; `unit` is its column's, empty for a dimension."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        if unit == "money":
            return plain(value)
        return int(value) if value == value.to_integral_value() else float(value)
    return value
