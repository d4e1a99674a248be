"""Run Dagster's own job in this process, with the home's event log, so that its UI later shows the same history."""

import importlib
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import date, datetime
from typing import TYPE_CHECKING

from domain import errors
from domain.errors import MrmError, disk_full
from home.directory import Home
from mrm.processes import command_of

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun, ExecuteInProcessResult
    from dagster._utils.error import SerializableErrorInfo  # type: ignore[attr-defined]

    from services.installation import Installation

PROCESS = "mrm/process"
"""The tag that names the process of a run that no code server started."""
DAGSTER_YAML = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")
OWN_CLASS = re.compile(r"^domain\.errors\.\w+: ")
"""What Python puts before the words of an error of ours."""
QUIET = {"compute_logs": {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}}
"""In this process nothing captures the terminal: the output goes to the home's logs/job.log."""


def dagster_home(home: Home) -> str:
    """Return the home's Dagster directory, its instance settings written on first use."""
    directory = home.directory("dagster")
    settings = directory / "dagster.yaml"
    if not settings.exists():
        settings.write_text(DAGSTER_YAML)
    return str(directory)


def import_early() -> None:
    """Import Dagster and the definitions in the background: it takes seconds that other starts can share."""
    threading.Thread(target=lambda: importlib.import_module("pipelines.definitions"), daemon=True, name="import-dagster").start()


@contextmanager
def history_kept_open() -> Iterator[None]:
    """Keep Dagster's history in its SQLite files quick for a block: no connection and no compiled statement is thrown away."""
    from dagster._core.storage.event_log.sqlite import sqlite_event_log

    from store.sqlite_files import engines_kept, sqlite_kept_open

    with sqlite_kept_open(), engines_kept(sqlite_event_log):
        yield


def run_job(
    installation: "Installation",
    *,
    integration_ids: list[str] | None = None,
    since: date | None = None,
    until: date | None = None,
    not_since: datetime | None = None,
    run_id: str | None = None,
) -> None:
    """Pull, build and report as the schedule does. Account failures stay in `installation.failing_integrations()`.

    `run_id` names a run whose pulls have begun (services.pulling.begin_run).

    Raises StepFailed with the exit code of what went wrong in a step, Cancelled after Ctrl-C.
    """
    os.environ["DAGSTER_HOME"] = dagster_home(installation.home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    from dagster import DagsterInstance
    from dagster._core.instance.ref import InstanceRef

    from assets.raw import SYNC_STEPS
    from pipelines.definitions import definitions

    for name in ("dagster", "dagster._core.execution.plan.active"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    pull = {"integration_ids": integration_ids or [], "since": since.isoformat() if since else "", "until": until.isoformat() if until else ""}
    pull["not_since"] = not_since.isoformat() if not_since else ""
    config = {
        "ops": {step: {"config": pull} for step in SYNC_STEPS},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    log = installation.home.directory("logs") / "job.log"
    with (
        history_kept_open(),
        DagsterInstance.from_ref(InstanceRef.from_dir(os.environ["DAGSTER_HOME"], overrides=QUIET)) as instance,
        log.open("a", encoding="utf-8") as said,
        redirect_stdout(said),
    ):
        result = definitions.resolve_job_def("sync_and_build").execute_in_process(
            run_config=config,
            run_id=run_id,
            tags={PROCESS: str(os.getpid())},
            resources={"installation": installation},
            instance=instance,
            raise_on_error=False,
        )
    raise_for(result)


def close_dead_runs(instance: "DagsterInstance") -> list["DagsterRun"]:
    """Mark as failed the runs under way whose process is gone, and return them; the daemon of `./run up` must not run yet.

    Dagster's code server does so for the runs that it started, but not for those that died with it. A run that seems to be under way
    for ever would hold up every build.
    """
    from dagster import DagsterRunStatus, RunsFilter

    under_way = RunsFilter(statuses=[DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING])
    dead = [run for run in instance.get_runs(under_way) if not command_of(int(run.tags.get(PROCESS, "0")))]
    for run in dead:
        instance.report_run_failed(run, "The process of this run is gone: it was killed, or the machine was restarted")
    return dead


class StepFailed(MrmError):
    """A step of the job failed, or without a step the run around them; it keeps the exit code of the error inside it."""

    def __init__(self, step: str, kind: str, text: str) -> None:
        super().__init__(
            f"The step {step} failed" if step else "The run failed",
            why=text,
            fix="Mend what is named, then run ./run sync: nothing that was committed is pulled again",
        )
        self.exit_code = getattr(errors, kind.rsplit(".", 1)[-1], MrmError).exit_code


class Cancelled(MrmError):
    """Somebody pressed Ctrl-C; what was committed stays."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("Cancelled", why="What was committed stays", fix="./run sync goes on with what is due, ./run backfill --resume with a backfill")


def raise_for(result: "ExecuteInProcessResult") -> None:
    """Raise what a step failed of, or the run outside its steps; but not the outcome's failure, which the caller reports account by account."""
    from dagster._core.events import RunFailureReason

    for event in result.all_events:
        if event.is_step_failure:
            error = _innermost(event.step_failure_data.error)
            if event.step_key != "raw__sync_outcome" or (error and error.cls_name in INTERRUPTIONS):
                raise _told(event.step_key or "", error)
        elif event.is_run_failure and event.job_failure_data.failure_reason is not RunFailureReason.STEP_FAILURE:
            raise _told("", _innermost(event.job_failure_data.error))


def _innermost(error: "SerializableErrorInfo | None") -> "SerializableErrorInfo | None":
    while error and error.cause:
        error = error.cause
    return error


def _told(step: str, error: "SerializableErrorInfo | None") -> MrmError:
    """Return the error that a person should read for one that Dagster caught."""
    if error is None:
        return StepFailed(step, "", "unknown")
    if error.cls_name in INTERRUPTIONS:
        return Cancelled()
    return disk_full(error.message) or StepFailed(step, error.cls_name or "", OWN_CLASS.sub("", error.message.strip()))
