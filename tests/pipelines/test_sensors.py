"""Sensors over what they are told: a build that failed is tried again, and a request says what its integration failed of."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
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


@pytest.mark.parametrize(("error", "failing", "pulled", "said"), [
    (None, [], ["i"], None),
    (None, [], [], "The integration is paused, disconnected or gone, so nothing was pulled"),
    ("Steps failed", [("i", "meta_ads: the token was refused."), ("other", "no")], ["i"], "meta_ads: the token was refused."),
    ("Steps failed", [], ["i"], "Steps failed"),
])  # fmt: skip
def test_a_request_says_what_its_integration_failed_of(
    told: Callable[..., None], monkeypatch: pytest.MonkeyPatch, error: str | None, failing: list[tuple[str, str]], pulled: list[str], said: str | None
) -> None:
    closed: list[Any] = []
    monkeypatch.setattr(sensors, "finish_sync_request", lambda store, request, why: closed.append((request, why)))
    records = [SimpleNamespace(id=i, last_error=why) for i, why in failing]
    told(store=None, failing_integrations=lambda: records, integrations=lambda: [SimpleNamespace(id=i) for i in pulled])
    config = {"ops": {step: {"config": {"integration_ids": ["i"]}} for step in SYNC_STEPS}}
    sensors.give_back(dg.DagsterRun(job_name="sync_and_build", tags={REQUEST: "r"}, run_config=config), error)
    assert closed == [("r", said)]
