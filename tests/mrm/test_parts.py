"""Parts of the command line that need no server."""

import errno
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from sqlalchemy import text
from typer.testing import CliRunner

from domain.errors import Conflict, DiskFull, MrmError, SourceError, UsageError, disk_full
from domain.money import is_currency, rounded
from domain.questions import Answer, AnswerColumn
from domain.windows import DateWindow
from home.directory import Home
from mrm.backfilling import _run
from mrm.cli import app
from mrm.demo import Result
from mrm.doctor import examine
from mrm.importing import described
from mrm.jobs import PROCESS, Cancelled, StepFailed, close_dead_runs, raise_for
from mrm.naming import choose
from mrm.options import DEFAULT_HOME, NothingYet, require_dates
from mrm.query import Format, _print_answer
from mrm.replaying import OF_FILES
from mrm.sandboxing import move_clock
from mrm.scheduling import describe
from mrm.screens import print_result
from mrm.serving import describe_home, serve_until_stopped, shortened
from services.actors import system_actor
from services.importing import Imported
from services.integrations import connect_integration
from services.organizations import create_organization, create_user
from services.scheduling import claim_due, settle
from store.integrations import Integrations

DAYS = ["--since", "2026-01-01", "--until", "2026-01-02"]


def test_the_doctor_looks_at_an_empty_home_without_starting_anything(home: Home) -> None:
    checks = {check.name: check.level for check in examine(home, 8750)}
    assert checks["python"] == "ok"
    assert checks["integrations"] == "warning"
    assert checks["clickhouse"] == checks["postgres"] == "ok"


def test_nothing_runs_in_an_empty_home(home: Home) -> None:
    found = describe_home(home)
    assert found["running"] == {}
    assert found["login"] is None


