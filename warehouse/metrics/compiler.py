"""A question and a scope, compiled into one bound SELECT."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlglot import exp

from domain.errors import UnknownName, UsageError
from domain.questions import AnswerColumn, Operator, Question, Scope
from warehouse.metrics.catalogue import Catalogue, DimensionInfo
from warehouse.metrics.filtering import predicate, project_days, wanted_projects
from warehouse.metrics.formulas import DIALECT, formula
from warehouse.metrics.scoping import ORGANIZATION, Bindings, Bound, Scoped, narrowed

MOST_ROWS = 100_000
"""How many rows an answer may have."""
MOST_DAYS = 3660
"""How many days a window may have."""

_ENTITY_KEYS = ("platform", "account_id")
_EMPTY = exp.Literal.string("")


@dataclass(frozen=True)
class Compiled:
    """One SELECT, its server-side parameters, and its columns in order; after them, where `counted`, the number of rows summed."""

    sql: str
    parameters: Mapping[str, Bound]
    columns: tuple[AnswerColumn, ...]
    counted: bool = False


class Compiler:
    """Compile one question for one scope. Identifiers come from the catalogue alone, values are bound."""

    def __init__(self, catalogue: Catalogue, scope: Scope, question: Question) -> None:
        _check(question)
        self._catalogue = catalogue
        self._question = question
        self._metrics = [catalogue.metric(name) for name in dict.fromkeys(question.metrics)]
        self._by = [catalogue.dimension(name) for name in dict.fromkeys(question.by)]
        self._filters = [(catalogue.dimension(wanted.dimension), wanted) for wanted in question.where]
        self._bindings = Bindings()
        self._scoped = Scoped(scope, question.since, question.until, self._bindings)

    def answer(self) -> Compiled:
        """Compile the question itself: measures summed by the dimensions inside, formulas and names outside.

        Without dimensions it gives exactly one row, also over no rows.
        """
        columns = self._columns()
        outer = exp.select(*self._dimension_outputs(), *(exp.alias_(formula(self._catalogue, m, "m"), m.name) for m in self._metrics))
        outer = outer.from_(self._sums().subquery("m"))
        for dimension in self._by:
            if dimension.name_table:
                outer = self._named(outer, dimension)
        order = self._order([column.name for column in columns])
        if not self._by:
            return self._compiled(outer.select(exp.column("summed_rows", table="m")), columns, counted=True)
        limit = MOST_ROWS + 1 if self._question.limit is None else self._question.limit
        return self._compiled(outer.order_by(*order).limit(limit), columns)

    def currencies(self) -> Compiled | None:
        """Compile the list of currencies that the answer's money would mix, None where it cannot mix any.

        The check reads the same rows as the answer: same scope, window, filters and as-of.
        """
        money = any(self._catalogue.involves_money(metric.name) for metric in self._metrics)
        kept_apart = any(dimension.name == "currency" for dimension in self._by)
        one = any(d.name == "currency" and w.operator is not Operator.CONTAINS and len(set(w.values)) == 1 for d, w in self._filters)
        if not money or kept_apart or one:
            return None
        query = self._filtered(exp.select(exp.alias_(exp.column("currency_code", table="f"), "currency")).distinct())
        return self._compiled(query, (AnswerColumn(name="currency", kind="dimension"),))

    def _compiled(self, query: exp.Select, columns: tuple[AnswerColumn, ...], *, counted: bool = False) -> Compiled:
        _insist_on_scope(query)
        return Compiled(query.sql(dialect=DIALECT, pretty=True), dict(self._bindings.values), columns, counted)

    def _columns(self) -> tuple[AnswerColumn, ...]:
        named = [name for d in self._by for name in (d.name, d.names) if name]
        return (
            *(AnswerColumn(name=name, kind="dimension") for name in named),
            *(AnswerColumn(name=metric.name, kind="metric", unit=metric.unit) for metric in self._metrics),
        )

    def _fact(self) -> exp.Expr:
        """Name the fact, or its as-of view with the window and the organization pushed down."""
        table = exp.to_table(f"{self._catalogue.database}.{self._catalogue.table}", alias="f")
        if self._question.as_of is None:
            return table
        since, until = self._scoped.window()
        arguments = {
            "as_of": self._bindings.named("as_of", self._question.as_of, "DateTime64(6, 'UTC')"),
            ORGANIZATION: self._scoped.organization(),
            "since": since,
            "until": until,
        }
        view = exp.Anonymous(this=f"{self._catalogue.table}__as_of", expressions=[exp.column(name).eq(value) for name, value in arguments.items()])
        table.set("this", view)
        return table

    def _filtered(self, query: exp.Select) -> exp.Select:
        """Read the fact in the scope, the window and the filters."""
        since, until = self._scoped.window()
        query = narrowed(query.from_(self._fact()), self._scoped.owned("f"), exp.column("date_day", table="f").between(since, until))
        if self._scoped.limited_to_projects and not any(d.name == "project" for d, _ in self._filters):
            narrowed(query, project_days(self._scoped))
        for dimension, wanted in self._filters:
            narrowed(query, predicate(dimension, wanted, self._scoped))
        return query

    def _sums(self) -> exp.Select:
        keys = self._keys()
        measures = dict.fromkeys(measure for metric in self._metrics for measure in self._catalogue.measures_of(metric.name))
        sums = [exp.alias_(exp.Sum(this=exp.column(measure, table="f")), measure) for measure in measures]
        query = self._filtered(exp.select(*(exp.alias_(column, name) for name, column in keys.items()), *sums))
        if any(dimension.name == "project" for dimension in self._by):
            query = self._with_projects(query)
        if not keys:
            return query.select(exp.alias_(exp.Count(this=exp.Star()), "summed_rows"))
        return query.group_by(*(column.copy() for column in keys.values()))

    def _keys(self) -> dict[str, exp.Expr]:
        """Name what to group by. Ids are unique within an account only, so they bring their platform and account with them.

        What has no id (residual rows) is one group, whatever account it comes from.
        """
        keys: dict[str, exp.Expr] = {}
        for dimension in self._by:
            if dimension.name == "project":
                keys["project_id"] = exp.column("project_id", table="p")
                continue
            column = exp.column(dimension.column, table="f")
            keys[dimension.column] = column
            for owner in _owners(dimension):
                keys[f"{dimension.name}_{owner}"] = exp.func("if", column.eq(_EMPTY.copy()), _EMPTY.copy(), exp.column(owner, table="f"), dialect=DIALECT)
        return keys

    def _with_projects(self, query: exp.Select) -> exp.Select:
        """Put each row under the projects that its account belonged to on its day; no project gives NULL."""
        days = self._scoped.assigned_days("project_id")
        for dimension, wanted in self._filters:
            if dimension.name == "project":
                narrowed(days, wanted_projects(wanted, self._scoped))
        on = [exp.column(name, table="f").eq(exp.column(name, table="p")) for name in _ENTITY_KEYS]
        on.append(exp.column("date_day", table="f").eq(exp.column("day", table="p")))
        return query.join(days.subquery("p"), on=exp.and_(*on), join_type="left")

    def _dimension_outputs(self) -> list[exp.Expr]:
        outputs: list[exp.Expr] = []
        for dimension in self._by:
            column = exp.column(dimension.column, table="m")
            if not dimension.name_table:
                outputs.append(exp.alias_(column, dimension.name))
                continue
            outputs.append(exp.alias_(_none_if_empty(column), dimension.name))
            name = exp.column(dimension.name_column, table=f"n_{dimension.name}")
            outputs.append(exp.alias_(_none_if_empty(name), dimension.names))
        return outputs

    def _named(self, query: exp.Select, dimension: DimensionInfo) -> exp.Select:
        """Join the latest names of an id dimension."""
        alias = f"n_{dimension.name}"
        keys = {owner: f"{dimension.name}_{owner}" for owner in _owners(dimension)} | {dimension.column: dimension.column}
        names = self._scoped.dimension(dimension.name_table, *keys, dimension.name_column)
        if dimension.name == "project":
            names = names.distinct()
        on = exp.and_(*(exp.column(key, table="m").eq(exp.column(column, table=alias)) for column, key in keys.items()))
        return query.join(names.subquery(alias), on=on, join_type="left")

    def _order(self, columns: list[str]) -> list[exp.Ordered]:
        """Sort as asked, then by every dimension, so that equal questions give equal answers."""
        order: dict[str, bool] = {}
        for entry in self._question.order_by:
            name = entry.removeprefix("-")
            if name not in columns:
                raise UnknownName("column to sort by", name, columns)
            order.setdefault(name, entry.startswith("-"))
        for dimension in self._by:
            order.setdefault(dimension.name, False)
        asked = [exp.Ordered(this=exp.column(name), desc=down, nulls_first=False) for name, down in order.items()]
        return [*asked, *(exp.Ordered(this=exp.column(key, table="m"), desc=False, nulls_first=False) for key in self._keys())]


def _owners(dimension: DimensionInfo) -> tuple[str, ...]:
    """Name the columns within which a dimension's ids are unique."""
    if not dimension.name_table or dimension.name == "project":
        return ()
    return tuple(owner for owner in _ENTITY_KEYS if owner != dimension.column)


