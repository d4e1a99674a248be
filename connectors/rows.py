"""Turn a platform's words into typed Arrow columns, exactly, and say clearly when a platform changed a type."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from connectors.secrets import redact
from domain.catalogue import Account, Column, ColumnType, Report
from domain.errors import IncompleteAnswer

Values: TypeAlias = Sequence[object] | pa.Array | pa.ChunkedArray

_STUMBLES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What code raises that reads an answer of another shape than it was written for."""


def typed(report: Report, account: Account, columns: Mapping[str, Values | None], count: int, *, doubles: bool = False) -> pa.Table:
    """Return `count` rows in the report's schema.

    A column that the answer lacks (None, or no entry) is NULL when it may be, otherwise the answer is refused.
    Texts become Decimal and integer without a float between; a value of another type raises IncompleteAnswer.
    `doubles` says that the platform's own wire type is a double: it is rounded to six decimals; elsewhere a float is refused.
    """
    arrays = [_column(report, account, column, columns.get(column.name), count, doubles) for column in report.columns]
    return pa.table(arrays, schema=report.schema)


def empty(report: Report) -> pa.Table:
    """Return no rows in the report's schema."""
    return report.schema.empty_table()


def _column(report: Report, account: Account, column: Column, values: Values | None, count: int, doubles: bool) -> pa.Array:
    if values is None:
        if not column.nullable:
            raise drift(report, account, column.name, "is missing from the answer")
        return pa.nulls(count, column.type.arrow)
    try:
        array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, from_pandas=False)
        array = _cast(array, column.type, doubles)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, ValueError) as error:
        raise drift(report, account, column.name, f"does not read as {column.type}: {error}") from error
    if array.null_count and not column.nullable:
        raise drift(report, account, column.name, "holds an empty value where the platform promises one")
    return array


def _cast(array: pa.Array | pa.ChunkedArray, kind: ColumnType, doubles: bool) -> pa.Array | pa.ChunkedArray:
    """Cast without loss: floats become decimals by rounding to six places, everything else must fit exactly."""
    if array.type == kind.arrow or pa.types.is_null(array.type):
        return array.cast(kind.arrow)
    if kind is ColumnType.STRING and not pa.types.is_string(array.type):
        if pa.types.is_integer(array.type) or pa.types.is_large_string(array.type):
            return array.cast(pa.string())
        raise pa.ArrowInvalid(f"a {array.type} came where text is expected")
    if kind is ColumnType.INTEGER and not (pa.types.is_string(array.type) or pa.types.is_integer(array.type)):
        raise pa.ArrowInvalid(f"a {array.type} came where a whole number is expected")
    if kind is ColumnType.DECIMAL and pa.types.is_integer(array.type):
        return array.cast(pa.decimal128(19, 0)).cast(kind.arrow)
    if kind is ColumnType.DECIMAL and pa.types.is_floating(array.type) and (not doubles or pc.any(pc.invert(pc.is_finite(array))).as_py()):
        raise pa.ArrowInvalid("a float came where an exact number is expected")
    if kind is ColumnType.BOOLEAN and not pa.types.is_boolean(array.type):
        raise pa.ArrowInvalid(f"a {array.type} came where a boolean is expected")
    return array.cast(kind.arrow)


def drift(report: Report, account: Account, column: str, what: str) -> IncompleteAnswer:
    """Word the error for an answer whose shape differs from the catalogue."""
    return IncompleteAnswer(
        f"{report.name}: column {column} {what}",
        platform=report.platform,
        account_id=account.account_id,
        why="The platform changed the shape of its answer",
        fix=f"Nothing was stored; compare connectors/{report.platform}/reports.py with the platform's current documentation",
    )


@contextmanager
def readable(what: str, platform: str, account_id: str = "") -> Iterator[None]:
    """Name an answer of a shape that nobody foresaw, over which the code inside stumbles: it fails what was asked for, and nothing else."""
    try:
        yield
    except _STUMBLES as error:
        place = extract_tb(error.__traceback__)[-1]
        raise IncompleteAnswer(
            f"{what} does not read",
            platform=platform,
            account_id=account_id,
            why=redact(f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {str(error)[:300]}"),
            fix="Nothing of it was stored; sync again, and report this when it lasts",
        ) from None
