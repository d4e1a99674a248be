"""Sensors over what they are told: a build that failed is tried again, and a request says what its integration failed of."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from assets.raw import REQUEST, SYNC_STEPS
from pipelines import sensors
from pipelines.definitions import definitions


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Open an installation made of what a test says."""

    def tell(**parts: Any) -> None:
        @contextmanager
        def opened() -> Iterator[Any]:
            yield SimpleNamespace(**parts)

        monkeypatch.setattr(sensors, "open_installation", opened)

    return tell


def look(instance: dg.DagsterInstance, cursor: str | None) -> Any:
    """Evaluate the sensor of unbuilt loads once."""
    context = dg.build_sensor_context(instance=instance, repository_def=definitions.get_repository_def(), cursor=cursor)
    return definitions.get_sensor_def("unbuilt_loads").evaluate_tick(context)


def run_of(instance: dg.DagsterInstance, key: str, status: dg.DagsterRunStatus) -> None:
    """Note a run that the daemon started for a key and that ended."""

    @dg.job
    def build() -> None: ...

    instance.create_run_for_job(build, tags={"dagster/run_key": key}, status=status)


def test_a_build_that_failed_is_tried_again_after_growing_pauses_and_one_that_succeeded_is_not(told: Callable[..., None]) -> None:
    told(builds=SimpleNamespace(unbuilt=lambda: 7))
    with dg.DagsterInstance.ephemeral() as instance:
        first = look(instance, None)
        assert [r.run_key for r in first.run_requests] == ["position 7"]
        run_of(instance, "position 7", dg.DagsterRunStatus.FAILURE)
        assert look(instance, first.cursor).run_requests == [], "not at once"
        second = look(instance, earlier(first.cursor, minutes=10))
        assert [r.run_key for r in second.run_requests] == ["position 7 try 2"]
        run_of(instance, "position 7 try 2", dg.DagsterRunStatus.FAILURE)
        assert look(instance, earlier(second.cursor, minutes=10)).run_requests == []
        third = look(instance, earlier(second.cursor, minutes=20))
        assert [r.run_key for r in third.run_requests] == ["position 7 try 3"]
        run_of(instance, "position 7 try 3", dg.DagsterRunStatus.SUCCESS)
        assert look(instance, earlier(third.cursor, minutes=999)).run_requests == []
        told(builds=SimpleNamespace(unbuilt=lambda: 8))
        assert [r.run_key for r in look(instance, third.cursor).run_requests] == ["position 8"]


def earlier(cursor: str, minutes: int) -> str:
    """Return a cursor as it would be had the last try been so much earlier."""
    known = json.loads(cursor)
    return json.dumps({**known, "last": (datetime.fromisoformat(known["last"]) - timedelta(minutes=minutes)).isoformat()})


ASKED, BEFORE, AFTER = (datetime(2026, 3, 10, hour, tzinfo=UTC) for hour in (12, 11, 13))
SUCCESS, FAILURE, CANCELED = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED


@pytest.mark.parametrize(("status", "error", "integrations", "said"), [
    (SUCCESS, None, [("i", ASKED, None)], None),
    (SUCCESS, None, [("i", BEFORE, None)], "The integration is paused, disconnected or gone, so nothing was pulled"),
    (SUCCESS, None, [("i", None, None)], "The integration is paused, disconnected or gone, so nothing was pulled"),
    (SUCCESS, None, [("other", AFTER, None)], "The integration is paused, disconnected or gone, so nothing was pulled"),
    (FAILURE, "Steps failed", [("i", AFTER, "meta_ads: the token was refused."), ("other", AFTER, "no")], "meta_ads: the token was refused."),
    (FAILURE, "Steps failed", [("i", AFTER, None)], "Steps failed"),
    (FAILURE, "Its process died", [("i", BEFORE, "of an earlier run")], "Its process died"),
    (CANCELED, "the run was cancelled", [("i", AFTER, "Direct is away")], "the run was cancelled"),
])  # fmt: skip
def test_a_request_says_what_its_integration_failed_of(
    told: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    status: dg.DagsterRunStatus,
    error: str | None,
    integrations: list[tuple[str, datetime | None, str | None]],
    said: str | None,
) -> None:
    closed: list[Any] = []
    monkeypatch.setattr(sensors, "finish_sync_request", lambda store, request, why: closed.append((request, why)))
    states = [SimpleNamespace(integration=SimpleNamespace(id=i), schedule=SimpleNamespace(last_attempt_at=at, last_error=why)) for i, at, why in integrations]
    monkeypatch.setattr(sensors, "states_of_everyone", lambda store: states)
    told(store=None)
    config = {"ops": {step: {"config": {"integration_ids": ["i"]}} for step in SYNC_STEPS}}
    tags = {REQUEST: "r", sensors.ASKED_AT: ASKED.isoformat()}
    sensors.give_back(dg.DagsterRun(job_name="sync_and_build", tags=tags, run_config=config, status=status), error)
    assert closed == [("r", said)]


def test_a_run_knows_when_its_request_was_taken(told: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensors, "claim_sync_requests", lambda store: [SimpleNamespace(id="r", integration_id="i")])
    told(store=None, clock=SimpleNamespace(now=lambda: ASKED))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, repository_def=definitions.get_repository_def())
        [request] = definitions.get_sensor_def("sync_requests").evaluate_tick(context).run_requests or ()
    assert (request.tags[REQUEST], request.tags[sensors.ASKED_AT]) == ("r", ASKED.isoformat())
