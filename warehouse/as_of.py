"""Earlier states of marts, from the same SQL that dbt compiled for them.

`marts.<fact>__as_of(as_of, organization_id, since, until)` is the fact's compiled SQL in which every relation that dbt rendered is
replaced by a query of that name: models by their own compiled SQL, the ledger's views by what had been observed by `as_of`.
dbt says which relations a model reads and how it writes them, so nothing is parsed and no function is rewritten.
"""

# ruff: noqa: S608 - the text is dbt's and our own, every value is bound

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from domain.catalogue import Report
from domain.errors import ConfigurationError, UsageError
from warehouse.client import Warehouse
from warehouse.raw import create_views, raw_columns
from warehouse.slices import AS_OF, ORGANIZATION, SINCE, UNTIL, as_of_rows, as_of_slices

FACTS: Mapping[str, tuple[int, int]] = {
    "fct_ad_performance_daily": (0, 0),
    "fct_conversions_daily": (0, 0),
    "fct_sessions_daily": (0, 0),
    "fct_video_daily": (0, 0),
    "mart_performance_daily": (31, 31),
    "mart_period_comparison": (400, 31),
    "mart_reach": (0, 0),
    "mart_reconciliation": (0, 0),
}
"""The marts that answer as_of, with the days before and after the asked window that their rows are made of."""
_REFUSALS = {
    "mart_attribution": "a counter's visits are logs of one state: they are not restated, so there is no earlier state to show",
    "mart_budget_pacing": "it follows budgets and assignments, and the store keeps only today's",
    "campaign_metrics": "it follows assignments to projects, and the store keeps only today's; ask fct_ad_performance_daily",
}
AS_OF_SETTINGS: Mapping[str, int] = {
    "join_use_nulls": 1,
    "optimize_and_compare_chain": 0,
    "optimize_extract_common_expressions": 0,
    "optimize_group_by_function_keys": 0,
    "optimize_aggregators_of_group_by_keys": 0,
}
"""What the views must be asked under; they name it too, but a read-only reader's own settings win over a view's.

Without `join_use_nulls` rows go wrong. The rewritings that are off compare expressions over the whole nesting: half of the analysis.
"""
_MONTHS = f"""SELECT {ORGANIZATION} AS organization_id, toYYYYMM(addMonths(toStartOfMonth({SINCE}), number)) AS partition
    FROM numbers(toUInt64(greatest(dateDiff('month', {SINCE}, {UNTIL}) + 1, 0)))"""
_LOADS = f"""SELECT * FROM raw.loads
    WHERE organization_id = {ORGANIZATION} AND observed_at <= {AS_OF} AND since <= {UNTIL} AND until >= {SINCE}"""


def require_as_of(mart: str) -> None:
    """Raise UsageError, with the reason, for a mart that cannot answer as of an earlier instant."""
    if mart not in FACTS:
        why = _REFUSALS.get(mart, "it looks back over the whole history, and would have to be built anew for every instant")
        raise UsageError(f"{mart} does not answer as of an earlier instant", why=why, fix=f"Ask without as_of, or ask one of {', '.join(FACTS)}")


def create_as_of_views(warehouse: Warehouse, reports: Iterable[Report], manifest: Path, facts: Iterable[str] = tuple(FACTS)) -> None:
    """Create or renew `marts.<fact>__as_of` from dbt's manifest of a finished `dbt build` or `dbt compile`; one whose SQL is the same stays.

    Two at a time: the server spends seconds on reading the longest ones.

    Raises ConfigurationError where the manifest lacks a model or its compiled SQL, or a model reads something without a history.
    """
    project = _Project(json.loads(manifest.read_text()), {report.table: report for report in reports})
    views = {f"marts.{fact}__as_of": project.as_of(fact) for fact in facts}

    def create(name: str) -> None:
        with warehouse.client() as client:
            create_views(client, {name: views[name]})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(create, sorted(views, key=lambda name: -len(views[name]))))


class _Project:
    """dbt's manifest, read as: which relation is which query as of then."""

    def __init__(self, manifest: Mapping[str, Any], reports: Mapping[str, Report]) -> None:
        self._nodes: Mapping[str, Any] = {**manifest["nodes"], **manifest["sources"]}
        self._reports = reports

    def as_of(self, fact: str) -> str:
        """Return the SELECT of a fact's as-of view, window and organization pushed down."""
        found = [key for key, node in self._nodes.items() if node["resource_type"] == "model" and node["name"] == fact]
        if not found:
            raise ConfigurationError(f"dbt's manifest has no model {fact}", fix="Run dbt build, then create the as-of views again")
        before, after = FACTS.get(fact, (0, 0))
        inner = self._rewritten(found[0])
        if before:
            inner = inner.replace(SINCE, f"subtractDays({SINCE}, {before})").replace(UNTIL, f"addDays({UNTIL}, {after})")
        settings = ", ".join(f"{name} = {value}" for name, value in AS_OF_SETTINGS.items())
        return f"""SELECT * FROM (
{inner}
) WHERE organization_id = {ORGANIZATION} AND date_day BETWEEN {SINCE} AND {UNTIL} SETTINGS {settings}"""

    def _rewritten(self, key: str) -> str:
        """Return a model's SQL with every relation that it reads replaced by a subquery.

        Subqueries and not CTEs: ClickHouse analyses these four times faster.
        """
        node = self._nodes[key]
        sql = node.get("compiled_code")
        if not sql:
            raise ConfigurationError(f"dbt's manifest has no compiled SQL of {node['name']}", fix="Run dbt build or dbt compile over the whole project")
        for read in node["depends_on"]["nodes"]:
            relation = self._nodes[read].get("relation_name")
            kind = self._nodes[read]["resource_type"]
            if relation is None or kind == "seed" or relation not in sql:
                continue  # an ephemeral model stands in the SQL already; a seed has no history
            sql = sql.replace(relation, f"(\n{self._source(read) if kind == 'source' else self._rewritten(read)}\n)")
        return str(sql).strip().rstrip(";")

    def _source(self, key: str) -> str:
        identifier = self._nodes[key]["identifier"]
        if identifier == "pinned_partitions":
            return _MONTHS
        if identifier == "pinned_slices":
            return as_of_slices()
        if identifier == "loads":
            return _LOADS
        report = self._reports.get(identifier.removesuffix("__current"))
        if report is None or not identifier.endswith("__current"):
            raise ConfigurationError(f"The source raw.{identifier} has no history", fix="Let models read raw through the __current views")
        return as_of_rows(report.table, raw_columns(report), every_date=not report.date_column, organization="'-'" if report.platform == "fx" else ORGANIZATION)