def _none_if_empty(column: exp.Column) -> exp.Expr:
    return exp.func("nullIf", column, _EMPTY.copy(), dialect=DIALECT)


def _check(question: Question) -> None:
    if question.since > question.until:
        raise UsageError(f"The window starts on {question.since}, after its end on {question.until}", fix="Swap --since and --until")
    if question.until - question.since >= timedelta(days=MOST_DAYS):
        raise UsageError(f"The window {question.since}..{question.until} is longer than {MOST_DAYS} days", fix="Ask for a shorter window")
    if question.limit is not None and not 1 <= question.limit <= MOST_ROWS:
        raise UsageError(f"A limit of {question.limit} rows cannot be taken", fix=f"Choose 1 to {MOST_ROWS}")
    if question.as_of is not None and question.as_of.tzinfo is None:
        raise UsageError("as_of has no time zone", fix="Pass an instant with its offset, e.g. 2025-06-01T00:00:00Z")


def _insist_on_scope(query: exp.Expr) -> None:
    """Refuse to hand out a SELECT in which a stored relation stands without its organization: the scope cannot be dropped."""
    for table in query.find_all(exp.Table):
        select = table.find_ancestor(exp.Select)
        where = select.args.get("where") if select else None
        if where is None or not any(_owns(test, table.alias) for test in _conjuncts(where.this)):
            raise AssertionError(f"{table.sql(dialect=DIALECT)} is read without its organization")


def _conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    return [part for side in (condition.left, condition.right) for part in _conjuncts(side)] if isinstance(condition, exp.And) else [condition]


def _owns(test: exp.Expr, alias: str) -> bool:
    if not isinstance(test, exp.EQ) or not isinstance(test.left, exp.Column) or not isinstance(test.right, exp.Placeholder):
        return False
    return (test.left.table, test.left.name, test.right.name) == (alias, ORGANIZATION, "organization")
