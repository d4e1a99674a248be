"""Metric formulas as SQL over summed measures: ratios of sums, NULL on a zero denominator, money exact."""

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from warehouse.metrics.catalogue import Catalogue, MetricInfo

DIALECT = "clickhouse"
MONEY_SCALE = 12
"""Decimal places of a money ratio; the division cuts, it does not round."""


Leaf = Callable[[str], exp.Expr]
"""Gives the expression in which a measure is already summed."""


def formula(catalogue: Catalogue, metric: MetricInfo, leaf: Leaf) -> exp.Expr:
    """Return the metric over summed measures.

    Counts stay Int64 and plain sums Decimal(38, 6). Money ratios are Decimal(38, 12), ratios Float64 of exact sums.
    """
    if metric.measure:
        return leaf(metric.measure)
    tree = _over_measures(catalogue, metric)
    return _typed(tree, metric.unit, leaf, numerator=True)


def _over_measures(catalogue: Catalogue, metric: MetricInfo) -> exp.Expr:
    """Replace the names of metrics by their own formulas until only measures are left."""
    if metric.measure:
        return exp.column(metric.measure)
    tree = sqlglot.parse_one(metric.formula, dialect=DIALECT)

    def expand(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        part = catalogue.metric(node.name)
        return exp.column(part.measure) if part.measure else exp.paren(_over_measures(catalogue, part))

    return tree.transform(expand)


def _typed(node: exp.Expr, unit: str, leaf: Leaf, *, numerator: bool) -> exp.Expr:
    """Give every leaf its type and every division its guard."""
    if isinstance(node, exp.Column):
        column = leaf(node.name)
        if unit == "ratio":
            return exp.func("toFloat64", column, dialect=DIALECT)
        return exp.func("toDecimal128", column, exp.Literal.number(MONEY_SCALE), dialect=DIALECT) if numerator else column
    if isinstance(node, exp.Div):
        return exp.Div(
            this=_typed(node.left, unit, leaf, numerator=numerator),
            expression=exp.func("nullIf", _typed(node.right, unit, leaf, numerator=False), exp.Literal.number(0), dialect=DIALECT),
        )
    if isinstance(node, exp.Binary):
        return type(node)(this=_typed(node.left, unit, leaf, numerator=numerator), expression=_typed(node.right, unit, leaf, numerator=numerator))
    if isinstance(node, exp.Paren):
        return exp.paren(_typed(node.this, unit, leaf, numerator=numerator), copy=False)
    return node.copy()
