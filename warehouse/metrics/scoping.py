"""Bound values and the scope: no relation is read without its organization, none beyond the asked projects."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import sqlglot
from sqlglot import exp

from domain.questions import Scope
from domain.windows import DateWindow
from warehouse.metrics.formulas import DIALECT

Bound = str | date | datetime | Decimal | list[str]

ORGANIZATION = "organization_id"
HISTORIES = {"dim_account": "account_id", "dim_campaign": "campaign_id", "dim_ad_group": "ad_group_id", "dim_ad": "ad_id"}
"""The dimensions whose earlier states stand in `<dimension>_history`, with their ids."""


class Bindings:
    """The values of one query, each sent beside the SQL as a server-side parameter and never inside it."""

    def __init__(self) -> None:
        self.values: dict[str, Bound] = {}
        self._lists: dict[tuple[str, ...], str] = {}
        self._numbers: dict[Decimal, str] = {}

    def named(self, name: str, value: Bound, kind: str) -> exp.Placeholder:
        """Bind a value under a fixed name; the same name always holds the same value."""
        self.values[name] = value
        return exp.Placeholder(this=exp.var(name), kind=exp.var(kind))

    def strings(self, values: tuple[str, ...]) -> exp.Placeholder:
        """Bind a list of strings; equal lists share a name."""
        name = self._lists.setdefault(values, f"p{len(self._lists)}")
        return self.named(name, list(values), "Array(String)")

    def number(self, value: Decimal) -> exp.Placeholder:
        """Bind a number, exact to twelve decimals; equal ones share a name."""
        name = self._numbers.setdefault(value, f"n{len(self._numbers)}")
        return self.named(name, value, "Decimal(38, 12)")


class Scoped:
    """The relations that one scope may read, in one window of dates, as they are now or were known at `as_of`."""

    def __init__(self, scope: Scope, window: DateWindow, bindings: Bindings, prefix: str = "", as_of: datetime | None = None) -> None:
        self._scope = scope
        self._window = window
        self._prefix = prefix
        self._as_of = as_of
        self.bindings = bindings

    def organization(self) -> exp.Placeholder:
        """Bind the organization."""
        return self.bindings.named("organization", self._scope.organization_id, "String")

    def window(self) -> tuple[exp.Placeholder, exp.Placeholder]:
        """Bind the window's first and last date."""
        ends = {"since": self._window.since, "until": self._window.until}
        since, until = (self.bindings.named(self._prefix + name, day, "Date") for name, day in ends.items())
        return since, until

    def relation(self, database: str, table: str, alias: str) -> exp.Table:
        """Name a table, or its as-of view with the window and the organization pushed down."""
        named = exp.to_table(f"{database}.{table}", alias=alias)
        if self._as_of is None:
            return named
        since, until = self.window()
        arguments = {
            "as_of": self.bindings.named("as_of", self._as_of, "DateTime64(6, 'UTC')"),
            ORGANIZATION: self.organization(),
            "since": since,
            "until": until,
        }
        view = exp.Anonymous(this=f"{table}__as_of", expressions=[exp.column(name).eq(value) for name, value in arguments.items()])
        named.set("this", view)
        return named

    def owned(self, alias: str) -> exp.EQ:
        """Say that a relation's rows belong to the organization."""
        return exp.column(ORGANIZATION, table=alias).eq(self.organization())

    def dimension(self, table: str, *columns: str, also: tuple[str, ...] = (), now: bool = False) -> exp.Select:
        """Select columns of a table of the marts, the organization's rows only; conditions may be put on columns `also`.

        As of an earlier moment names are those of then, unless it is to be `now`.
        """
        query = exp.select(*(exp.column(name, table="d") for name in columns))
        if self._as_of is not None and table in HISTORIES and not now:
            return query.from_(self._as_then(table, (*columns, *also)).subquery("d"))
        return narrowed(query.from_(exp.to_table(f"marts.{table}", alias="d")), self.owned("d"))

    def _as_then(self, table: str, columns: Sequence[str]) -> exp.Select:
        """Select columns of a dimension as they were known then, and as they are now where no snapshot of then shows them."""
        day = exp.func("toDate", self.bindings.named("as_of", self._as_of or datetime.now(UTC), "DateTime64(6, 'UTC')"), dialect=DIALECT)
        until = exp.column("valid_to", table="h")
        valid = exp.And(
            this=exp.LTE(this=exp.column("valid_from", table="h"), expression=day),
            expression=exp.paren(exp.or_(until.is_(exp.null()), exp.GTE(this=until.copy(), expression=day.copy()))),
        )
        keys = [name for name in columns if name in ("platform", "account_id", HISTORIES[table])]
        versions = exp.select(*(exp.column(name, table="h") for name in columns), exp.alias_(exp.Literal.number(0), "later"))
        versions = narrowed(versions.from_(exp.to_table(f"marts.{table}_history", alias="h")), self.owned("h"), exp.paren(valid))
        today = exp.select(*(exp.column(name, table="n") for name in columns), exp.alias_(exp.Literal.number(1), "later"))
        today = narrowed(today.from_(exp.to_table(f"marts.{table}", alias="n")), self.owned("n"))
        later = exp.column("later", table="v")
        named = [name for name in columns if name not in keys]
        newest = [exp.alias_(exp.func("argMin", exp.column(name, table="v"), later.copy(), dialect=DIALECT), name) for name in named]
        both = exp.union(versions, today, distinct=False, copy=False).subquery("v")
        query = exp.select(*(exp.alias_(exp.column(name, table="v"), name) for name in keys), *newest).from_(both)
        return query.group_by(*(exp.column(name, table="v") for name in keys))

    @property
    def limited_to_projects(self) -> bool:
        """Tell whether the scope is narrower than the organization."""
        return self._scope.project_ids is not None

    def assigned_accounts(self) -> exp.Select:
        """Select platform and account of the scope's projects, whenever they were theirs."""
        query = self.dimension("dim_account_project", "platform", "account_id")
        return narrowed(query, is_in(exp.column("project_id", table="d"), self._projects()))

    def _projects(self) -> exp.Placeholder:
        return self.bindings.named("projects", list(self._scope.project_ids or ()), "Array(String)")

    def assigned_days(self, *columns: str) -> exp.Select:
        """Select columns for each day in the window on which an account belonged to a project of the scope.

        The days come from the assignments' own dates, both inclusive, so that an account counts for a project only while it is its.
        """
        since, until = self.window()
        query = self.dimension("dim_account_project", *columns, "platform", "account_id")
        query = query.select(exp.alias_(_days_between(since, until), "day"), copy=False).distinct(copy=False)
        if self._scope.project_ids is not None:
            narrowed(query, is_in(exp.column("project_id", table="d"), self._projects()))
        return query


def narrowed(query: exp.Select, *conditions: exp.Expr) -> exp.Select:
    """Add conditions, all of which must hold, to a query."""
    present = query.args.get("where")
    for condition in conditions:
        present = exp.Where(this=exp.And(this=present.this, expression=condition) if present else condition)
    query.set("where", present)
    return query


def is_in(value: exp.Expr, values: exp.Expr) -> exp.In:
    """Say that a value, or a tuple, is among a bound list or the rows of a subquery."""
    if isinstance(values, exp.Select):
        return exp.In(this=value, query=exp.Subquery(this=values))
    return exp.In(this=value, field=values)


def _days_between(since: exp.Expr, until: exp.Expr) -> exp.Expr:
    """Return the expression of one row per day of an assignment `d` that falls in the window."""
    days = sqlglot.parse_one(
        "arrayJoin(arrayMap(n -> toDate(n), range(toUInt32(greatest(d.since, w_since)), toUInt32(least(ifNull(d.until, w_until), w_until)) + 1)))",
        dialect=DIALECT,
    )
    bounds = {"w_since": since, "w_until": until}
    return days.transform(lambda node: bounds[node.name].copy() if isinstance(node, exp.Column) and node.name in bounds else node)
