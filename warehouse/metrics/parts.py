"""What a question reads: each fact in each window, summed by the question's dimensions, every relation within the scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from domain.questions import Filter, Grain
from warehouse.metrics.catalogue import DimensionInfo, FactInfo, MeasureInfo
from warehouse.metrics.filtering import predicate, project_days, wanted_projects
from warehouse.metrics.formulas import DIALECT
from warehouse.metrics.scoping import Scoped, is_in, narrowed
from warehouse.metrics.windows import Period, truncated

ROWS = "__rows"
"""Suffix of the column that counts the fact's rows behind a measure that does not add up."""
RATES = "dim_fx_rate"
_DAY_ROWS = "day_rows"
_ENTITY_KEYS = ("platform", "account_id")
_MONEY_SCALE = 6
EMPTY = exp.Literal.string("")


@dataclass(frozen=True)
class Asked:
    """What every part of one question has in common."""

    by: Sequence[str]
    grain: Grain | None
    filters: Sequence[Filter]
    currency: str | None
    """Money is converted into it."""
    money: frozenset[str]
    """The measures that hold money."""
    several: bool = False
    """Metrics of several facts meet: what a fact has no row for is unknown, not zero."""


@dataclass(frozen=True)
class Part:
    """One fact in one period."""

    fact: FactInfo
    period: Period
    scoped: Scoped
    asked: Asked
    needed: Sequence[str] = field(default=())
    """The measures of this fact that the question needs."""

    def dimensions(self) -> list[DimensionInfo]:
        """Return the dimensions asked for, as this fact defines them."""
        return [self.fact.dimensions[name] for name in self.asked.by]

    def source(self) -> exp.Expr:
        """Name the fact `f`, or its as-of view."""
        return self.scoped.relation(self.fact.database, self.fact.table, "f")

    def filtered(self, query: exp.Select) -> exp.Select:
        """Read the fact in the scope, the window and the filters."""
        since, until = self.scoped.window()
        query = narrowed(query.from_(self.source()), self.scoped.owned("f"), exp.column("date_day", table="f").between(since, until))
        if self.scoped.limited_to_projects and not any(w.dimension == "project" and not w.operator.negated for w in self.asked.filters):
            narrowed(query, project_days(self.scoped))
        for name, value in self._kept_to().items():
            column = exp.column(self.fact.dimensions[name].column, table="f")
            narrowed(query, exp.func("toString", column, dialect=DIALECT).eq(exp.Literal.string(value)))
        for wanted in self.asked.filters:
            narrowed(query, predicate(self.fact.dimensions[wanted.dimension], wanted, self.scoped, self.period.day("f")))
        return query

    def _kept_to(self) -> dict[str, str]:
        """Return the values that dimensions are kept to which the question does not name; of those implied the one listed last (`implies`)."""
        named = {*self.asked.by, *(wanted.dimension for wanted in self.asked.filters)}
        implied = {name: value for key, dimension in self.fact.dimensions.items() if key in named for name, value in dimension.implies.items()}
        return {name: implied.get(name, value) for name, value in self.fact.defaults.items() if name not in named}

    def sums(self, columns: Mapping[str, exp.Expr]) -> exp.Select:
        """Sum by the keys; `columns` holds what stands in for the measures that this part does not have."""
        keys = self.keys()
        own = {alias: value for name in self.needed for alias, value in self._measure(self.fact.measures[name]).items()}
        values = [exp.alias_(own.get(alias, missing), alias) for alias, missing in columns.items()]
        query = exp.select(*(exp.alias_(column, name) for name, column in keys.items()), *values)
        daily = self._is_rolled_up and (self.converts or "project" in self.asked.by)
        query = query.from_(self._daily().subquery("f")) if daily else self.filtered(query)
        if "project" in self.asked.by:
            query = self._with_projects(query)
        if self.converts:
            query = self._with_rates(query)
        if not keys:
            counted: exp.Expr = exp.Sum(this=exp.column(_DAY_ROWS, table="f")) if daily else exp.Count(this=exp.Star())
            return query.select(exp.alias_(counted, "summed_rows"))
        return query.group_by(*(column.copy() for column in keys.values()))

    @property
    def _is_rolled_up(self) -> bool:
        """Tell whether the fact keeps sums by all that the question asks and filters by; an account and a day say the project."""
        named = {*self.asked.by, *(wanted.dimension for wanted in self.asked.filters)} - {"project"}
        return bool(self.fact.rollup) and named <= {*self.fact.rollup} and all(self.fact.measures[name].additive for name in self.needed)

    def _daily(self) -> exp.Select:
        """Sum the fact by its own columns, currency and day: few rows are left to find a rate or a project for."""
        read = {"currency_code", "date_day", *(_ENTITY_KEYS if "project" in self.asked.by else ())}
        read |= {column.name for key in self.keys().values() for column in key.find_all(exp.Column) if column.table == "f"}
        keys = [exp.column(name, table="f") for name in sorted(read)]
        names = dict.fromkeys(self.fact.measures[name].column for name in self.needed)
        sums = [exp.alias_(exp.Sum(this=exp.column(name, table="f")), name) for name in names]
        return self.filtered(exp.select(*keys, *sums, exp.alias_(exp.Count(this=exp.Star()), _DAY_ROWS))).group_by(*(key.copy() for key in keys))

    @property
    def converts(self) -> bool:
        """Tell whether money of this part is converted."""
        return self.asked.currency is not None and not self.asked.money.isdisjoint(self.needed)

    def keys(self) -> dict[str, exp.Expr]:
        """Name what to group by. Ids are unique within an account only, so they bring their platform and account with them.

        What has no id (residual rows) is one group, whatever account it comes from.
        """
        keys: dict[str, exp.Expr] = {}
        for dimension in self.dimensions():
            if dimension.name == "project":
                keys["project_id"] = exp.column("project_id", table="p")
                continue
            if dimension.name == "date":
                keys["date_day"] = truncated(self.period.day("f"), self.asked.grain)
                continue
            column = exp.column(dimension.column, table="f")
            keys[dimension.column] = column
            for owner in owners(dimension):
                keys[f"{dimension.name}_{owner}"] = exp.func("if", column.eq(EMPTY.copy()), EMPTY.copy(), exp.column(owner, table="f"), dialect=DIALECT)
        return keys

    def missing_rates(self) -> exp.Select:
        """List the currencies and dates that no rate is known for."""
        day = exp.column("date_day", table="f")
        currency = exp.column("currency_code", table="f")
        ends = [exp.alias_(exp.Min(this=day.copy()), "since"), exp.alias_(exp.Max(this=day.copy()), "until")]
        days = self.filtered(exp.select(currency.copy(), day.copy())).group_by(currency.copy(), day.copy())
        query = self._with_rates(exp.select(exp.alias_(currency, "currency"), *ends).from_(days.subquery("f")))
        unknown = exp.And(this=exp.NEQ(this=currency.copy(), expression=self._target()), expression=exp.column("rate", table="r").is_(exp.null()))
        return narrowed(query, exp.paren(unknown)).group_by(currency.copy())

    def profile(self, *, by_day: bool) -> exp.Select:
        """Say what the rows are made of: how many, over how many days (0 unless asked for), in which currencies, with which flags.

        Grouped first, which reads a few narrow columns once.
        """
        money = "currency" in self.fact.dimensions
        columns = [*(("currency_code",) if money else ()), *(("date_day",) if by_day else ())]
        columns += ["platform", *self.fact.flags.values()] if self.fact.flags else []
        keys = [exp.column(name, table="f") for name in columns]
        groups = self.filtered(exp.select(*keys, exp.alias_(exp.Count(this=exp.Star()), "rows"))).group_by(*(key.copy() for key in keys))
        days: exp.Expr = exp.func("uniqExact", exp.column("date_day", table="c"), dialect=DIALECT) if by_day else exp.Literal.number(0)
        outputs = [
            exp.alias_(exp.Sum(this=exp.column("rows", table="c")), "found"),
            exp.alias_(days, "days"),
            exp.alias_(_distinct(exp.column("currency_code", table="c")) if money else exp.Array(expressions=[]), "currencies"),
        ]
        for code, column in self.fact.flags.items():
            flag: exp.Expr = exp.column(column, table="c")
            if code == "mixed_vat":
                flag = exp.Tuple(expressions=[exp.column("platform", table="c"), flag])
            outputs.append(exp.alias_(_distinct(flag), code))
        return exp.select(*outputs).from_(groups.subquery("c"))

    def _measure(self, measure: MeasureInfo) -> dict[str, exp.Expr]:
        """Return the columns that carry a measure of this part, by alias."""
        alias = measure.name + self.period.suffix
        column = exp.column(measure.column, table="f")
        if not measure.additive:
            return {alias: exp.Max(this=column), alias + ROWS: exp.Count(this=column.copy())}
        if self.asked.currency is None or measure.name not in self.asked.money:
            return {alias: exp.Anonymous(this="sumOrNull", expressions=[column]) if self.asked.several else exp.Sum(this=column)}
        exact = exp.func("toDecimal256", column, exp.Literal.number(_MONEY_SCALE), dialect=DIALECT)
        rate = exp.func("if", exp.column("currency_code", table="f").eq(self._target()), _one(), exp.column("rate", table="r"), dialect=DIALECT)
        total = exp.func("round", exp.Sum(this=exp.Mul(this=exact, expression=rate)), exp.Literal.number(_MONEY_SCALE), dialect=DIALECT)
        return {alias: _decimal(total) if self.asked.several else exp.func("ifNull", _decimal(total), _decimal(exp.Literal.number(0)), dialect=DIALECT)}

    def _with_rates(self, query: exp.Select) -> exp.Select:
        """Put the rate of each row's date and currency beside it; dim_fx_rate is everybody's."""
        since, until = self.scoped.window()
        columns = [exp.column(name, table="x") for name in ("from_currency", "date_day", "rate")]
        rates = exp.select(*columns).from_(exp.to_table(f"marts.{RATES}", alias="x"))
        narrowed(rates, exp.column("to_currency", table="x").eq(self._target()), exp.column("date_day", table="x").between(since, until))
        on = exp.and_(
            exp.column("currency_code", table="f").eq(exp.column("from_currency", table="r")),
            exp.column("date_day", table="f").eq(exp.column("date_day", table="r")),
        )
        return query.join(rates.subquery("r"), on=on, join_type="left")

    def _target(self) -> exp.Placeholder:
        return self.scoped.bindings.named("currency", self.asked.currency or "", "String")

    def _with_projects(self, query: exp.Select) -> exp.Select:
        """Put each row under the projects that its account belonged to on its day; no project gives NULL."""
        days = self.scoped.assigned_days("project_id")
        for wanted in self.asked.filters:
            if wanted.dimension == "project" and not wanted.operator.negated:
                narrowed(days, wanted_projects(wanted, self.scoped))
        on = [exp.column(name, table="f").eq(exp.column(name, table="p")) for name in _ENTITY_KEYS]
        on.append(exp.column("date_day", table="f").eq(exp.column("day", table="p")))
        return query.join(days.subquery("p"), on=exp.and_(*on), join_type="left")


def owners(dimension: DimensionInfo) -> tuple[str, ...]:
    """Name the columns within which a dimension's ids are unique."""
    if not dimension.name_table or dimension.name == "project":
        return ()
    return tuple(owner for owner in _ENTITY_KEYS if owner != dimension.column)


def time_zones(scoped: Scoped) -> exp.Select:
    """Select the time zones of the scope's accounts."""
    query = scoped.dimension("dim_account", "timezone", now=True).distinct()
    if scoped.limited_to_projects:
        accounts = scoped.assigned_accounts()
        narrowed(query, is_in(exp.Tuple(expressions=[exp.column(key, table="d") for key in _ENTITY_KEYS]), accounts))
    return query


def _distinct(value: exp.Expr) -> exp.Expr:
    return exp.func("groupUniqArray", value, dialect=DIALECT)


def _one() -> exp.Expr:
    return exp.func("toDecimal128", exp.Literal.number(1), exp.Literal.number(18), dialect=DIALECT)


def _decimal(value: exp.Expr) -> exp.Expr:
    return exp.func("toDecimal128", value, exp.Literal.number(_MONEY_SCALE), dialect=DIALECT)
