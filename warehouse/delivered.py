"""Delivered rows, checked before the ledger counts them: schema, NaN, nulls, dates inside the window."""

from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from domain.catalogue import Column, ColumnType, Report
from domain.errors import DataQualityError
from domain.windows import DateWindow

EPOCH = date(1970, 1, 1)
_LAST_DATE = date(2149, 6, 6)
"""ClickHouse's Date ends here, and clamps silently what lies outside."""


def checked(rows: pa.Table, report: Report) -> pa.Table:
    """Return the rows in the report's own schema, each column in one chunk.

    Strings may come in any Arrow string type and integers and decimals in any width that holds their values exactly.
    Raises DataQualityError for a missing or unknown column, a float where a decimal belongs, NaN, an undeclared null, a date
    that ClickHouse cannot hold.
    """
    names = [column.name for column in report.columns]
    if sorted(rows.column_names) != sorted(names):
        missing, unknown = sorted(set(names) - set(rows.column_names)), sorted(set(rows.column_names) - set(names))
        raise _refused(report, f"the columns differ: missing {missing}, unknown or doubled {unknown or 'names'}")
    return pa.table([_checked_column(rows.column(column.name), column, report) for column in report.columns], schema=report.schema)


def slice_numbers(rows: pa.Table, report: Report, window: DateWindow) -> npt.NDArray[np.uint16]:
    """Return for each row the number of its date in the window, 0 for `since`; a snapshot's rows all belong to the last one.

    Raises DataQualityError for a row outside the window.
    """
    if not report.date_column:
        return np.full(len(rows), window.days - 1, dtype=np.uint16)
    column = rows.column(report.date_column)
    if column.null_count:
        raise _refused(report, f"{column.null_count} rows have no {report.date_column}")
    days = np.asarray(column.cast(pa.int32())) - (window.since - EPOCH).days
    if len(days) and (int(days.min()) < 0 or int(days.max()) >= window.days):
        outside = int(((days < 0) | (days >= window.days)).sum())
        low, high = pc.min(column).as_py(), pc.max(column).as_py()
        raise _refused(report, f"{outside} of {len(days)} rows lie outside the window {window}: their dates reach from {low} to {high}")
    return days.astype(np.uint16)


def _checked_column(values: pa.ChunkedArray, column: Column, report: Report) -> pa.Array:
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(values, pa.ChunkedArray):  # more than 2 GiB of strings
        raise _refused(report, f"column {column.name} of one page holds more than 2 GiB")
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if values.type != column.type.arrow:
        values = _converted(values, column, report)
    if values.null_count and not column.nullable:
        raise _refused(report, f"column {column.name} has {values.null_count} nulls, and the report declares none")
    if column.type is ColumnType.DATE and len(values) > values.null_count:
        ends = pc.min_max(values).as_py()
        if ends["min"] < EPOCH or ends["max"] > _LAST_DATE:
            raise _refused(report, f"column {column.name} reaches from {ends['min']} to {ends['max']}, outside {EPOCH}..{_LAST_DATE}")
    return values


def _converted(values: pa.Array, column: Column, report: Report) -> pa.Array:
    """Convert between types that hold the same values exactly; refuse everything else."""
    kind = values.type
    if pa.types.is_floating(kind):
        nan = pc.sum(pc.is_nan(values)).as_py() or 0
        raise _refused(
            report, f"column {column.name} is {kind}{f' with {nan} NaN' if nan else ''}, and the report declares {column.type.arrow}: floats never enter raw"
        )
    fits = {
        ColumnType.STRING: pa.types.is_large_string(kind) or pa.types.is_string_view(kind),
        ColumnType.INTEGER: pa.types.is_integer(kind),
        ColumnType.DECIMAL: pa.types.is_decimal(kind),
    }.get(column.type, False)
    if not (fits or pa.types.is_null(kind)):
        raise _refused(report, f"column {column.name} is {kind}, and the report declares {column.type.arrow}")
    try:
        return values.cast(column.type.arrow)
    except pa.ArrowInvalid as error:
        raise _refused(report, f"column {column.name} as {kind} does not fit {column.type.arrow}: {error}") from error


def _refused(report: Report, why: str) -> DataQualityError:
    return DataQualityError(
        f"Rows of {report.platform} {report.name} were refused",
        why=why,
        fix="The platform changed its answer or the connector misread it; nothing of this load was committed",
    )
