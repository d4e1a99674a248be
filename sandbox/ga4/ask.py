"""Read a RunReportRequest (as its JSON says it) into what is to be computed, with GA4's own refusals."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

import polars as pl

from sandbox.ga4.errors import incompatible, invalid, unknown_field
from sandbox.ga4.fields import DIMENSIONS, ITEM_METRICS, METRICS, NOT_SET, OF_ITEMS, Dimension, Metric, find_dimension, find_metric
from sandbox.ga4.filters import Known, compile_filter, fields_of
from sandbox.ga4.messages import word

DEFAULT_LIMIT, MAX_LIMIT = 10_000, 250_000
MAX_DIMENSIONS, MAX_METRICS, MAX_RANGES = 9, 10, 4
RANGE = "dateRange"
AGGREGATIONS = ("TOTAL", "MAXIMUM", "MINIMUM", "COUNT")
_DAYS_AGO = re.compile(r"^(\d+)daysAgo$")
_KEYS = frozenset(
    {
        "property",
        "dimensions",
        "metrics",
        "dateRanges",
        "dimensionFilter",
        "metricFilter",
        "offset",
        "limit",
        "metricAggregations",
        "orderBys",
        "currencyCode",
        "cohortSpec",
        "keepEmptyRows",
        "returnPropertyQuota",
        "comparisons",
    }
)


@dataclass(frozen=True)
class Range:
    """Dates, both inclusive, and the name under which they are answered."""

    since: date
    until: date
    name: str


@dataclass(frozen=True)
class Order:
    """One sort key: the name of a column, as text, regardless of case, or as a number."""

    column: str
    descending: bool
    kind: str


@dataclass(frozen=True)
class Ask:
    """A request that can be answered. Filters are expressions, over rows and over groups."""

    dimensions: tuple[Dimension, ...]
    metrics: tuple[Metric, ...]
    hidden_metrics: tuple[Metric, ...]
    ranges: tuple[Range, ...]
    row_filter: pl.Expr | None
    group_filter: pl.Expr | None
    orders: tuple[Order, ...]
    offset: int
    limit: int
    keep_empty: bool
    wants_quota: bool
    aggregations: tuple[str, ...]
    compared: bool = False
    """Whether dates ranges are told apart by a column of their own."""


def read_ask(body: Mapping[str, Any], today: date, known: Known) -> Ask:
    """Return what a request asks for. Raises AnalyticsError for what GA4 refuses."""
    if unknown := sorted(set(body) - _KEYS):
        raise invalid(f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
    if body.get("cohortSpec") or body.get("comparisons"):
        raise invalid("Cohorts and comparisons are not served by this sandbox.")
    dimensions, explicit_range = _dimensions(body.get("dimensions") or ())
    metrics, hidden = _metrics(body.get("metrics") or (), known)
    if not dimensions and not metrics and not explicit_range:
        raise invalid("Requests require dimensions and/or metrics. Most requests include both.")
    ranges = _ranges(body.get("dateRanges") or (), today)
    filtered = fields_of(body.get("dimensionFilter"))
    _bounds(len({d.name for d in dimensions} | set(filtered)), len(metrics) + len(hidden))
    _compatible(dimensions, metrics)
    row_filter = compile_filter(body["dimensionFilter"], "dimension", known) if body.get("dimensionFilter") else None
    group_filter = None
    if body.get("metricFilter"):
        group_filter = compile_filter(body["metricFilter"], "metric", known)
        asked = {m.name for m in (*metrics, *hidden)}
        extra = [find_metric(n, known) for n in dict.fromkeys(fields_of(body["metricFilter"])) if n not in asked]
        hidden = (*hidden, *(m for m in extra if m))
    compared = explicit_range or len(ranges) > 1
    columns = {d.name for d in dimensions} | ({RANGE} if compared else set())
    return Ask(
        dimensions,
        metrics,
        hidden,
        ranges,
        row_filter,
        group_filter,
        _orders(body.get("orderBys") or (), columns, {m.name for m in (*metrics, *hidden)}),
        _whole(body, "offset"),
        min(_whole(body, "limit") or DEFAULT_LIMIT, MAX_LIMIT),
        bool(body.get("keepEmptyRows")),
        bool(body.get("returnPropertyQuota")),
        _aggregations(body.get("metricAggregations") or ()),
        compared,
    )


def _dimensions(asked: Sequence[Mapping[str, Any]]) -> tuple[tuple[Dimension, ...], bool]:
    found: list[Dimension] = []
    explicit = False
    for one in asked:
        name = str(one.get("name", ""))
        if name == RANGE:
            explicit = True
        elif expression := one.get("dimensionExpression"):
            found.append(Dimension(name, "Computed", _expression(expression)))
        else:
            found.append(dimension(name))
    return tuple(found), explicit


def dimension(name: str) -> Dimension:
    """Return a dimension. Raises AnalyticsError for one that the API does not have."""
    found = find_dimension(name)
    if found is None:
        raise unknown_field("dimension", name, _nearest(name, DIMENSIONS))
    return found


def reading(of: Dimension) -> pl.Expr:
    """Return the expression that reads a dimension from the facts."""
    return pl.lit(NOT_SET) if of.expression is None else of.expression


def _expression(asked: Mapping[str, Any]) -> pl.Expr:
    """Compile lowerCase, upperCase or concatenate."""
    for case in ("lowerCase", "upperCase"):
        if case in asked:
            text = reading(dimension(str(asked[case].get("dimensionName", ""))))
            return text.str.to_lowercase() if case == "lowerCase" else text.str.to_uppercase()
    joined = asked.get("concatenate") or {}
    names = [str(n) for n in joined.get("dimensionNames") or ()]
    if not names:
        raise invalid("A dimensionExpression requires one of lowerCase, upperCase or concatenate.")
    return pl.concat_str([reading(dimension(n)) for n in names], separator=str(joined.get("delimiter", "")))


def _metrics(asked: Sequence[Mapping[str, Any]], known: Known) -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
    shown: list[Metric] = []
    hidden: list[Metric] = []
    for one in asked:
        name = str(one.get("name", ""))
        if one.get("expression"):
            raise invalid("Metric expressions are not served by this sandbox.")
        (hidden if one.get("invisible") else shown).append(metric(name, known))
    return tuple(shown), tuple(hidden)


def metric(name: str, known: Known) -> Metric:
    """Return a metric. Raises AnalyticsError for one that the property does not have."""
    found = find_metric(name, known)
    if found is None:
        raise unknown_field("metric", name, _nearest(name, METRICS))
    return found


def _nearest(name: str, names: Mapping[str, object]) -> str:
    """Offer a name that is nearly the one asked for."""
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.8)), "")


def _ranges(asked: Sequence[Mapping[str, Any]], today: date) -> tuple[Range, ...]:
    if not asked:
        raise invalid("A dateRange is required.")
    if len(asked) > MAX_RANGES:
        raise invalid(f"Requests are limited to {MAX_RANGES} dateRanges.\n  This request contains {len(asked)} dateRanges.")
    found = []
    for number, one in enumerate(asked):
        since, until = (_day(str(one.get(end, "")), today, end) for end in ("startDate", "endDate"))
        if since > until:
            raise invalid(f"Invalid dateRange: startDate {since} is after endDate {until}.")
        name = str(one.get("name", "") or f"date_range_{number}")
        if one.get("name") and name.startswith(("date_range_", "RESERVED_")):
            raise invalid(f"The dateRange name {name} is invalid: it cannot begin with `date_range_` or `RESERVED_`.")
        found.append(Range(since, until, name))
    return tuple(found)


def _day(text: str, today: date, which: str) -> date:
    if text in ("today", "yesterday"):
        return today - timedelta(days=text == "yesterday")
    if ago := _DAYS_AGO.match(text):
        return today - timedelta(days=int(ago[1]))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(f"Invalid {which}: {text}. Use the format YYYY-MM-DD, NdaysAgo, yesterday, or today.") from None


def _bounds(dimensions: int, metrics: int) -> None:
    for kind, count, most in (("metrics", metrics, MAX_METRICS), ("dimensions", dimensions, MAX_DIMENSIONS)):
        if count > most:
            raise invalid(f"Requests are limited to {most} {kind} within a nested request.\n  This request is for {count} {kind}.")


def _compatible(dimensions: Sequence[Dimension], metrics: Sequence[Metric]) -> None:
    if any(d.name in OF_ITEMS for d in dimensions):
        for one in metrics:
            if one.name not in ITEM_METRICS:
                raise incompatible(one.name)


def _orders(asked: Sequence[Mapping[str, Any]], dimensions: set[str], metrics: set[str]) -> tuple[Order, ...]:
    found = []
    for one in asked:
        descending = bool(one.get("desc"))
        if "metric" in one:
            name, known, kind = str(one["metric"].get("metricName", "")), metrics, "NUMERIC"
        elif "dimension" in one:
            name, known = str(one["dimension"].get("dimensionName", "")), dimensions
            kind = word("OrderType", one["dimension"].get("orderType"), "ALPHANUMERIC")
        else:
            raise invalid("An orderBy requires a metric or a dimension.")
        if name not in known:
            raise invalid(f"Order by field {name} is not in the request. Fields to order by must be among the request's dimensions and metrics.")
        found.append(Order(name, descending, kind))
    return tuple(found)


def _aggregations(asked: Sequence[object]) -> tuple[str, ...]:
    words = tuple(word("Aggregation", one) for one in asked)
    for one in words:
        if one not in AGGREGATIONS:
            kind = "type.googleapis.com/google.analytics.data.v1beta.MetricAggregation"
            raise invalid(f"Invalid value at 'metric_aggregations[0]' ({kind}), \"{one}\"")
    return words


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name) or 0
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise invalid(f"Invalid value at '{name}' (TYPE_INT64), \"{value}\"") from None
    if number < 0:
        raise invalid(f"The {name} must be non-negative. The {name} in this request is {number}.")
    return number
