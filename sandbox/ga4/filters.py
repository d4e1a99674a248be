"""FilterExpressions as polars expressions: over rows for dimensions, over groups for metrics."""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, or_
from typing import Any

import polars as pl

from sandbox.ga4.errors import invalid, unknown_field
from sandbox.ga4.fields import NOT_SET, find_dimension, find_metric
from sandbox.ga4.messages import word

Known = Callable[[], frozenset[str]]
"""Tells the property's key events."""

_COMPARED = {
    "EQUAL": pl.Expr.eq,
    "LESS_THAN": pl.Expr.lt,
    "LESS_THAN_OR_EQUAL": pl.Expr.le,
    "GREATER_THAN": pl.Expr.gt,
    "GREATER_THAN_OR_EQUAL": pl.Expr.ge,
}


def fields_of(expression: Mapping[str, Any] | None) -> list[str]:
    """List the fields that a filter names."""
    if not expression:
        return []
    if "filter" in expression:
        return [str(expression["filter"].get("fieldName", ""))]
    if "notExpression" in expression:
        return fields_of(expression["notExpression"])
    group = expression.get("andGroup") or expression.get("orGroup") or {}
    return [name for part in group.get("expressions") or () for name in fields_of(part)]


def compile_filter(expression: Mapping[str, Any], kind: str, known: Known) -> pl.Expr:
    """Return the expression that keeps what the filter keeps. Raises AnalyticsError for a field or shape that is none."""
    for group, joined in (("andGroup", and_), ("orGroup", or_)):
        if group in expression:
            parts = [compile_filter(part, kind, known) for part in (expression[group].get("expressions") or ())]
            if not parts:
                raise invalid(f"The {kind}Filter holds an empty {group}.")
            return reduce(joined, parts)
    if "notExpression" in expression:
        return ~compile_filter(expression["notExpression"], kind, known)
    if "filter" not in expression:
        raise invalid(f"The {kind}Filter requires one of andGroup, orGroup, notExpression or filter.")
    return _filter(expression["filter"], kind, known)


def _filter(one: Mapping[str, Any], kind: str, known: Known) -> pl.Expr:
    name = str(one.get("fieldName", ""))
    if kind == "dimension":
        found = find_dimension(name)
        if found is None:
            raise unknown_field("dimension", name)
        value = pl.lit(NOT_SET) if found.expression is None else found.expression
        return _text(one, value)
    metric = find_metric(name, known)
    if metric is None:
        raise unknown_field("metric", name)
    return _number(one, pl.col(name) / (metric.scale or 1))


def _text(one: Mapping[str, Any], value: pl.Expr) -> pl.Expr:
    if "emptyFilter" in one:
        return value.is_in(["", NOT_SET])
    if "inListFilter" in one:
        listed = one["inListFilter"]
        values = [str(v) for v in listed.get("values") or ()]
        if listed.get("caseSensitive"):
            return value.is_in(values)
        return value.str.to_lowercase().is_in([v.lower() for v in values])
    if "stringFilter" in one:
        return _string(one["stringFilter"], value)
    return _number(one, value.cast(pl.Float64, strict=False)).fill_null(value=False)


def _string(asked: Mapping[str, Any], value: pl.Expr) -> pl.Expr:
    wanted, sensitive = str(asked.get("value", "")), bool(asked.get("caseSensitive"))
    match = word("MatchType", asked.get("matchType"), "EXACT")
    if match in ("FULL_REGEXP", "PARTIAL_REGEXP"):
        body = f"^(?:{wanted})$" if match == "FULL_REGEXP" else wanted
        return value.str.contains(body if sensitive else f"(?i){body}")
    if not sensitive:
        value, wanted = value.str.to_lowercase(), wanted.lower()
    match match:
        case "EXACT" | "MATCH_TYPE_UNSPECIFIED":
            return value == wanted
        case "BEGINS_WITH":
            return value.str.starts_with(wanted)
        case "ENDS_WITH":
            return value.str.ends_with(wanted)
        case "CONTAINS":
            return value.str.contains(wanted, literal=True)
    raise invalid(f"Invalid value at 'string_filter.match_type', \"{match}\"")


def _number(one: Mapping[str, Any], value: pl.Expr) -> pl.Expr:
    if "numericFilter" in one:
        compare = _COMPARED.get(word("Operation", one["numericFilter"].get("operation")))
        if compare is None:
            raise invalid("Invalid value at 'numeric_filter.operation'")
        compared: pl.Expr = compare(value, _value(one["numericFilter"].get("value")))
        return compared
    if "betweenFilter" in one:
        between = one["betweenFilter"]
        return value.is_between(_value(between.get("fromValue")), _value(between.get("toValue")))
    raise invalid(f"Filter on field {one.get('fieldName', '')} is of no kind that the field has.")


def _value(asked: Mapping[str, Any] | None) -> float:
    given = asked or {}
    return float(given.get("doubleValue") or given.get("int64Value") or 0)
