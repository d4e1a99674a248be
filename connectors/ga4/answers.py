"""One answer of runReport as columns: parsed at once, never row by row, and checked against what was asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl
import pyarrow as pa

from connectors.ga4.errors import broken
from connectors.ga4.reports import Query
from connectors.rows import drift, typed
from domain.catalogue import Account, ColumnType, Report
from domain.errors import IncompleteAnswer

_VALUES = pl.List(pl.Struct({"value": pl.String}))
_NAMES = pl.List(pl.Struct({"name": pl.String}))
_STATUS = pl.Struct({"consumed": pl.Int64, "remaining": pl.Int64})
BUCKETS = (
    "tokensPerDay",
    "tokensPerHour",
    "tokensPerProjectPerHour",
    "concurrentRequests",
    "serverErrorsPerProjectPerHour",
    "potentiallyThresholdedRequestsPerHour",
)
_SCHEMA: dict[str, pl.DataType] = {
    "dimensionHeaders": _NAMES,
    "metricHeaders": _NAMES,
    "rows": pl.List(pl.Struct({"dimensionValues": _VALUES, "metricValues": _VALUES})),
    "rowCount": pl.Int64(),
    "metadata": pl.Struct(
        {
            "currencyCode": pl.String,
            "timeZone": pl.String,
            "subjectToThresholding": pl.Boolean,
            "dataLossFromOtherRow": pl.Boolean,
            "samplingMetadatas": pl.List(pl.Struct({"samplesReadCount": pl.String, "samplingSpaceSize": pl.String})),
            "schemaRestrictionResponse": pl.Struct(
                {"activeMetricRestrictions": pl.List(pl.Struct({"metricName": pl.String, "restrictedMetricTypes": pl.List(pl.String)}))}
            ),
        }
    ),
    "propertyQuota": pl.Struct(dict.fromkeys(BUCKETS, _STATUS)),
}
_EXACT = r"^-?\d+(\.\d{1,6})?$"
_MICRO = Decimal("0.000001")


@dataclass(frozen=True)
class Answer:
    """One page: its rows in the report's schema, a hash of each row's key, and what the answer says of itself."""

    rows: pa.Table
    keys: pl.Series
    row_count: int
    metadata: dict[str, Any]
    quota: dict[str, int]

    @property
    def sampled(self) -> bool:
        """Tell whether the numbers are estimated from a part of the events."""
        return bool(self.metadata.get("samplingMetadatas"))


def read_answer(body: bytes, query: Query, report: Report, account: Account) -> Answer:
    """Read the bytes of a runReport.

    Raises TransientFailure for one that breaks off, IncompleteAnswer for other columns than were asked for or values of another type.
    """
    document = _parse(body, account)
    rows = document["rows"][0]
    count = 0 if rows is None else len(rows)
    columns = _columns(document, rows, query, report, account, count)
    metadata: dict[str, Any] = document["metadata"].to_list()[0] or {}
    quota: dict[str, Any] = document["propertyQuota"].to_list()[0] or {}
    keys = pl.DataFrame([columns[d].rename(d) for d in query.dimensions]).hash_rows() if count else pl.Series(dtype=pl.UInt64)
    arrays = {name: _typed_text(column, name, report, account) for name, column in columns.items()}
    table = typed(report, account, {**arrays, **_quality(metadata, count)}, count)
    return Answer(table, keys, int(document["rowCount"][0] or 0), metadata, {b: int((quota.get(b) or {}).get("remaining") or 0) for b in BUCKETS if quota})


def property_row(report: Report, account: Account, resource: Mapping[str, Any]) -> pa.Table:
    """Return the one row of a property, from the Admin API's resource."""
    row = {c.name: [resource.get(c.name)] for c in report.columns} | {"property_id": [account.account_id]}
    return typed(report, account, row, 1)


