"""Parts of the command line that need no server."""

import errno
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from typer.testing import CliRunner

from domain.errors import Conflict, DiskFull, MrmError, SourceError, disk_full
from home.directory import Home
from mrm.cli import app
from mrm.demo import Result
from mrm.doctor import examine
from mrm.jobs import PROCESS, Cancelled, StepFailed, close_dead_runs, raise_for
from mrm.options import DEFAULT_HOME
from mrm.sandboxing import move_clock
from mrm.screens import print_result
from mrm.serving import describe_home, serve_until_stopped
from services.actors import system_actor
from services.integrations import connect_integration
from services.organizations import create_organization, create_user
from services.scheduling import settle


def test_the_doctor_looks_at_an_empty_home_without_starting_anything(home: Home) -> None:
    checks = {check.name: check.level for check in examine(home, 8750)}
    assert checks["python"] == "ok"
    assert checks["integrations"] == "warning"
    assert checks["clickhouse"] == checks["postgres"] == "ok"


def test_nothing_runs_in_an_empty_home(home: Home) -> None:
    found = describe_home(home)
    assert found["running"] == {}
    assert found["login"] is None


def test_a_home_that_is_about_to_be_served_names_its_process_already(home: Home) -> None:
    def start(*_: object) -> None:
        with pytest.raises(Conflict) as refused:
            serve_until_stopped(installation, supervisor, 8750, language="en")  # type: ignore[arg-type]
        raise KeyboardInterrupt(refused.value.why)

    installation, supervisor = SimpleNamespace(environment=dict), SimpleNamespace(home=home, start=start)
    with pytest.raises(KeyboardInterrupt, match=f"process {os.getpid()} serves it"):
        serve_until_stopped(installation, supervisor, 8750, language="en")  # type: ignore[arg-type]


def test_a_run_whose_process_is_gone_is_closed_and_one_that_lives_is_left_alone(tmp_path: Path) -> None:
    @dg.job
    def nothing() -> None: ...

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        tags = {"dead": {PROCESS: "999999999"}, "the daemon's": {}, "alive": {PROCESS: str(os.getpid())}, "queued": {}}
        runs = {name: instance.create_run_for_job(nothing, tags=t).run_id for name, t in tags.items()}
        for name in ("dead", "the daemon's", "alive"):
            instance.report_dagster_event(_started(), runs[name])
        assert {run.run_id for run in close_dead_runs(instance)} == {runs["dead"], runs["the daemon's"]}
        status = {name: instance.get_run_by_id(run_id).status for name, run_id in runs.items()}
    failed, started, waiting = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED
    assert status == {"dead": failed, "the daemon's": failed, "alive": started, "queued": waiting}


def test_ctrl_c_in_a_step_is_a_cancellation_and_says_how_it_goes_on() -> None:
    @dg.op
    def stopped() -> None:
        raise DagsterExecutionInterruptedError

    @dg.job
    def pulling() -> None:
        stopped()

    with pytest.raises(Cancelled) as caught:
        raise_for(pulling.execute_in_process(raise_on_error=False))
    assert caught.value.exit_code == 130
    assert "--resume" in caught.value.fix


@pytest.mark.parametrize(("broken", "kind"), [(sqlite3.OperationalError("database or disk is full"), DiskFull), (ValueError("no"), StepFailed)])
def test_a_run_that_fails_outside_its_steps_did_not_succeed(monkeypatch: pytest.MonkeyPatch, broken: Exception, kind: type[MrmError]) -> None:
    @dg.job
    def nothing() -> None: ...

    def execute(*_: object) -> Iterator[object]:
        yield from ()
        raise broken

    monkeypatch.setattr("dagster._core.executor.in_process.InProcessExecutor.execute", execute)
    with pytest.raises(kind):
        raise_for(nothing.execute_in_process(raise_on_error=False))


def test_a_full_disk_is_told_as_such_in_sqlites_words_too_inside_a_step_and_outside() -> None:
    @dg.op
    def writing() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    @dg.job
    def pulling() -> None:
        writing()

    with pytest.raises(DiskFull, match="The disk is full"):
        raise_for(pulling.execute_in_process(raise_on_error=False))
    for error in (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), sqlite3.OperationalError("database or disk is full")):
        known = disk_full(str(error))
        assert known is not None
        assert known.exit_code == 3
    assert disk_full("Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)") is not None
    assert disk_full("anything else") is None


def test_a_moved_clock_moves_the_running_sandbox_too(home: Home, start_sandbox: Callable[..., Any]) -> None:
    sandbox = start_sandbox(date(2026, 3, 10))
    (home.directory("sandbox") / "state.json").write_text(json.dumps(sandbox.state))
    home.remember(sandbox_port="1")
    move_clock(home, datetime(2026, 3, 12, tzinfo=UTC))
    assert home.clock.today("UTC") == date(2026, 3, 12)
    assert sandbox.control("clock")["today"] == "2026-03-12"


def test_the_list_of_integrations_fits_a_terminal_and_prints_an_error_whole(
    home: Home, store: Any, shared_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MRM_DATABASE_URL", shared_database)
    monkeypatch.setenv("COLUMNS", "80")
    organization = create_organization(store, "Agency", create_user(store, "a@b.c", "a long password", "A").id)
    actor = system_actor(organization.id)
    made = connect_integration(store, actor, platform="yandex_metrica", name="Client of ours", credentials={"token": "secret"}, settings={})
    failure = SourceError("Metrica refuses the request of the counter 71530264", platform="yandex_metrica")
    settle(store, organization.id, made.id, datetime(2026, 3, 10, 12, tzinfo=UTC), [failure])
    told = CliRunner().invoke(app, ["integrations", "list", "--home", str(home.path)]).stdout.splitlines()
    assert any(line.startswith(f"{made.id[:8]} yandex_metrica") and "0 6 * * *" in line for line in told)
    assert all(len(line) <= 80 for line in told[:-1])
    assert told[-1] == f"{made.id[:8]} Client of ours: {failure}"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_the_closing_screen_offers_next_is_of_the_same_home(
    tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = Result(1.0, False, [], {"built": 1, "tests_passed": 1, "tests_failed": 0}, {}, 1)
    for place, option in ((DEFAULT_HOME, ""), (Path("my home"), f" --home '{tmp_path.resolve()}/my home'")):
        print_result(result, Home.open(place), language, serving=False)
        offered = [line.strip() for line in capsys.readouterr().out.splitlines() if "./run " in line]
        assert len(offered) == 3
        assert all(f"{option} " in f"{line} " if option else "--home" not in line for line in offered)


def _started() -> dg.DagsterEvent:
    return dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name="nothing")
