"""Filters of a question as bound predicates over the fact `f`."""

from datetime import date

import sqlglot
from sqlglot import exp

from domain.errors import UnknownName, UsageError
from domain.platforms import Platform
from domain.questions import Filter, Operator
from warehouse.metrics.catalogue import DimensionInfo
from warehouse.metrics.formulas import DIALECT
from warehouse.metrics.scoping import Scoped, is_in, narrowed

MOST_VALUES = 1000
"""How many values one filter may hold."""


def predicate(dimension: DimensionInfo, wanted: Filter, scoped: Scoped) -> exp.Expr:
    """Return the predicate of one filter.

    An id dimension matches its id or its latest name. Raises UsageError for values that its dimension cannot have.
    """
    if not wanted.values:
        raise UsageError(f"The filter on {dimension.name} has no value", fix="Name at least one value, or leave the filter out")
    if len(wanted.values) > MOST_VALUES:
        raise UsageError(f"The filter on {dimension.name} has {len(wanted.values)} values", why=f"At most {MOST_VALUES} are taken", fix="Filter by a parent")
    if any("\0" in value for value in wanted.values):
        raise UsageError(f"The filter on {dimension.name} holds a NUL character", fix="Remove it")
    if dimension.name == "date":
        return _on_dates(wanted, scoped)
    if dimension.name == "project":
        return project_days(scoped, wanted)
    column = exp.column(dimension.column, table="f")
    if not dimension.name_table:
        return _on_text(dimension, wanted, column, scoped)
    keys = tuple(dict.fromkeys(("platform", "account_id", dimension.column)))
    named = narrowed(scoped.dimension(dimension.name_table, *keys), _matches(wanted, exp.column(dimension.name_column, table="d"), scoped))
    entities = is_in(exp.Tuple(expressions=[exp.column(key, table="f") for key in keys]), named)
    return exp.paren(exp.or_(_matches(wanted, column, scoped), entities))


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


def _on_dates(wanted: Filter, scoped: Scoped) -> exp.Expr:
    if wanted.operator is Operator.CONTAINS:
        raise UsageError("A date cannot be filtered with 'contains'", fix="Name whole dates, or set the window")
    try:
        days = tuple(date.fromisoformat(value).isoformat() for value in wanted.values)
    except ValueError as error:
        raise UsageError(f"The filter on date holds no date: {error}", fix="Write dates as YYYY-MM-DD") from error
    return is_in(exp.func("toString", exp.column("date_day", table="f"), dialect=DIALECT), scoped.bindings.strings(days))


def _on_text(dimension: DimensionInfo, wanted: Filter, column: exp.Column, scoped: Scoped) -> exp.Expr:
    if dimension.name == "platform" and wanted.operator is not Operator.CONTAINS:
        for value in wanted.values:
            if value not in tuple(Platform):
                raise UnknownName("platform", value, tuple(Platform))
    return _matches(wanted, column, scoped)


def _matches(wanted: Filter, column: exp.Column, scoped: Scoped) -> exp.Expr:
    values = scoped.bindings.strings(wanted.values)
    if wanted.operator is not Operator.CONTAINS:
        return is_in(column, values)
    found = sqlglot.parse_one("arrayExists(word -> positionCaseInsensitiveUTF8(toString(hay), word) > 0, words)", dialect=DIALECT)
    parts = {"hay": column, "words": values}
    return found.transform(lambda node: parts[node.name].copy() if isinstance(node, exp.Column) and node.name in parts else node)
