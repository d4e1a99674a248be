"""Sensors: a queued row in `sync_requests` becomes a run."""

from collections.abc import Iterator
from contextlib import suppress

import dagster as dg
from dagster._core.definitions.target import ExecutableDefinition

from assets.raw import SYNC_STEPS
from domain.errors import NotFound
from pipelines.resources import open_installation
from services.sync_requests import claim_sync_requests, finish_sync_request


def sync_requests_sensor(job: ExecutableDefinition) -> dg.SensorDefinition:
    """Define the sensor that takes "sync now" requests from the store, one run for each."""

    @dg.sensor(name="sync_requests", job=job, minimum_interval_seconds=15, default_status=dg.DefaultSensorStatus.RUNNING)
    def take(_: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest]:
        """Claim queued requests; the run's key is the request's id, so that none runs twice."""
        with open_installation() as installation:
            for request in claim_sync_requests(installation.store):
                only = {"config": {"integration_ids": [request.integration_id]}}
                pulls = dict.fromkeys(SYNC_STEPS, only)
                yield dg.RunRequest(run_key=request.id, run_config={"ops": pulls}, tags={"mrm/sync_request": request.id})

    return take


@dg.run_status_sensor(run_status=dg.DagsterRunStatus.SUCCESS, name="sync_request_done", default_status=dg.DefaultSensorStatus.RUNNING)
def sync_request_done(context: dg.RunStatusSensorContext) -> None:
    """Close the request of a run that succeeded."""
    _finish(context.dagster_run, None)


@dg.run_status_sensor(run_status=dg.DagsterRunStatus.CANCELED, name="sync_request_cancelled", default_status=dg.DefaultSensorStatus.RUNNING)
def sync_request_cancelled(context: dg.RunStatusSensorContext) -> None:
    """Close the request of a run that somebody cancelled."""
    _finish(context.dagster_run, "the run was cancelled")


@dg.run_failure_sensor(name="sync_request_failed", default_status=dg.DefaultSensorStatus.RUNNING)
def sync_request_failed(context: dg.RunFailureSensorContext) -> None:
    """Close the request of a run that failed, with what it said."""
    _finish(context.dagster_run, context.failure_event.message or "the run failed")


def _finish(run: dg.DagsterRun, error: str | None) -> None:
    request_id = run.tags.get("mrm/sync_request")
    if request_id is None:
        return
    with open_installation() as installation, suppress(NotFound):
        finish_sync_request(installation.store, request_id, error)
