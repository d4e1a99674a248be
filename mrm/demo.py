"""`./run demo`: from nothing to a marketing report, then API and dashboards."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from domain.errors import ConfigurationError, MrmError, PartialResult
from domain.windows import DateWindow
from home.directory import Home
from home.servers import locked
from mrm import screens, serving
from mrm.naming import failures_of
from mrm.options import DEFAULT_HOME, DEFAULT_PORT, HomeOption, JsonOption, Language, LanguageOption, PortOption, TodayOption
from mrm.sandboxing import DatasetOption, move_clock, remember_datasets, start_sandbox
from mrm.supervisor import Supervisor
from mrm.wording import counted

if TYPE_CHECKING:
    from mrm.reporting import Written
    from services.installation import Installation
    from services.integrations import IntegrationAccess


@dataclass
class Source:
    """One platform in the result: what was pulled, and how far the marts are from a separate account-level request."""

    platform: str
    accounts: int
    rows: int
    data_through: str | None
    reconciled: dict[str, int | float]
    rounding: dict[str, int | float]


@dataclass
class Result:
    """What a demo did; `--json` prints it on one line."""

    seconds: float
    reused: bool
    sources: list[Source]
    models: dict[str, int]
    report: dict[str, Any]
    data_version: int
    reports: list["Written"] = field(default_factory=list, repr=False)
    """Every project's report; the JSON names the first."""

    def as_json(self) -> str:
        """Return the result on one line."""
        shown = asdict(self)
        del shown["reports"]
        return json.dumps(shown, ensure_ascii=False)


def demo(
    dataset: DatasetOption = None,
    home: HomeOption = DEFAULT_HOME,
    today: TodayOption = None,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve API and dashboards at the end, or stop after the report.")] = True,
    as_json: JsonOption = False,
    reset: Annotated[bool, typer.Option("--reset", help="First delete what we made in the home, and only that.")] = False,
    port: PortOption = DEFAULT_PORT,
    lang: LanguageOption = Language.EN,
) -> None:
    """Pull the emulated platforms over the wire, build and test the marts, write the analyst's report, then serve.

    Examples:
      ./run demo
      ./run demo --no-serve --json
      ./run demo --home mine --dataset ads.csv --today 2026-03-01 --lang ru
    """
    from services.installation import Installation

    opened = Home.open(home)
    if reset:
        serving.stop_everything(opened)
        opened.reset()
        opened = Home.open(home)
    move_clock(opened, today)
    datasets = remember_datasets(opened, dataset)
    progress = screens.Progress(quiet=as_json, language=str(lang))
    with Supervisor(opened) as supervisor, Installation.open(opened.path, progress=progress.report) as installation:
        started = time.monotonic()
        with progress, locked(opened, "demo"):
            result = run(installation, supervisor, datasets, progress, str(lang), started)
        if as_json:
            typer.echo(result.as_json())
        else:
            screens.print_result(result, opened, str(lang), serving=serve)
        if serve:
            serving.serve_until_stopped(installation, supervisor, port, language=str(lang))
    if serve:
        serving.stop_idle_servers(opened)


def run(installation: "Installation", supervisor: Supervisor, datasets: list[Path], progress: screens.Progress, language: str, started: float) -> Result:
    """Do the demo's work on an opened installation and say what came of it.

    Raises PartialResult when an account failed, after everything else was committed, built and reported.
    """
    from mrm.jobs import import_early, run_job
    from mrm.reporting import write_reports
    from services.pulling import begin_run

    progress.stage("start")
    import_early()
    with ThreadPoolExecutor(2) as pool:
        servers = pool.submit(installation.start_servers)
        state = start_sandbox(supervisor, datasets)
        servers.result()
    installation.seed_demo(state)
    installation.home.remember(history_since=_history_since(installation, state), language=language)
    before = installation.last_build()
    run_id = str(uuid4())
    begin_run(installation, run_id)
    run_job(installation, run_id=run_id)
    progress.stage("reconcile")
    failures: list[MrmError] = []
    with ThreadPoolExecutor(4) as pool:
        written = pool.submit(write_reports, installation, language)
        sources = list(pool.map(lambda integration: _source(installation, integration, failures), installation.integrations()))
        progress.stage("report")
        reports = written.result()
    build = installation.last_build()
    if build is None or not reports:
        raise ConfigurationError("Nothing was built", why="No platform gave an account", fix="Check the dataset")
    _refuse_failures(installation, failures)
    return Result(
        seconds=round(time.monotonic() - started, 1),
        reused=before is not None and before.build_id == build.build_id,
        sources=sources,
        models={"built": build.models_built, "tests_passed": build.tests_passed, "tests_failed": build.tests_failed},
        report={"artifact_id": reports[0].artifact_id, "version": reports[0].version, "path": reports[0].path, "findings": reports[0].findings},
        data_version=build.build_id,
        reports=reports,
    )


def _history_since(installation: "Installation", state: Mapping[str, Any]) -> str:
    """Return the first date to pull: the dataset's own where it is older than the usual history."""
    from services.windows import history_start

    usual = history_start(installation.clock.today("UTC"))
    since = state["dataset"]["since"]
    return min(usual.isoformat(), since) if since else usual.isoformat()


def _source(installation: "Installation", integration: "IntegrationAccess", failures: list[MrmError]) -> Source:
    """Hold an integration's marts against a separate account-level request over the whole history; add what cannot be asked to `failures`."""
    from services.reconciling import reconcile

    since, until = installation.history_since, installation.clock.today("UTC") + timedelta(days=1)
    window = DateWindow(since, until) if since else None
    found = reconcile(integration, installation.warehouse, installation.clock, window)
    failures += found.failures
    reach = installation.reach(integration)
    return Source(
        platform=integration.platform,
        accounts=found.accounts,
        rows=reach.rows,
        data_through=reach.data_through.isoformat() if reach.data_through else None,
        reconciled={measure: _plain(value) for measure, value in found.reconciled.items()},
        rounding={measure: _plain(value) for measure, value in found.rounding.items()},
    )


def _plain(value: Decimal) -> int | float:
    """Return a difference as a JSON number, whole where it is whole."""
    return int(value) if value == value.to_integral_value() else float(value)


def _refuse_failures(installation: "Installation", unreconciled: list[MrmError]) -> None:
    """Raise PartialResult, naming account and fix, when any account failed; everything else is committed and built."""
    failing = installation.failing_integrations()
    if failing:
        raise PartialResult(f"{counted(len(failing), 'integration')} failed in part", failures_of(failing))
    if unreconciled:
        raise PartialResult("Some accounts could not be reconciled", unreconciled)
