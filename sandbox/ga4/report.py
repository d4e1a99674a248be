"""Compute a report: group, add up, filter, order, page; and what metadata say about it."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import polars as pl

from sandbox.accounts import SandboxAccount
from sandbox.faults import Fault
from sandbox.ga4.ask import RANGE, Ask, Order, reading
from sandbox.ga4.fields import Metric

OTHER = "(other)"
THRESHOLD = 10
"""Rows of fewer users are withheld from a thresholded report."""
OTHER_SHARE = 2
"""A report with an (other) row keeps one row in so many, unless the fault says how many."""
_USERS = "__users"
_ADDED = ("goal_id", "sessions", "users", "conversions", "conversions_value")


@dataclass(frozen=True)
class Computed:
    """All groups of a report, dimensions as text and metrics as numbers, in an order that is fixed only as far as the request asks."""

    ask: Ask
    groups: pl.DataFrame
    metadata: dict[str, Any]
    ordered: dict[tuple[Order, ...], pl.DataFrame] = field(default_factory=dict)
    """The groups in an order that names every dimension, and so leaves nothing open: kept for the next page."""


@dataclass(frozen=True)
class Report:
    """One answer: its page as columns of text, and what stands around it."""

    dimensions: tuple[str, ...]
    metrics: tuple[Metric, ...]
    page: pl.DataFrame
    row_count: int
    metadata: dict[str, Any]
    aggregates: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    """By `totals`, `maximums`, `minimums`: the values of the dimensions and of the metrics."""
    quota: dict[str, Any] | None = None
    kind: str = "analyticsData#runReport"


def compute(ask: Ask, facts: pl.DataFrame, account: SandboxAccount, fault: Fault | None) -> Computed:
    """Add the facts up. `fault` may threshold, sample, or lose rows to (other); the metadata say so."""
    metadata: dict[str, Any] = {"currencyCode": account.currency, "timeZone": account.timezone}
    metrics = (*ask.metrics, *ask.hidden_metrics)
    parts = []
    for window in ask.ranges:
        rows = facts.filter(pl.col("date").is_between(window.since, window.until))
        rows = rows if ask.row_filter is None else rows.filter(ask.row_filter)
        named = rows.select(
            *(reading(d).alias(f"d{i}") for i, d in enumerate(ask.dimensions)), "goal_id", "sessions", "users", "conversions", "conversions_value"
        )
        sums = [m.expression.alias(m.name) for m in metrics] + [pl.col("users").sum().alias(_USERS)]
        keys = [f"d{i}" for i in range(len(ask.dimensions))]
        if fault is not None and fault.kind == "other_row" and keys:
            named = _lose(named, ask, keys, fault)
            metadata["dataLossFromOtherRow"] = True
        grouped = named.group_by(keys, maintain_order=True).agg(sums) if keys else named.select(sums) if rows.height else named.select(sums).clear()
        parts.append(grouped.with_columns(pl.lit(window.name).alias(RANGE)))
    groups = pl.concat(parts)
    if fault is not None and fault.kind == "thresholded":
        groups = groups.filter(pl.col(_USERS) >= (fault.after_rows or THRESHOLD))
        metadata["subjectToThresholding"] = True
    if fault is not None and fault.kind == "sampled":
        metadata["samplingMetadatas"] = [{"samplesReadCount": "500000", "samplingSpaceSize": "1250000"} for _ in ask.ranges]
    if not ask.keep_empty and metrics:
        groups = groups.filter(pl.any_horizontal(pl.col(m.name) != 0 for m in metrics))
    if ask.group_filter is not None:
        groups = groups.filter(ask.group_filter)
    names = {f"d{i}": d.name for i, d in enumerate(ask.dimensions)}
    return Computed(ask, groups.rename(names).drop(_USERS), metadata)


def _lose(rows: pl.DataFrame, ask: Ask, keys: list[str], fault: Fault) -> pl.DataFrame:
    """Fold the groups of least sessions into one (other) row; dates stay apart."""
    folded = [f"d{i}" for i, d in enumerate(ask.dimensions) if d.category != "Time"]
    if not folded:
        return rows
    sizes = rows.group_by(folded).agg(pl.col("sessions").sum()).sort("sessions", *folded, descending=[True, *[False] * len(folded)])
    kept = sizes.head(fault.after_rows or max(1, sizes.height // OTHER_SHARE)).with_columns(pl.lit(value=True).alias("__kept"))
    joined = rows.join(kept.drop("sessions"), on=folded, how="left", maintain_order="left")
    return joined.with_columns(pl.when(pl.col("__kept")).then(pl.col(k)).otherwise(pl.lit(OTHER)).alias(k) for k in folded).drop("__kept")


def page(done: Computed, number: int) -> Report:
    """Cut the page out. Rows that the request's order leaves equal change places with every request, `number` being the request's.

    Only a report that fits into one answer is always in the same order.
    """
    ask = done.ask
    ordered = done.ordered.get(ask.orders)
    if ordered is None:
        complete = {d.name for d in ask.dimensions} | ({RANGE} if len(ask.ranges) > 1 else set()) <= {o.column for o in ask.orders}
        ordered = _sorted(done, number, several=not complete and (done.groups.height > ask.limit or ask.offset > 0))
        if complete and ask.orders:
            done.ordered[ask.orders] = ordered
    cut = ordered.slice(ask.offset, ask.limit)
    dimensions = (*(d.name for d in ask.dimensions), *([RANGE] if ask.compared else []))
    shown = cut.select(*(pl.col(n).alias(f"d{i}") for i, n in enumerate(dimensions)), *(_printed(m).alias(f"m{i}") for i, m in enumerate(ask.metrics)))
    return Report(dimensions, ask.metrics, shown, done.groups.height, done.metadata, _aggregates(done, dimensions))


def _sorted(done: Computed, number: int, *, several: bool) -> pl.DataFrame:
    ask, groups = done.ask, done.groups
    by = [_key(o) for o in ask.orders]
    descending = [o.descending for o in ask.orders]
    if several:
        salt = int.from_bytes(sha256(str(number).encode()).digest()[:6], "big")
        places = pl.int_range(pl.len(), dtype=pl.UInt64)
        by, descending = [*by, (places * 0x9E3779B1 + salt) % 1_000_003], [*descending, False]
    elif not by and ask.metrics:
        by, descending = [pl.col(ask.metrics[0].name)], [True]
    elif not by and ask.dimensions:
        by, descending = [pl.col(d.name) for d in ask.dimensions], [False] * len(ask.dimensions)
    return groups.sort(by, descending=descending, maintain_order=True) if by else groups


def _key(order: Order) -> pl.Expr:
    column = pl.col(order.column)
    if order.kind == "CASE_INSENSITIVE_ALPHANUMERIC":
        return column.str.to_lowercase()
    return column.cast(pl.Float64, strict=False) if order.kind == "NUMERIC" else column


def _printed(metric: Metric) -> pl.Expr:
    """Print a metric: a whole number, exact decimals without idle zeros, or a double."""
    value = pl.col(metric.name)
    if metric.scale == 1:
        return value.cast(pl.Int64).cast(pl.String)
    if metric.scale == 0:
        return value.cast(pl.Float64).cast(pl.String).str.strip_suffix(".0")
    whole, rest = (value // metric.scale).cast(pl.String), (value % metric.scale).cast(pl.String).str.zfill(6)
    return pl.when(value % metric.scale == 0).then(whole).otherwise(pl.concat_str(whole, pl.lit("."), rest.str.strip_chars_end("0")))


def _aggregates(done: Computed, dimensions: tuple[str, ...]) -> dict[str, tuple[list[str], list[str]]]:
    found = {}
    for asked, name, mark in (("TOTAL", "totals", "RESERVED_TOTAL"), ("MAXIMUM", "maximums", "RESERVED_MAX"), ("MINIMUM", "minimums", "RESERVED_MIN")):
        if asked not in done.ask.aggregations or not done.ask.metrics or done.groups.is_empty():
            continue
        how = {"TOTAL": pl.Expr.sum, "MAXIMUM": pl.Expr.max, "MINIMUM": pl.Expr.min}[asked]
        row = done.groups.select(how(pl.col(m.name)) for m in done.ask.metrics).select(_printed(m) for m in done.ask.metrics).row(0)
        found[name] = ([mark] * len(dimensions), [str(v) for v in row])
    return found
