"""Raw rows in, marts out: what the tests of the dbt project and of the metric door share."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from connectors.fx.reports import REPORTS as RATES
from connectors.imports.reports import REPORTS as IMPORTED_REPORTS
from connectors.registry import REPORTS
from domain.catalogue import Account, Connector, Report
from domain.clock import Clock
from domain.windows import DateWindow
from home.directory import Home
from services.exporting import STORE_REPORTS
from warehouse.builds import Builds, Plan
from warehouse.client import Warehouse
from warehouse.ledger import Ledger, LoadKey
from warehouse.raw import create_raw_tables

DBT = Path(__file__).resolve().parents[2] / "dbt"
EVERY_REPORT: tuple[Report, ...] = (*(report for reports in REPORTS.values() for report in reports), *RATES, *STORE_REPORTS, *IMPORTED_REPORTS)
TABLES = {report.table: report for report in EVERY_REPORT}
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
MARTS = ("fct_ad_performance_daily", "campaign_metrics", "dim_account", "dim_account_project", "dim_campaign", "dim_ad_group", "dim_ad", "dim_fx_rate")


class MartBuilder:
    """A warehouse with every raw table, and dbt over it, run in this process."""

    def __init__(self, home: Home, warehouse: Warehouse) -> None:
        self.home = home
        self.warehouse = warehouse
        self.ledger = Ledger(warehouse, home)
        with warehouse.client() as client:
            create_raw_tables(client, EVERY_REPORT)

    def load(
        self, table: str, account: str, rows: Sequence[Mapping[str, Any]], window: tuple[date, date], *, organization: str = "org", at: datetime = NOON
    ) -> None:
        """Commit one load of one report; absent columns are null, or empty where the report has no nulls."""
        report = TABLES[table]
        key = LoadKey(organization, f"{organization}-{report.platform}", account)
        with self.ledger.open(key, report, DateWindow(*window), at, timezone="UTC") as load:
            load.write(_arrow(report, rows))
            load.commit(f"{len(rows)} rows")

    def pull(self, connector: Connector, account: Account, window: DateWindow, clock: Clock) -> None:
        """Commit every report of an account as a connector answers it; a snapshot's window is the clock's today."""
        today = clock.today("UTC")
        for report in REPORTS[account.platform]:
            asked = window if report.date_column else DateWindow(today, today)
            key = LoadKey("org", f"org-{account.platform}", account.account_id)
            with self.ledger.open(key, report, asked, clock.now(), timezone=account.timezone) as load:
                for page in connector.pages(account, report, asked):
                    load.write(page.rows)
                load.commit(page.proof)

    def assign(self, rows: Iterable[Mapping[str, Any]], *, organization: str = "org", at: datetime = NOON) -> None:
        """Commit the assignments of accounts to projects as they stand on a day."""
        named = [{"project_name": row["project_id"], "client_name": "", **row} for row in rows]
        self.load("raw_mrm__account_assignments", "-", named, (at.date(), at.date()), organization=organization, at=at)

    def build(self, *select: str, full: bool = False, tested: bool = True) -> tuple[Plan | None, dict[str, str]]:
        """Plan, run dbt with its data tests, publish; return the plan and each node's status by its name.

        `select` names the models that the test reads (every model costs); only tests whose models are all among them are run.
        """
        builds = Builds(self.warehouse, self.home)
        plan = builds.plan(full=full)
        if plan is None:
            return None, {}
        command = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"] if tested else ["run"]
        statuses = self.dbt(*command, *(["--full-refresh"] if plan.full else []), *(["--select", *select] if select else []))
        bad = {name: status for name, status in statuses.items() if status not in ("success", "pass", "warn", "no-op")}
        if bad:
            builds.fail(plan, str(bad))
            raise AssertionError(bad)
        tests = sum(status == "pass" for status in statuses.values())
        builds.publish(plan, models_built=len(statuses) - tests, tests_passed=tests, tests_failed=0)
        return plan, statuses

    def dbt(self, *arguments: str) -> dict[str, str]:
        """Run one dbt command over the whole project; return each node's status by its name."""
        target = self.home.directory("dbt") / "target"
        with _environment({**self.warehouse.dbt_environment(), "DBT_LOG_PATH": str(self.home.directory("logs"))}):
            done = _invoke([*arguments, "--target-path", str(target)], parsed())
        if done.exception is not None:
            raise done.exception
        results = json.loads((target / "run_results.json").read_text())["results"]
        self.messages = {result["unique_id"]: result["message"] for result in results}
        return {result["unique_id"].split(".")[2]: result["status"] for result in results}

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""
        with self.warehouse.client() as client:
            return [tuple(row) for row in client.query(sql, parameters=parameters).result_rows]

    def checksums(self) -> dict[str, tuple[Any, ...]]:
        """Return row count and content checksum of every mart."""
        return {mart: self.rows(f"SELECT count(), sum(cityHash64(*)) FROM marts.{mart}")[0] for mart in MARTS}


@cache
def parsed() -> Manifest:
    """Parse the project, once in a process and from what the installation parsed: that takes dbt longer than many a build."""
    with TemporaryDirectory() as target:
        known = DBT / "target" / "partial_parse.msgpack"
        if known.exists():
            shutil.copy(known, target)
        done = _invoke(["parse", "--target-path", target, "--log-path", target])
    if done.exception is not None:
        raise done.exception
    assert isinstance(done.result, Manifest)
    return done.result


def _invoke(arguments: list[str], manifest: Manifest | None = None) -> dbtRunnerResult:
    """Run dbt over the project; it changes the manifest that it is given, so it gets a copy."""
    command = [*arguments, "--project-dir", str(DBT), "--profiles-dir", str(DBT), "--quiet"]
    return _untraced(lambda: dbtRunner(manifest.deepcopy() if manifest else None).invoke(command))


def _untraced(work: Callable[[], dbtRunnerResult]) -> dbtRunnerResult:
    """Work in a thread that coverage does not trace: tracing costs dbt half as much again, and nothing of ours runs inside it."""
    tracer = threading.gettrace()
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(work).result()
    finally:
        threading.settrace(tracer)  # type: ignore[arg-type]


def _arrow(report: Report, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    empty = {"string": "", "integer": 0, "decimal": Decimal(0), "boolean": False, "date": None}
    columns = {c.name: pa.array([row.get(c.name, None if c.nullable else empty[c.type]) for row in rows], type=c.type.arrow) for c in report.columns}
    return pa.table(columns, schema=report.schema)


@contextmanager
def _environment(values: Mapping[str, str]) -> Any:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
