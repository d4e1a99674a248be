"""Parts of the command line that need no server."""

import os
from pathlib import Path

import dagster as dg

from home.directory import Home
from mrm.doctor import examine
from mrm.jobs import PROCESS, close_dead_runs
from mrm.serving import describe_home


def test_the_doctor_looks_at_an_empty_home_without_starting_anything(home: Home) -> None:
    checks = {check.name: check.level for check in examine(home, 8750)}
    assert checks["python"] == "ok"
    assert checks["integrations"] == "warning"
    assert checks["clickhouse"] == checks["postgres"] == "ok"


def test_nothing_runs_in_an_empty_home(home: Home) -> None:
    found = describe_home(home)
    assert found["running"] == {}
    assert found["login"] is None


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


def _started() -> dg.DagsterEvent:
    return dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name="nothing")