@pytest.mark.parametrize("command", [
    ["query", "--metrics", "spend", *DAYS], ["gaps"], ["report"], ["currency"], ["backfill", *DAYS], ["replay"], ["integrations", "list"], ["alerts", "list"],
    ["disconnect", "x"], ["sync"], ["warehouse", "prune", "--keep-days", "9"], ["store", "rotate-keys"],
])  # fmt: skip
def test_a_command_that_reads_makes_no_home(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MRM_DATABASE_URL", raising=False)
    done = CliRunner().invoke(app, [*command, "--home", str(tmp_path / "none")])
    assert isinstance(done.exception, NothingYet)
    assert "./run demo" in done.exception.what
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("command", "said"), [
    (["status"], "There is nothing in"), (["status", "--lang", "ru"], "пока ничего нет"), (["status", "--json"], '"running": {}'), (["down"], "Nothing ran."),
])  # fmt: skip
def test_what_runs_where_no_home_is_makes_none(command: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MRM_DATABASE_URL", raising=False)
    done = CliRunner().invoke(app, [*command, "--home", str(tmp_path / "none")])
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 1)
    assert said in done.stdout
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("served", [True, False])
def test_a_login_is_shown_beside_the_urls_it_is_good_for(home: Home, served: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    running = {"postgres": "postgresql://127.0.0.1:5432"} | ({"dashboards": "http://127.0.0.1:8750/app/"} if served else {})
    login = {"email": "demo@mrm.local", "password": "word"}
    monkeypatch.setattr("mrm.serving.describe_home", lambda _: {"running": running, "login": login, "integrations": []})
    told = CliRunner().invoke(app, ["status", "--home", str(home.path)]).stdout
    assert ("demo@mrm.local" in told, "./run up starts them" in told) == (served, not served)


def test_a_quota_is_named_in_a_few_words() -> None:
    assert shortened({"units of a": "1", "units of b": "2"}) == "units of a: 1, units of b: 2"
    assert shortened({f"units of {n}": "9" * 50 for n in range(7)}) == f"units of 0: {'9' * 27}…, units of 1: {'9' * 27}… and 5 more"


@pytest.mark.parametrize(("amount", "currency", "shown"), [
    ("58705.234567", "EUR", "58705.23"), ("5", "RUB", "5.00"), ("1234.56", "JPY", "1235"), ("1.23456", "KWD", "1.235"), ("0", "EUR", "0.00"),
    ("0.0043", "EUR", "0.0043"), ("-0.004", "USD", "-0.0040"),
])  # fmt: skip
def test_money_has_its_currencys_own_decimals(amount: str, currency: str, shown: str) -> None:
    assert rounded(Decimal(amount), currency) == shown


def test_a_table_rounds_money_and_json_keeps_it_exact(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [AnswerColumn(name="currency", kind="dimension"), AnswerColumn(name="spend", kind="metric", unit="money")]
    rows: list[Any] = [{"currency": "EUR", "spend": Decimal("58705.234567")}, {"currency": "JPY", "spend": Decimal("12.5")}]
    answer = Answer(columns=columns, rows=rows, data_version=1, freshness=[], warnings=[], sql="", query_hash="")
    said = {}
    for form in (Format.TABLE, Format.CSV, Format.JSON):
        _print_answer(answer, form)
        said[form] = capsys.readouterr().out
    assert said[Format.TABLE].split()[2:] == ["EUR", "58705.23", "JPY", "12"]
    assert all("58705.234567" in said[form] for form in (Format.CSV, Format.JSON))
    _print_answer(answer.model_copy(update={"currency": "EUR", "rows": [{"currency": None, "spend": Decimal("1.239")}]}), Format.TABLE)
    assert capsys.readouterr().out.split()[-1] == "1.24"


@pytest.mark.parametrize("command", ["gaps", "sync"])
@pytest.mark.parametrize(("dates", "said"), [((DAYS[3], DAYS[1]), "after its end"), (("2099-01-01",), "still to come")])
def test_dates_that_no_pull_can_have_are_refused_before_anything_starts(home: Home, command: str, dates: tuple[str, ...], said: str) -> None:
    options = [part for pair in zip(("--since", "--until"), dates, strict=False) for part in pair]
    done = CliRunner().invoke(app, [command, *options, "--home", str(home.path)])
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)


def test_dates_that_are_over_are_not_refused() -> None:
    require_dates(datetime(2026, 1, 1, tzinfo=UTC), None, date(2026, 1, 1))
    require_dates(None, datetime(2099, 1, 1, tzinfo=UTC), date(2026, 1, 1))


def test_a_backfill_of_what_is_paused_is_not_complete() -> None:
    installation: Any = SimpleNamespace(integrations=list)
    with pytest.raises(Conflict, match="No integration of this backfill is pulled"):
        _run(installation, SimpleNamespace(integration_ids=["paused"]))  # type: ignore[arg-type]


def test_a_backfill_of_which_an_integration_is_gone_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[dict[str, Any]] = []
    monkeypatch.setattr("mrm.jobs.run_job", lambda *_, **__: None)
    monkeypatch.setattr("services.backfills.note_backfill", lambda *_, **how: noted.append(how))
    here: Any = SimpleNamespace(id="here", status="active")
    installation: Any = SimpleNamespace(integrations=lambda: [here], integration_states=lambda: [here], store=None, actor=None)
    days = {"since": date(2026, 1, 1), "until": date(2026, 1, 2), "began_at": datetime(2026, 1, 3, tzinfo=UTC)}
    [failed] = _run(installation, SimpleNamespace(id="b", organization_id="o", integration_ids=["here", "there"], **days))  # type: ignore[arg-type]
    said = "The integration there is gone: begin a backfill of the others anew"
    assert (failed.id, failed.last_error) == ("there", said)
    assert noted[-1] == {"done": False, "error": said}


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


def test_a_step_that_failed_tells_our_own_words_without_their_class() -> None:
    @dg.op
    def building() -> None:
        raise UsageError("The rows do not fit", fix="Mend them")

    @dg.job
    def pulling() -> None:
        building()

    with pytest.raises(StepFailed) as caught:
        raise_for(pulling.execute_in_process(raise_on_error=False))
    assert (caught.value.why, caught.value.exit_code) == ("The rows do not fit. Mend them.", 2)


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
    made = connect_integration(store, actor, platform="yandex_metrica", name="[/b] Client", credentials={"token": "secret"}, settings={})
    failure = SourceError("Metrica refuses the request of the counter 71530264", platform="yandex_metrica")
    settle(store, organization.id, made.id, datetime(2026, 3, 10, 12, tzinfo=UTC), [failure])
    told = CliRunner().invoke(app, ["integrations", "list", "--home", str(home.path)]).stdout.splitlines()
    assert any(line.startswith(f"{made.id[:8]} yandex_metrica") and "0 6 * * *" in line for line in told)
    assert all(len(line) <= 80 for line in told[:-1])
    assert told[-1] == f"{made.id[:8]} [/b] Client: {failure}"
    assert any("[/b]" in line for line in told[:-1]), "a name is no markup"
    assert claim_due(store, datetime(2027, 1, 1, tzinfo=UTC)) is not None
    seen: Any = SimpleNamespace(store=store, actor=actor)
    assert [state["running"] for state in describe(seen)] == [True]
    with store.system() as transaction:
        transaction.execute(text("update sync_schedules set claimed_until = now() - interval '1 second'"))
    assert [state["running"] for state in describe(seen)] == [False], "its run died"


def test_an_integration_that_comes_from_files_is_not_shown_as_pulled(home: Home, store: Any, shared_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRM_DATABASE_URL", shared_database)
    organization = create_organization(store, "Agency", create_user(store, "a@b.c", "a long password", "A").id)
    with store.transaction(organization.id) as transaction:
        Integrations(transaction, organization.id, store.vault).add("vk_ads", "VK shop", {}, {"kind": "import"}, project_id=None, created_by=None)
    told = CliRunner().invoke(app, ["integrations", "list", "--home", str(home.path)]).stdout.splitlines()
    assert told[-1].rstrip().endswith("by file")
    assert "* * *" not in told[-1]
    seen: Any = SimpleNamespace(store=store, organization=lambda: organization, integrations=list)
    with pytest.raises(Conflict, match="VK shop comes from files") as refused:
        choose(seen, ["vk_ads"])
    assert refused.value.fix == "./run import FILE --platform vk_ads --integration 'VK shop'"
    with pytest.raises(Conflict, match="without the mapping"):
        choose(seen, ["vk_ads"], OF_FILES)


def test_an_import_says_one_row_and_two_days() -> None:
    part = Imported("i", "shop", 1, DateWindow(date(2026, 3, 1), date(2026, 3, 3)), 1, 2, ())
    assert described("vk_ads", part) == "vk_ads shop: 1 row of 2026-03-01..2026-03-03, 1 day changed, 2 days unchanged"


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


@pytest.mark.parametrize(("failed", "said"), [(8, "failed 8: ./run alerts list says why\n"), (0, "failed 0\n")])
def test_a_look_at_the_rules_says_where_the_reason_of_a_failed_message_stands(home: Home, failed: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.alerting.watch_and_tell", lambda _: {"retried": 0, "failed": failed})
    assert CliRunner().invoke(app, ["alerts", "check", "--home", str(home.path)]).stdout.endswith(said)


def test_a_channel_that_no_message_would_reach_is_not_added(home: Home, store: Any, shared_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRM_DATABASE_URL", shared_database)
    command = ["alerts", "add-channel", "webhook", "--name", "w", "--target", "http://127.0.0.1:9/x", "--home", str(home.path)]
    refused = CliRunner().invoke(app, command).exception
    assert isinstance(refused, UsageError)
    assert "MRM_DELIVERY_PRIVATE_ADDRESSES=1" in refused.fix
    monkeypatch.setenv("MRM_DELIVERY_PRIVATE_ADDRESSES", "1")
    assert CliRunner().invoke(app, command).exit_code == 0


def test_what_is_no_currency_is_told_from_one_whose_rates_are_lacking() -> None:
    assert [code for code in ("EUR", "JPY", "DEM", "XXX", "XTS", "EUT", "eur", "") if is_currency(code)] == ["EUR", "JPY", "DEM"]
