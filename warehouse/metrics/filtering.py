"""Filters of a question as bound predicates over the fact `f`."""

from datetime import date
from decimal import Decimal, InvalidOperation

import sqlglot
from sqlglot import exp

from domain.errors import UsageError
from domain.questions import Filter, Operator
from warehouse.metrics.catalogue import DimensionInfo, MetricInfo
from warehouse.metrics.formulas import DIALECT
from warehouse.metrics.scoping import Scoped, is_in, narrowed

_NO_TEXT = ("is_primary",)
"""Columns of dimensions that are not text; they are filtered by how they print: true, false."""
MOST_VALUES = 1000
"""How many values one filter may hold."""


def check_values(wanted: Filter) -> None:
    """Refuse a filter without values, with too many, or with ones that no text holds. Raises UsageError."""
    if not wanted.values:
        raise UsageError(f"The filter on {wanted.dimension} has no value", fix="Name at least one value, or leave the filter out")
    if len(wanted.values) > MOST_VALUES:
        raise UsageError(f"The filter on {wanted.dimension} has {len(wanted.values)} values", why=f"At most {MOST_VALUES} are taken", fix="Filter by a parent")
    if any("\0" in value for value in wanted.values):
        raise UsageError(f"The filter on {wanted.dimension} holds a NUL character", fix="Remove it")


def predicate(dimension: DimensionInfo, wanted: Filter, scoped: Scoped, day: exp.Expr) -> exp.Expr:
    """Return the predicate of one filter over the fact `f`; `day` is the date of a row as it counts in the question's window.

    An id dimension matches its id or its name. Raises UsageError for values that its dimension cannot have.
    """
    check_values(wanted)
    if dimension.name == "date":
        return _on_dates(wanted, scoped, day)
    if wanted.operator.is_bound:
        raise UsageError(f"{dimension.name} has no order, so that {wanted.operator} means nothing", fix="Put a range on date or on a metric")
    found = project_days(scoped, wanted) if dimension.name == "project" else _on_ids(dimension, wanted, scoped)
    return exp.not_(found) if wanted.operator.negated else found


def _on_ids(dimension: DimensionInfo, wanted: Filter, scoped: Scoped) -> exp.Expr:
    """Match a dimension's values, or the ids that have them as names."""
    column = exp.column(dimension.column, table="f")
    if not dimension.name_table:
        return _matches(wanted, column, scoped)
    keys = tuple(dict.fromkeys(("platform", "account_id", dimension.column)))
    named = narrowed(
        scoped.dimension(dimension.name_table, *keys, also=(dimension.name_column,)), _matches(wanted, exp.column(dimension.name_column, table="d"), scoped)
    )
    entities = is_in(exp.Tuple(expressions=[exp.column(key, table="f") for key in keys]), named)
    return exp.paren(exp.or_(_matches(wanted, column, scoped), entities))


def metric_bound(metric: MetricInfo, wanted: Filter, value: exp.Expr, scoped: Scoped) -> exp.Expr:
    """Return the predicate of a filter on a metric, whose formula is `value`. Raises UsageError for anything but a number."""
    check_values(wanted)
    comparisons = {Operator.AT_LEAST: exp.GTE, Operator.AT_MOST: exp.LTE, Operator.EQUALS: exp.EQ, Operator.NOT_EQUALS: exp.NEQ}
    if wanted.operator not in comparisons or len(wanted.values) > 1:
        raise UsageError(f"The metric {metric.name} cannot be filtered with {wanted.operator}", fix=f"Write {metric.name}>=100 or {metric.name}<=100")
    try:
        number = Decimal(wanted.values[0])
        if not number.is_finite() or abs(number) >= 10**20 or number != round(number, 12):
            raise InvalidOperation
    except InvalidOperation as error:
        raise UsageError(f"{wanted.values[0][:40]!r} is no number to compare {metric.name} with", fix=f"Write {metric.name}>=100") from error
    bound: exp.Expr = scoped.bindings.number(number)
    if metric.unit == "ratio":
        bound = exp.func("toFloat64", bound, dialect=DIALECT)
    return comparisons[wanted.operator](this=value, expression=bound)


def project_days(scoped: Scoped, wanted: Filter | None = None) -> exp.Expr:
    """Keep the rows whose account belonged, on the row's day, to a project of the scope, and to a wanted one."""
    days = scoped.assigned_days()
    if wanted is not None:
        narrowed(days, wanted_projects(wanted, scoped))
    return is_in(exp.Tuple(expressions=[exp.column(key, table="f") for key in ("platform", "account_id", "date_day")]), days)


def wanted_projects(wanted: Filter, scoped: Scoped) -> exp.Expr:
    """Match the assignments `d` by the project's id or name."""
    either = (_matches(wanted, exp.column(name, table="d"), scoped) for name in ("project_id", "project_name"))
    return exp.paren(exp.or_(*either))


def _on_dates(wanted: Filter, scoped: Scoped, day: exp.Expr) -> exp.Expr:
    if wanted.operator.by_part:
        raise UsageError(f"A date cannot be filtered with {wanted.operator.value!r}", fix="Name whole dates, or set the window")
    try:
        days = tuple(date.fromisoformat(value).isoformat() for value in wanted.values)
    except ValueError as error:
        raise UsageError(f"The filter on date holds no date: {error}", fix="Write dates as YYYY-MM-DD") from error
    text = exp.func("toString", day, dialect=DIALECT)
    if wanted.operator is Operator.AT_LEAST:
        return exp.GTE(this=text, expression=scoped.bindings.named("date_from", max(days), "String"))
    if wanted.operator is Operator.AT_MOST:
        return exp.LTE(this=text, expression=scoped.bindings.named("date_to", min(days), "String"))
    found = is_in(text, scoped.bindings.strings(days))
    return exp.not_(found) if wanted.operator.negated else found


def _matches(wanted: Filter, column: exp.Column, scoped: Scoped) -> exp.Expr:
    values = scoped.bindings.strings(wanted.values)
    if not wanted.operator.by_part:
        return is_in(exp.func("toString", column, dialect=DIALECT) if column.name in _NO_TEXT else column, values)
    found = sqlglot.parse_one("arrayExists(word -> positionCaseInsensitiveUTF8(toString(hay), word) > 0, words)", dialect=DIALECT)
    parts = {"hay": column, "words": values}
    return found.transform(lambda node: parts[node.name].copy() if isinstance(node, exp.Column) and node.name in parts else node)
