"""What happens to summed rows before they are printed: metric filters, the top with its rest, and totals.

Every step works on measures and never on ratios, so that `other` and `total` are ratios of sums.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from warehouse.metrics.formulas import DIALECT, Leaf
from warehouse.metrics.parts import EMPTY, ROWS

PLACE = "place"
"""The column of an entity's rank; the rest has the place after the last."""
ROW_TYPE = "row_type"
"""The column that tells `row`, `other` and `total` apart."""


@dataclass(frozen=True)
class Summed:
    """Rows of keys and summed measures; `measures` name their columns and how they are summed further: SUM or MAX."""

    query: exp.Query
    keys: tuple[str, ...]
    measures: Mapping[str, type[exp.AggFunc]]


def leaf_of(relation: str, *, additive: Callable[[str], bool], suffix: str = "", prefix: str = "") -> Leaf:
    """Return how a formula reads a measure of a relation; what does not add up is NULL unless one row of the fact gave it."""

    def leaf(measure: str) -> exp.Expr:
        column = exp.column(prefix + measure + suffix, table=relation)
        if additive(measure):
            return column
        alone = exp.column(prefix + measure + suffix + ROWS, table=relation).eq(exp.Literal.number(1))
        return exp.func("if", alone, column, exp.null(), dialect=DIALECT)

    return leaf


def united(parts: Sequence[exp.Select], keys: Sequence[str], measures: Mapping[str, type[exp.AggFunc]], *, counted: bool) -> exp.Select:
    """Bring the parts of several facts and windows together under their keys."""
    union: exp.Query = parts[0]
    for part in parts[1:]:
        union = exp.union(union, part, distinct=False, copy=False)
    query = exp.select(*_carried(keys, "u"), *_summed(measures, "u"))
    if counted:
        query = query.select(exp.alias_(exp.Sum(this=exp.column("summed_rows", table="u")), "summed_rows"))
    query = query.from_(union.subquery("u"))
    return query.group_by(*(exp.column(key, table="u") for key in keys)) if keys else query


def kept(rows: Summed, conditions: Sequence[exp.Expr]) -> Summed:
    """Keep the rows whose metrics, read from `m`, are within bounds."""
    query = exp.select("m.*").from_(_sub(rows.query, "m")).where(*conditions)
    return Summed(query, rows.keys, rows.measures)


def folded(
    rows: Summed, entities: Sequence[str], apart: Sequence[str], rank: Callable[[Leaf], exp.Expr], leaf: Callable[[str], Leaf], most: exp.Expr
) -> Summed:
    """Keep the first entities by rank within each of what is kept `apart`, whatever their dates; the rest becomes one.

    `rank` is the ordered value over the sums of a whole entity.
    """
    source, read = rows.query, leaf("m")
    if set(rows.keys) - set(entities) - set(apart):
        whole = [exp.Window(this=total.this, partition_by=[exp.column(key, table="m") for key in (*entities, *apart)]) for total in _summed(rows.measures, "m")]
        named = [exp.alias_(window, f"w_{name}") for window, name in zip(whole, rows.measures, strict=True)]
        source, read = exp.select("m.*", *named).from_(_sub(rows.query, "m")), leaf("w_m")
    order = exp.Order(expressions=[rank(read), *(exp.Ordered(this=exp.column(key, table="m"), nulls_first=False) for key in entities)])
    place = exp.Window(this=exp.Anonymous(this="dense_rank"), partition_by=[exp.column(key, table="m") for key in apart], order=order)
    ranked = exp.select("m.*", exp.alias_(place, PLACE)).from_(_sub(source, "m"))
    column = exp.column(PLACE, table="t")
    inside = exp.LTE(this=column, expression=most)
    keys = [
        exp.alias_(
            exp.func("if", inside.copy(), exp.column(key, table="t"), EMPTY.copy(), dialect=DIALECT) if key in entities else exp.column(key, table="t"), key
        )
        for key in rows.keys
    ]
    rest = exp.alias_(exp.func("least", column.copy(), exp.Add(this=most.copy(), expression=exp.Literal.number(1)), dialect=DIALECT), PLACE)
    query = exp.select(*keys, rest, *_summed(rows.measures, "t")).from_(_sub(ranked, "t"))
    groups = [key.this.copy() for key in (*keys, rest)]
    return Summed(query.group_by(*groups), (*rows.keys, PLACE), rows.measures)


def with_totals(rows: Summed, apart: Sequence[str]) -> Summed:
    """Add a row over all rows, one for each of what is kept apart."""
    own = [exp.column(key, table="g") for key in rows.keys]
    free = next(key for key in rows.keys if key not in apart)
    total = exp.func("grouping", exp.column(free, table="g"), dialect=DIALECT).eq(exp.Literal.number(1))
    kind = exp.func("if", total, exp.Literal.string("total"), exp.Literal.string("row"), dialect=DIALECT)
    query = exp.select(*_carried(rows.keys, "g"), *_summed(rows.measures, "g"), exp.alias_(kind, ROW_TYPE)).from_(_sub(rows.query, "g"))
    sets = [exp.Tuple(expressions=own), exp.Tuple(expressions=[exp.column(key, table="g") for key in apart])]
    query.set("group", exp.Group(expressions=[exp.GroupingSets(expressions=sets)]))
    return Summed(query, (*rows.keys, ROW_TYPE), rows.measures)


def _sub(query: exp.Query, alias: str) -> exp.Subquery:
    return query.subquery(alias)


def _carried(keys: Sequence[str], table: str) -> list[exp.Expr]:
    return [exp.alias_(exp.column(key, table=table), key) for key in keys]


def _summed(measures: Mapping[str, type[exp.AggFunc]], table: str) -> list[exp.Alias]:
    return [exp.Alias(this=function(this=exp.column(name, table=table)), alias=exp.to_identifier(name)) for name, function in measures.items()]