def _parse(body: bytes, account: Account) -> pl.DataFrame:
    try:
        document = pl.read_json(body, schema=_SCHEMA)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise broken(f"the answer breaks off within its JSON ({str(error).splitlines()[0][:80]})", account.account_id) from None
    if document.height != 1:
        raise broken("the answer is no JSON object", account.account_id)
    return document


def _columns(document: pl.DataFrame, rows: pl.Series | None, query: Query, report: Report, account: Account, count: int) -> dict[str, pl.Series]:
    """Return the values of each column as text, the headers being those that were asked for."""
    found: dict[str, pl.Series] = {}
    parts = None if rows is None else rows.struct.unnest()
    for header, member, names in (("dimensionHeaders", "dimensionValues", query.dimensions), ("metricHeaders", "metricValues", query.metrics)):
        listed = tuple(h["name"] for h in document[header].to_list()[0] or ())
        if listed != names and (count or listed):
            raise drift(report, account, ", ".join(set(listed) ^ set(names)) or header, "does not stand where it was asked for")
        if parts is None:
            found |= {name: pl.Series(name, [], dtype=pl.String) for name in names}
            continue
        if not (parts[member].list.len().fill_null(0) == len(names)).all():
            raise drift(report, account, member, f"does not hold {len(names)} values in every row")
        values = parts[member].explode().struct.field("value")
        if values.null_count():
            raise drift(report, account, member, "holds an empty value where the platform promises one")
        found |= {name: values.gather_every(len(names), place) for place, name in enumerate(names)}
    return found


def _typed_text(column: pl.Series, name: str, report: Report, account: Account) -> pa.Array:
    """Make dates of YYYYMMDD, and decimals of at most six places of what GA4 prints as a double."""
    kind = next(c.type for c in report.columns if c.name == name)
    if kind is ColumnType.DATE:
        dates = column.str.to_date("%Y%m%d", strict=False)
        if dates.null_count():
            raise drift(report, account, name, "does not read as YYYYMMDD")
        return dates.to_arrow()
    if kind is ColumnType.DECIMAL and not column.str.contains(_EXACT).all():
        unique = column.unique()
        column = column.replace_strict(unique, pl.Series([_rounded(v, name, report, account) for v in unique], dtype=pl.String))
    return column.to_arrow().cast(pa.string())


def _rounded(text: str, name: str, report: Report, account: Account) -> str:
    try:
        value = Decimal(text)
        if not value.is_finite():
            raise InvalidOperation
        return str(value.quantize(_MICRO))
    except InvalidOperation:
        raise drift(report, account, name, f"does not read as a number: {text[:40]!r}") from None


def _quality(metadata: dict[str, Any], count: int) -> dict[str, list[Any]]:
    """Return what the answer says of itself, once for each row."""
    samples = metadata.get("samplingMetadatas") or []
    restriction = metadata.get("schemaRestrictionResponse") or {}
    restricted = restriction.get("activeMetricRestrictions") or None
    values = {
        "currencyCode": metadata.get("currencyCode") or "",
        "timeZone": metadata.get("timeZone") or "",
        "subjectToThresholding": bool(metadata.get("subjectToThresholding")),
        "dataLossFromOtherRow": bool(metadata.get("dataLossFromOtherRow")),
        "samplesReadCount": sum(int(s["samplesReadCount"] or 0) for s in samples) if samples else None,
        "samplingSpaceSize": sum(int(s["samplingSpaceSize"] or 0) for s in samples) if samples else None,
        "schemaRestriction": json.dumps(restricted, separators=(",", ":")) if restricted else None,
    }
    return {name: [value] * count for name, value in values.items()}


def short(found: int, promised: int, report: Report, account: Account) -> IncompleteAnswer:
    """Word the error for pages that do not come to the promised row count."""
    return IncompleteAnswer(
        f"{report.name}: {found} rows came, rowCount promises {promised}",
        platform=report.platform,
        account_id=account.account_id,
        why="The report changed while it was read, or a page came twice",
        fix="Nothing was stored; sync again",
    )
