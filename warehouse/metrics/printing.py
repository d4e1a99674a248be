"""Answers as plain JSON values: money as strings, counts as integers, conversions and ratios as numbers."""

from datetime import date
from decimal import Decimal
from typing import Any

from domain.money import plain
from domain.questions import Answer, Value


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
    }


def printed(value: Value, unit: str) -> str | int | float | None:
    """Return one value of an answer as JSON holds it; `unit` is its column's, empty for a dimension."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        if unit == "money":
            return plain(value)
        return int(value) if value == value.to_integral_value() else float(value)
    return value
