"""Sensors: what is due, what people ask for, and what was committed and not built yet become runs."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import dagster as dg
from dagster._core.definitions.target import ExecutableDefinition

from assets.alerting import watch_and_tell
from assets.partitions import INTEGRATIONS, integration_key
from assets.raw import CLAIM, REQUEST, SYNC_STEPS
from domain.errors import NotFound
from pipelines.resources import open_installation
from services.installation import Installation
from services.integrations import IntegrationAccess
from services.scheduling import claim_due, release_claim, states_of_everyone
from services.sync_requests import claim_sync_requests, finish_sync_request

UNFINISHED = [
    *(dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING),
    *(dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING),
]
ASKED_AT = "mrm/asked_at"
"""The tag that says when a sync request was taken, by the home's clock: what an integration's schedule says from before is of another run."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=10), timedelta(hours=2)
"""How long a build that did not succeed waits for the next try: ever longer, while nothing new is committed."""


def due_integrations_sensor(job: ExecutableDefinition) -> dg.SensorDefinition:
    """Define the sensor that pulls every integration by its own schedule, many in one run (docs/decisions/0013)."""

    @dg.sensor(
        name="due_integrations",
        job=job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Claims the integrations whose schedule is due by the home's clock, at most five hundred a run; also keeps Dagster's partitions in step.",
    )
    def take(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with open_installation() as installation:
            partitions = _partitions_in_step(context.instance, installation.integrations())
            claim = claim_due(installation.store, installation.clock.now())
        if claim is None:
            return dg.SensorResult(skip_reason="No integration is due", dynamic_partitions_requests=partitions)
        tags = {CLAIM: claim.id, "mrm/integrations": str(len(claim.integration_ids))}
        request = dg.RunRequest(run_key=claim.id, run_config=_pulls(claim.integration_ids), tags=tags)
        return dg.SensorResult(run_requests=[request], dynamic_partitions_requests=partitions)

    return take


def sync_requests_sensor(job: ExecutableDefinition) -> dg.SensorDefinition:
    """Define the sensor that takes "sync now" requests from the store, one run for each."""

    @dg.sensor(
        name="sync_requests",
        job=job,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Takes what people asked for with “sync now”.",
    )
    def take(_: dg.SensorEvaluationContext) -> dg.SensorResult:
        with open_installation() as installation:
            tags = {ASKED_AT: installation.clock.now().isoformat(), "dagster/priority": "10"}
            requests = claim_sync_requests(installation.store)
        runs = [dg.RunRequest(run_key=r.id, run_config=_pulls([r.integration_id]), tags={**tags, REQUEST: r.id}) for r in requests]
        return dg.SensorResult(run_requests=runs) if runs else dg.SensorResult(skip_reason="Nobody asked")

    return take


def unbuilt_loads_sensor(job: ExecutableDefinition, pulling: str) -> dg.SensorDefinition:
    """Define the sensor that builds what was committed outside the usual job: a backfill from the UI, an import, a killed run.

    While a run of `pulling` or of the build itself is under way it waits: that run builds. A build that failed (a full disk, a killed
    server) is tried again with growing pauses, so that it goes on by itself when the cause is gone.
    """

    @dg.sensor(
        name="unbuilt_loads",
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Builds the marts when slices changed since the last build and no run is under way that will.",
    )
    def take(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        running = context.instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED), limit=50)
        if any(r.dagster_run.job_name in (pulling, job.name) or "dagster/backfill" in r.dagster_run.tags for r in running):
            return dg.SensorResult(skip_reason="A run is under way that builds when it is done")
        with open_installation() as installation:
            position = installation.builds.unbuilt()
        if position is None:
            return dg.SensorResult(skip_reason="No slice changed since the last build")
        now, (tries, last) = datetime.now(UTC), _tried(context.cursor, position)
        if tries and not _failed(context.instance, _key(position, tries)):
            return dg.SensorResult(skip_reason="No slice changed since the last build")
        if last and now < last + min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE):
            return dg.SensorResult(skip_reason="The build failed, and is tried again a little later")
        cursor = json.dumps({"position": position, "tries": tries + 1, "last": now.isoformat()})
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=_key(position, tries + 1))], cursor=cursor)

    return take


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks at every alert rule and sends what is queued; needs no run.",
)
def alerts_sensor(_: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Look at every alert rule and send what is queued."""
    with open_installation() as installation:
        counts = watch_and_tell(installation)
    return dg.SkipReason(", ".join(f"{name} {count}" for name, count in counts.items()))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    name="run_succeeded",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Closes the request or claim of a run that succeeded.",
)
def run_succeeded(context: dg.RunStatusSensorContext) -> None:
    """Close the request or claim of a run that succeeded."""
    give_back(context.dagster_run, None)


@dg.run_failure_sensor(name="run_failed", default_status=dg.DefaultSensorStatus.RUNNING, description="Closes the request or claim of a run that failed.")
def run_failed(context: dg.RunFailureSensorContext) -> None:
    """Close the request or claim of a run that failed, with what it said."""
    give_back(context.dagster_run, context.failure_event.message or "the run failed")


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    name="run_canceled",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Closes the request or claim of a run that somebody cancelled.",
)
def run_canceled(context: dg.RunStatusSensorContext) -> None:
    """Close the request or claim of a run that somebody cancelled."""
    give_back(context.dagster_run, "the run was cancelled")


def _pulls(integration_ids: tuple[str, ...] | list[str]) -> Mapping[str, object]:
    """Configure a run that pulls these integrations."""
    return {"ops": {step: {"config": {"integration_ids": list(integration_ids)}} for step in SYNC_STEPS}}


def _tried(cursor: str | None, position: int) -> tuple[int, datetime | None]:
    """Read from the sensor's cursor how often a build of this position of the ledger was asked for, and when last."""
    known = json.loads(cursor) if cursor and cursor.startswith("{") else {}
    return (known["tries"], datetime.fromisoformat(known["last"])) if known.get("position") == position else (0, None)


def _key(position: int, number: int) -> str:
    """Name one try to build a position: Dagster starts one run for each name."""
    return f"position {position}" if number == 1 else f"position {position} try {number}"


def _failed(instance: dg.DagsterInstance, run_key: str) -> bool:
    return bool(instance.get_run_records(dg.RunsFilter(tags={"dagster/run_key": run_key}, statuses=[dg.DagsterRunStatus.FAILURE]), limit=1))


def give_back(run: dg.DagsterRun, error: str | None) -> None:
    """Close what a run had taken: its sync request, and the claim on integrations that it did not come to."""
    request, claim = run.tags.get(REQUEST), run.tags.get(CLAIM)
    if request is None and claim is None:
        return
    with open_installation() as installation:
        if request is not None:
            with suppress(NotFound):
                finish_sync_request(installation.store, request, _why(installation, run, error))
        if claim is not None:
            release_claim(installation.store, claim, installation.clock.now())


def _why(installation: Installation, run: dg.DagsterRun, error: str | None) -> str | None:
    """Say what a run's integrations failed of rather than that its step did; one that is not pulled at all did not succeed. None: all is well.

    Only what was settled since the request was taken is this run's, and what a cancelled run came to does not explain its end.
    """
    if run.status is dg.DagsterRunStatus.CANCELED:
        return error
    steps = cast("Mapping[str, Any]", run.run_config.get("ops", {}))
    asked = steps.get(SYNC_STEPS[0], {}).get("config", {}).get("integration_ids", [])
    began = datetime.fromisoformat(run.tags.get(ASKED_AT, "2000-01-01T00:00:00+00:00"))
    states = [s for s in states_of_everyone(installation.store) if s.integration.id in asked]
    pulled = {s.integration.id: s.schedule.last_error for s in states if s.schedule.last_attempt_at and s.schedule.last_attempt_at >= began}
    if error:
        return "; ".join(why for why in pulled.values() if why) or error
    return None if pulled.keys() >= set(asked) else "The integration is paused, disconnected or gone, so nothing was pulled"


def _partitions_in_step(instance: dg.DagsterInstance, integrations: Iterable[IntegrationAccess]) -> list[dg.AddDynamicPartitionsRequest]:
    """Ask for the partitions of new integrations; those of integrations that are gone stay as history."""
    known = set(instance.get_dynamic_partitions(INTEGRATIONS.name or ""))
    new = sorted({integration_key(i.platform, i.id) for i in integrations} - known)
    return [INTEGRATIONS.build_add_request(new)] if new else []
