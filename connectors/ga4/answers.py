"""One answer of runReport as columns: decoded by the types that it promises, and checked against what was asked."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import chain
from operator import attrgetter
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from connectors.ga4.errors import broken
from connectors.ga4.reports import Query
from connectors.rows import drift, typed
from domain.catalogue import Account, ColumnType, Report
from domain.errors import IncompleteAnswer

BUCKETS = (
    "tokensPerDay",
    "tokensPerHour",
    "tokensPerProjectPerHour",
    "concurrentRequests",
    "serverErrorsPerProjectPerHour",
    "potentiallyThresholdedRequestsPerHour",
)
_EXACT = re.compile(r"-?\d+(\.\d{1,6})?")
_MICRO = Decimal("0.000001")
_YYYYMMDD = 8


class _Header(Struct):
    name: str | None = None


class _Value(Struct, gc=False):
    value: str | None = None


class _Row(Struct, gc=False, rename="camel"):
    dimension_values: list[_Value] | None = None
    metric_values: list[_Value] | None = None


class _Sample(Struct, rename="camel"):
    samples_read_count: str | None = None
    sampling_space_size: str | None = None


class _Restriction(Struct, rename="camel"):
    metric_name: str | None = None
    restricted_metric_types: list[str] | None = None


class _Restrictions(Struct, rename="camel"):
    active_metric_restrictions: list[_Restriction] | None = None


class _Metadata(Struct, rename="camel"):
    currency_code: str | None = None
    time_zone: str | None = None
    subject_to_thresholding: bool | None = None
    data_loss_from_other_row: bool | None = None
    sampling_metadatas: list[_Sample] | None = None
    schema_restriction_response: _Restrictions | None = None


class _Status(Struct):
    remaining: int | None = None


class _Document(Struct, rename="camel"):
    dimension_headers: list[_Header] | None = None
    metric_headers: list[_Header] | None = None
    rows: list[_Row] | None = None
    row_count: int | None = None
    metadata: _Metadata | None = None
    property_quota: dict[str, _Status | None] | None = None
    kind: str | None = None


_DOCUMENT = msgspec.json.Decoder(_Document)
_VALUE = attrgetter("value")


@dataclass(frozen=True)
class Answer:
    """One page: its rows in the report's schema, a hash of each row's key that holds within this process, and what the answer says of itself.

    `sampled` tells whether the numbers are estimated from a part of the events.
    """

    rows: pa.Table
    keys: npt.NDArray[np.int64]
    row_count: int
    sampled: bool
    quota: dict[str, int]


def read_answer(body: bytes, query: Query, report: Report, account: Account) -> Answer:
    """Read the bytes of a runReport.

    Raises TransientFailure for one that breaks off, IncompleteAnswer for other columns than were asked for or values of another type.
    """
    document = _parse(body, report, account)
    if not document.kind and not document.metric_headers:
        raise drift(report, account, "metricHeaders", "is missing: this is no answer of runReport, not even an empty one")
    rows, said = document.rows or [], document.metadata or _Metadata()
    columns = _columns(document, rows, query, report, account)
    quota = document.property_quota or {}
    keys = np.fromiter(map(hash, zip(*(columns[d] for d in query.dimensions), strict=True)), np.int64, len(rows))
    arrays = {name: _typed_text(column, name, report, account) for name, column in columns.items()}
    table = typed(report, account, {**arrays, **_quality(said, len(rows))}, len(rows))
    left = {bucket: (status.remaining or 0) if (status := quota.get(bucket)) else 0 for bucket in BUCKETS} if quota else {}
    return Answer(table, keys, document.row_count or 0, bool(said.sampling_metadatas), left)


def property_row(report: Report, account: Account, resource: Mapping[str, Any]) -> pa.Table:
    """Return the one row of a property, from the Admin API's resource."""
    row = {c.name: [resource.get(c.name)] for c in report.columns} | {"property_id": [account.account_id]}
    return typed(report, account, row, 1)


def _parse(body: bytes, report: Report, account: Account) -> _Document:
    try:
        return _DOCUMENT.decode(body)
    except msgspec.ValidationError as error:
        if not body.lstrip().startswith(b"{"):
            raise broken("the answer is no JSON object", account.account_id) from None
        raise drift(report, account, "rows", f"do not read: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise broken(f"the answer breaks off within its JSON ({str(error)[:80]})", account.account_id) from None


def _columns(document: _Document, rows: Sequence[_Row], query: Query, report: Report, account: Account) -> dict[str, list[str]]:
    """Return the values of each column as text, the headers being those that were asked for."""
    found: dict[str, list[str]] = {}
    for headers, member, names, values in (
        (document.dimension_headers, "dimensionValues", query.dimensions, [row.dimension_values or () for row in rows]),
        (document.metric_headers, "metricValues", query.metrics, [row.metric_values or () for row in rows]),
    ):
        listed = tuple(h.name for h in headers or ())
        if listed != names and (rows or listed):
            raise drift(report, account, ", ".join(str(n) for n in set(listed) ^ set(names)) or member, "does not stand where it was asked for")
        if set(map(len, values)) - {len(names)}:
            raise drift(report, account, member, f"does not hold {len(names)} values in every row")
        texts = list(map(_VALUE, chain.from_iterable(values)))
        if None in texts:
            raise drift(report, account, member, "holds an empty value where the platform promises one")
        found |= {name: cast(list[str], texts[place :: len(names)]) for place, name in enumerate(names)}
    return found


def _typed_text(column: list[str], name: str, report: Report, account: Account) -> pa.Array:
    """Make dates of YYYYMMDD, and decimals of at most six places of what GA4 prints as a double."""
    kind = next(c.type for c in report.columns if c.name == name)
    if kind is ColumnType.DATE:
        dates = {text: _date(text, name, report, account) for text in set(column)}
        return pa.array([dates[text] for text in column], pa.date32())
    if kind is ColumnType.DECIMAL:
        rounded = {text: _rounded(text, name, report, account) for text in set(column) if not _EXACT.fullmatch(text)}
        return pa.array([rounded.get(text, text) for text in column] if rounded else column, pa.string())
    return pa.array(column, pa.string())


def _date(text: str, name: str, report: Report, account: Account) -> date:
    try:
        if len(text) == _YYYYMMDD and text.isascii() and text.isdecimal():
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        pass
    raise drift(report, account, name, f"does not read as YYYYMMDD: {text[:40]!r}")


def _rounded(text: str, name: str, report: Report, account: Account) -> str:
    try:
        value = Decimal(text)
        if not value.is_finite():
            raise InvalidOperation
        return str(value.quantize(_MICRO))
    except InvalidOperation:
        raise drift(report, account, name, f"does not read as a number: {text[:40]!r}") from None


def _quality(said: _Metadata, count: int) -> dict[str, list[object]]:
    """Return what the answer says of itself, once for each row."""
    samples = said.sampling_metadatas or []
    restricted = said.schema_restriction_response and said.schema_restriction_response.active_metric_restrictions
    values: dict[str, object] = {
        "currencyCode": said.currency_code or "",
        "timeZone": said.time_zone or "",
        "subjectToThresholding": bool(said.subject_to_thresholding),
        "dataLossFromOtherRow": bool(said.data_loss_from_other_row),
        "samplesReadCount": sum(int(s.samples_read_count or 0) for s in samples) if samples else None,
        "samplingSpaceSize": sum(int(s.sampling_space_size or 0) for s in samples) if samples else None,
        "schemaRestriction": json.dumps(msgspec.to_builtins(restricted), separators=(",", ":")) if restricted else None,
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
