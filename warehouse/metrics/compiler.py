"""A question and a scope, compiled into one bound SELECT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from domain.errors import UnknownName, UsageError
from domain.questions import AnswerColumn, Question, Scope
from warehouse.as_of import AS_OF_SETTINGS
from warehouse.metrics.asking import currency_of, facts_for, has_history
from warehouse.metrics.catalogue import Catalogue, DimensionInfo, FactInfo, MetricInfo
from warehouse.metrics.filtering import metric_bound
from warehouse.metrics.formulas import DIALECT, Leaf, formula
from warehouse.metrics.parts import EMPTY, ROWS, Asked, Part, owners, time_zones
from warehouse.metrics.scoping import ORGANIZATION, Bindings, Bound, Scoped
from warehouse.metrics.shaping import PLACE, ROW_TYPE, Summed, folded, kept, leaf_of, united, with_totals
from warehouse.metrics.windows import periods

MOST_ROWS = 100_000
"""How many rows an answer may have."""
SHARED_RELATIONS = ("dim_fx_rate",)
"""Relations that belong to no organization: official exchange rates."""
_COSTS = ("spend",)
"""The measures that a VAT basis belongs to."""
_PREVIOUS = "__previous"
_REST = "other"


@dataclass(frozen=True)
class Compiled:
    """One SELECT, its server-side parameters and settings, and its columns in order; after them, where `counted`, the number of rows summed."""

    sql: str
    parameters: Mapping[str, Bound]
    columns: tuple[AnswerColumn, ...]
    counted: bool = False
    settings: Mapping[str, int] = field(default_factory=dict)


class Compiler:
    """Compile one question for one scope. Identifiers come from the catalogue alone, values are bound."""

    def __init__(self, catalogue: Catalogue, scope: Scope, question: Question) -> None:
        _check(question)
        self._catalogue = catalogue
        self._question = question
        self._metrics = [catalogue.metric(name) for name in dict.fromkeys(question.metrics)]
        self._bounds = [wanted for wanted in question.where if wanted.dimension in catalogue.metrics]
        rank = question.order_by[0].removeprefix("-") if question.top and question.order_by else ""
        self._rank = catalogue.metric(rank or question.metrics[0])
        needed = dict.fromkeys([*(m.name for m in self._metrics), *(w.dimension for w in self._bounds), *((self._rank.name,) if question.top else ())])
        self._needed = tuple(dict.fromkeys(measure for name in needed for measure in catalogue.measures_of(name)))
        names = tuple(dict.fromkeys((*(("date",) if question.grain and "date" not in question.by else ()), *question.by)))
        filters = tuple(wanted for wanted in question.where if wanted not in self._bounds)
        self.facts = facts_for(catalogue, needed, [*names, *(wanted.dimension for wanted in filters)])
        has_history(self.facts, question.as_of)
        self._by = [self.facts[0].dimensions[name] for name in names]
        self._currency = currency_of(question, scope)
        asked = Asked(names, question.grain, filters, self._currency, catalogue.money, len(self.facts) > 1)
        self._bindings = Bindings()
        self._parts = [
            Part(fact, period, Scoped(scope, period.window, self._bindings, period.prefix, question.as_of), asked, self._measures_of(fact))
            for period in periods(question)
            for fact in self.facts
        ]

    @property
    def currency(self) -> str | None:
        """Name the currency that money is converted into."""
        return self._currency

    @property
    def involves_money(self) -> bool:
        """Tell whether the answer holds money anywhere in a formula."""
        return not self._catalogue.money.isdisjoint(self._needed)

    @property
    def mixes_money(self) -> bool:
        """Tell whether the answer would add money of several currencies up, were there several."""
        return self.involves_money and self._currency is None and not any(d.name == "currency" for d in self._by)

    @property
    def spends(self) -> bool:
        """Tell whether the answer holds costs, which may include VAT."""
        return any("mixed_vat" in self._catalogue.measures[name][0].flags and name in _COSTS for name in self._needed)

    @property
    def needs_profiles(self) -> bool:
        """Tell whether it matters what the rows behind the answer are made of."""
        flagged = any(code != "mixed_vat" for fact in self.facts for code in fact.flags)
        apart = self.involves_money and (self.mixes_money or self.spends)
        return apart or flagged or self._question.compare is not None or len(self.facts) > 1

    @property
    def profiled(self) -> list[FactInfo]:
        """Return the fact of each profile."""
        return [part.fact for part in self._parts]

    @property
    def by(self) -> tuple[str, ...]:
        """Name the dimensions of the answer; a grain brings the date."""
        return tuple(dimension.name for dimension in self._by)

    @property
    def non_additive(self) -> list[str]:
        """Name the asked metrics that hang on measures which do not add up."""
        return [m.name for m in self._metrics if not all(map(self._adds_up, self._catalogue.measures_of(m.name)))]

    def answer(self) -> Compiled:
        """Compile the question itself: measures summed by the dimensions inside, formulas and names outside.

        Without dimensions it gives exactly one row, also over no rows.
        """
        columns = self._columns()
        rows = self._shaped(self._summed())
        outputs = [*self._dimension_outputs(), *self._metric_outputs()]
        if ROW_TYPE in [column.name for column in columns]:
            outputs.append(exp.alias_(self._row_type(), ROW_TYPE))
        outer = exp.select(*outputs).from_(rows.query.subquery("m"))
        for dimension in self._by:
            if dimension.name_table:
                outer = self._named(outer, dimension)
        order = self._order([column.name for column in columns], rows.keys)
        if not self._by:
            return self._compiled(outer.select(exp.column("summed_rows", table="m")), columns, counted=True)
        return self._compiled(self._limited(outer.order_by(*order)), columns)

    def profiles(self) -> list[Compiled]:
        """Compile what the rows of each part are made of; they read the same rows as the answer."""
        return [self._compiled(part.profile(by_day=self._question.compare is not None), ()) for part in self._parts]

    def missing_rates(self) -> list[Compiled]:
        """Compile the lists of currencies and dates whose money cannot be converted."""
        columns = tuple(AnswerColumn(name=name, kind="dimension") for name in ("currency", "since", "until"))
        return [self._compiled(part.missing_rates(), columns) for part in self._parts if part.converts]

    @property
    def platforms(self) -> list[str]:
        """Return the platforms that filters name in whole."""
        whole = (wanted for wanted in self._question.where if wanted.dimension == "platform" and not wanted.operator.by_part)
        return [value for wanted in whole for value in wanted.values]

    def channels(self) -> Compiled:
        """Compile the list of the platforms of the organization's accounts, imported channels among them."""
        known = self._parts[0].scoped.dimension("dim_account", "platform", now=True).distinct()
        return self._compiled(known, (AnswerColumn(name="platform", kind="dimension"),))

    def zones(self) -> Compiled:
        """Compile the list of the scope's time zones."""
        return self._compiled(time_zones(self._parts[0].scoped), (AnswerColumn(name="timezone", kind="dimension"),))

    def _compiled(self, query: exp.Select, columns: tuple[AnswerColumn, ...], *, counted: bool = False) -> Compiled:
        _insist_on_scope(query)
        settings = AS_OF_SETTINGS if self._question.as_of else {"join_use_nulls": 1}
        return Compiled(query.sql(dialect=DIALECT, pretty=True), dict(self._bindings.values), columns, counted, settings)

    def _adds_up(self, measure: str) -> bool:
        return self._catalogue.measures[measure][1].additive

    def _measures_of(self, fact: FactInfo) -> tuple[str, ...]:
        return tuple(name for name in self._needed if name in fact.measures)

    def _summed(self) -> Summed:
        """Sum every part by the keys, and bring several together."""
        keys = tuple(self._parts[0].keys())
        measures: dict[str, type[exp.AggFunc]] = {}
        absent: dict[str, exp.Expr] = {}
        for suffix in dict.fromkeys(part.period.suffix for part in self._parts):
            for name in self._needed:
                measures[name + suffix] = exp.Sum if self._adds_up(name) else exp.Max
                absent[name + suffix] = exp.null()
                if not self._adds_up(name):
                    measures[name + suffix + ROWS] = exp.Sum
                    absent[name + suffix + ROWS] = exp.Literal.number(0)
        selects = [part.sums({**absent, **self._nothing(part)}) for part in self._parts]
        if len(selects) == 1:
            return Summed(selects[0], keys, measures)
        return Summed(united(selects, keys, measures, counted=not keys), keys, measures)

    def _nothing(self, part: Part) -> dict[str, exp.Expr]:
        """Say that a fact's measures of its other window are zero, not unknown, where this one has rows."""
        others = {p.period.suffix for p in self._parts} - {part.period.suffix}
        return {name + suffix: exp.Literal.number(0) for suffix in others for name in part.needed if self._adds_up(name)}

    def _shaped(self, rows: Summed) -> Summed:
        question = self._question
        if self._bounds:
            scoped = self._parts[0].scoped
            metrics = [(self._catalogue.metric(w.dimension), w) for w in self._bounds]
            rows = kept(rows, [metric_bound(m, w, self._formula(m, self._leaf("m")), scoped) for m, w in metrics])
        if question.top:
            rows = self._topped(rows, question.top)
        if question.totals and set(rows.keys) - set(self._apart()):
            rows = with_totals(rows, self._apart())
        return rows

    def _topped(self, rows: Summed, top: int) -> Summed:
        dated = ("date_day",) if "date" in self.by else ()
        entities = [key for key in rows.keys if key not in (*dated, *self._apart())]
        if not entities:
            raise UsageError("The top is of nothing", why="The answer has no dimension but date and currency", fix="Add a dimension such as --by campaign")
        first = self._question.order_by[0] if self._question.order_by else f"-{self._rank.name}"

        def rank(leaf: Leaf) -> exp.Expr:
            return exp.Ordered(this=self._formula(self._rank, leaf), desc=first.startswith("-"), nulls_first=False)

        return folded(rows, entities, self._apart(), rank, self._ranked_leaf, exp.Literal.number(top))

    def _apart(self) -> tuple[str, ...]:
        """Name the keys that rest and totals must not add up over: the currency, unless money is converted."""
        return tuple(d.column for d in self._by if d.name == "currency") if self._currency is None else ()

    def _formula(self, metric: MetricInfo, leaf: Leaf) -> exp.Expr:
        return formula(self._catalogue, metric, leaf)

    def _leaf(self, relation: str, suffix: str = "") -> Leaf:
        return leaf_of(relation, additive=self._adds_up, suffix=suffix)

    def _ranked_leaf(self, relation: str) -> Leaf:
        return leaf_of("m", additive=self._adds_up, prefix="w_" if relation == "w_m" else "")

    def _columns(self) -> tuple[AnswerColumn, ...]:
        named = [name for d in self._by for name in (d.name, d.names) if name]
        columns = [AnswerColumn(name=name, kind="dimension") for name in named]
        for metric in self._metrics:
            columns.append(AnswerColumn(name=metric.name, kind="metric", unit=metric.unit))
            if self._question.compare:
                columns += [AnswerColumn(name=f"{metric.name}_{part}", kind="metric", unit=metric.unit) for part in ("previous", "change")]
                columns.append(AnswerColumn(name=f"{metric.name}_change_ratio", kind="metric", unit="ratio"))
        if self._question.top or self._has_totals():
            columns.append(AnswerColumn(name=ROW_TYPE, kind="dimension"))
        return tuple(columns)

    def _has_totals(self) -> bool:
        return self._question.totals and bool(set(self._parts[0].keys()) - set(self._apart()))

    def _metric_outputs(self) -> list[exp.Expr]:
        outputs: list[exp.Expr] = []
        for metric in self._metrics:
            now = self._formula(metric, self._leaf("m"))
            outputs.append(exp.alias_(now, metric.name))
            if self._question.compare:
                before = self._formula(metric, self._leaf("m", _PREVIOUS))
                change = exp.Sub(this=exp.paren(now.copy()), expression=exp.paren(before.copy()))
                base = exp.func("nullIf", _float(before.copy()), exp.Literal.number(0), dialect=DIALECT)
                outputs.append(exp.alias_(before, f"{metric.name}_previous"))
                outputs.append(exp.alias_(change, f"{metric.name}_change"))
                outputs.append(exp.alias_(exp.Div(this=_float(change.copy()), expression=base), f"{metric.name}_change_ratio"))
        return outputs

    def _dimension_outputs(self) -> list[exp.Expr]:
        outputs: list[exp.Expr] = []
        for dimension in self._by:
            column = exp.column(dimension.column if dimension.name != "date" else "date_day", table="m")
            if dimension.name == "date":
                outputs.append(exp.alias_(self._unless_total(column), "date"))
            elif not dimension.name_table:
                outputs.append(exp.alias_(self._marked(dimension, column), dimension.name))
            else:
                outputs.append(exp.alias_(self._marked(dimension, _none_if_empty(column)), dimension.name))
                name = _none_if_empty(exp.column(dimension.name_column, table=f"n_{dimension.name}"))
                outputs.append(exp.alias_(self._marked(dimension, name), dimension.names))
        return outputs

    def _marked(self, dimension: DimensionInfo, value: exp.Expr) -> exp.Expr:
        """Give the rest its name, and the total none, whatever else stands in the key."""
        if dimension.column in self._apart():
            return value
        value = self._unless_total(value)
        if not self._question.top:
            return value
        return exp.func("if", self._is_rest(), exp.Literal.string(_REST), value, dialect=DIALECT)

    def _unless_total(self, value: exp.Expr) -> exp.Expr:
        if not self._has_totals():
            return value
        return exp.func("if", exp.column(ROW_TYPE, table="m").eq(exp.Literal.string("total")), exp.null(), value, dialect=DIALECT)

    def _is_rest(self) -> exp.Expr:
        return exp.GT(this=exp.column(PLACE, table="m"), expression=exp.Literal.number(self._question.top or 0))

    def _row_type(self) -> exp.Expr:
        kind: exp.Expr = exp.column(ROW_TYPE, table="m") if self._has_totals() else exp.Literal.string("row")
        return exp.func("if", self._is_rest(), exp.Literal.string(_REST), kind, dialect=DIALECT) if self._question.top else kind

    def _named(self, query: exp.Select, dimension: DimensionInfo) -> exp.Select:
        """Join the names of an id dimension."""
        alias = f"n_{dimension.name}"
        keys = {owner: f"{dimension.name}_{owner}" for owner in owners(dimension)} | {dimension.column: dimension.column}
        names = self._parts[0].scoped.dimension(dimension.name_table, *keys, dimension.name_column)
        if dimension.name == "project":
            names = names.distinct()
        on = exp.and_(*(exp.column(key, table="m").eq(exp.column(column, table=alias)) for column, key in keys.items()))
        return query.join(names.subquery(alias), on=on, join_type="left")

    def _order(self, columns: Sequence[str], keys: Sequence[str]) -> list[exp.Ordered]:
        """Sort as asked, then by every dimension, so that equal questions give equal answers. The total stands last.

        A top is sorted by its rank, period by period and currency by currency.
        """
        asked: dict[str, bool] = {}
        for entry in self._question.order_by:
            name = entry.removeprefix("-")
            if name not in columns and not (self._question.top and name == self._rank.name):
                raise UnknownName("column to sort by", name, columns)
            asked.setdefault(name, entry.startswith("-"))
        order = [exp.Ordered(this=exp.column(ROW_TYPE, table="m").eq(exp.Literal.string("total")))] if self._has_totals() else []
        if self._question.top:
            order += [_ordered(exp.column(d.column, table="m")) for d in self._by if d.name == "date" or d.column in self._apart()]
            asked = {}
            order.append(_ordered(exp.column(PLACE, table="m")))
        else:
            for dimension in self._by:
                asked.setdefault(dimension.name, False)
        order += [exp.Ordered(this=exp.column(name), desc=down, nulls_first=False) for name, down in asked.items()]
        return [*order, *(_ordered(exp.column(key, table="m")) for key in keys if key not in (PLACE, ROW_TYPE))]

    def _limited(self, query: exp.Select) -> exp.Select:
        """Cut the rows as asked, or one after the most that an answer may have; totals are not counted."""
        asked = self._question.limit
        if asked is None or not self._has_totals():
            return query.limit(MOST_ROWS + 1 if asked is None else asked)
        apart = [
            exp.func("if", exp.column(ROW_TYPE).eq(exp.Literal.string("total")), exp.column(key, table="m"), EMPTY.copy(), dialect=DIALECT)
            for key in self._apart()
        ]
        query.set("limit", exp.Limit(expression=exp.Literal.number(asked), expressions=[exp.Tuple(expressions=[exp.column(ROW_TYPE, table="m"), *apart])]))
        return query


def _ordered(value: exp.Expr) -> exp.Ordered:
    return exp.Ordered(this=value, desc=False, nulls_first=False)


def _float(value: exp.Expr) -> exp.Expr:
    return exp.func("toFloat64", value, dialect=DIALECT)


def _none_if_empty(column: exp.Expr) -> exp.Expr:
    return exp.func("nullIf", column, EMPTY.copy(), dialect=DIALECT)


def _check(question: Question) -> None:
    for name, value, most in (("limit", question.limit, MOST_ROWS), ("top", question.top, MOST_ROWS)):
        if value is not None and not 1 <= value <= most:
            raise UsageError(f"A {name} of {value} rows cannot be taken", fix=f"Choose 1 to {most}")
    if question.as_of is not None and question.as_of.tzinfo is None:
        raise UsageError("as_of has no time zone", fix="Pass an instant with its offset, e.g. 2025-06-01T00:00:00Z")


def _insist_on_scope(query: exp.Expr) -> None:
    """Refuse to hand out a SELECT in which a stored relation stands without its organization: the scope cannot be dropped."""
    for table in query.find_all(exp.Table):
        if table.db == "marts" and table.name in SHARED_RELATIONS:
            continue
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
