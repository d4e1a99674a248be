"""Many integrations in one run: one that is paused, or removed, while the run is under way holds up no other."""

import fcntl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from domain.clock import PinnedClock
from domain.errors import NotFound
from home.directory import Home
from home.servers import locked as home_locked
from services.integrations import all_integration_access, connect_integration, renew_integration, stop_integration
from services.outcomes import SyncResult
from services.pulling import Wanted, pull_platform
from services.scheduling import integration_states
from store.database import Store
from store.forgetting import forget_integration

CLOCK = PinnedClock(date(2026, 3, 10), datetime.now(UTC))


def test_what_is_paused_or_removed_meanwhile_is_left_out_and_the_others_are_pulled(
    store: Store, ours: Any, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {n: connect_integration(store, ours.admin, platform="meta_ads", name=n, credentials={"access_token": n}, settings={}).id for n in "abcd"}
    opened = all_integration_access(store)
    asked = []

    def sync(access: Any, **_: Any) -> SyncResult:
        asked.append(access.id)
        if access.id in (made["b"], made["c"]):
            forget_integration(store, ours.organization_id, access.id, dry_run=False)
        if access.id == made["b"]:
            raise NotFound("There is no such integration")
        return SyncResult(access.id, "meta_ads", 1, ())

    stop_integration(store, ours.admin, made["a"], disconnect=False)
    monkeypatch.setattr("services.pulling.sync_integration", sync)
    results = list(pull_platform(made_of(store, home, opened), "meta_ads", Wanted()))
    assert sorted(asked) == sorted((made["b"], made["c"], made["d"]))
    assert [r.integration_id for r in results] == [made["d"]]
    assert [s.schedule.last_success_at is not None for s in integration_states(store, ours.admin)] == [False, True]


def test_something_else_that_is_not_found_is_no_removed_integration(store: Store, ours: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    connect_integration(store, ours.admin, platform="meta_ads", name="a", credentials={"access_token": "a"}, settings={})

    def sync(access: Any, **_: Any) -> SyncResult:
        raise NotFound("There is no bucket")

    monkeypatch.setattr("services.pulling.sync_integration", sync)
    with pytest.raises(NotFound, match="bucket"):
        list(pull_platform(made_of(store, home, all_integration_access(store)), "meta_ads", Wanted()))


def test_whoever_waited_for_a_credential_pulls_by_what_it_has_become(store: Store, ours: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made = connect_integration(store, ours.admin, platform="meta_ads", name="a", credentials={"access_token": "old-token"}, settings={})
    opened = all_integration_access(store)
    renew_integration(store, ours.admin, made.id, credentials={"access_token": "new-token"})
    used = []

    def sync(access: Any, **_: Any) -> SyncResult:
        used.append(access.credentials["access_token"])
        return SyncResult(access.id, "meta_ads", 1, ())

    monkeypatch.setattr("services.pulling.sync_integration", sync)
    assert len(list(pull_platform(made_of(store, home, opened), "meta_ads", Wanted()))) == 1
    assert used == ["new-token"]


def test_two_runs_never_pull_by_one_credential_at_once_but_by_two(store: Store, ours: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, token in (("a", "shared"), ("b", "shared"), ("c", "own")):
        connect_integration(store, ours.admin, platform="meta_ads", name=name, credentials={"access_token": token}, settings={})
    opened = all_integration_access(store)
    wanting, running, most = threading.Barrier(3, timeout=30), Counter[str](), Counter[str]()

    @contextmanager
    def locked(place: Home, name: str) -> Iterator[None]:
        wanting.wait()  # all three want to begin
        with home_locked(place, name):
            yield

    def sync(access: Any, **_: Any) -> SyncResult:
        token = access.credentials["access_token"]
        running[token] += 1
        most[token] = max(most[token], running[token])
        all_integration_access(store)
        running[token] -= 1
        return SyncResult(access.id, "meta_ads", 1, ())

    monkeypatch.setattr("services.pulling.sync_integration", sync)
    monkeypatch.setattr("services.pulling.locked", locked)
    runs = [frozenset((opened[0].id, opened[2].id)), frozenset((opened[1].id,))]
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(lambda ids: list(pull_platform(made_of(store, home, opened), "meta_ads", Wanted(ids))), ids) for ids in runs]
        assert sum(len(run.result()) for run in done) == 3
    assert most == {"shared": 1, "own": 1}


@pytest.mark.parametrize("credentials", [
    {"access_token": "old-token"},
    {"token": "old-token", "refresh_token": "old-refresh", "client_id": "app"},
])  # fmt: skip
def test_another_run_waits_for_a_login_whose_token_renewed_itself_on_the_way(
    store: Store, ours: Any, home: Home, monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str]
) -> None:
    connect_integration(store, ours.admin, platform="meta_ads", name="a", credentials=credentials, settings={})
    renewed = {name: value.replace("old", "new") for name, value in credentials.items()}
    monkeypatch.setattr("connectors.renewal.renewed", lambda _, held, *__, **___: renewed if "old-token" in held.values() else {})
    monkeypatch.setattr("services.pulling.locked", without_waiting)
    pulled = []

    def sync(access: Any, **_: Any) -> SyncResult:
        pulled.append(set(access.credentials.values()) >= set(renewed.values()))
        with pytest.raises(BlockingIOError):
            list(pull_platform(made_of(store, home, all_integration_access(store)), "meta_ads", Wanted()))
        return SyncResult(access.id, "meta_ads", 1, ())

    monkeypatch.setattr("services.pulling.sync_integration", sync)
    assert len(list(pull_platform(made_of(store, home, all_integration_access(store)), "meta_ads", Wanted()))) == 1
    assert pulled == [True]


def test_another_run_waits_for_a_login_that_a_person_entered_after_it_was_listed(store: Store, ours: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made = connect_integration(store, ours.admin, platform="meta_ads", name="a", credentials={"access_token": "old-login"}, settings={})
    opened = all_integration_access(store)
    renew_integration(store, ours.admin, made.id, credentials={"access_token": "new-login"})
    monkeypatch.setattr("services.pulling.locked", without_waiting)
    pulled = []

    def sync(access: Any, **_: Any) -> SyncResult:
        pulled.append(access.credentials["access_token"])
        with pytest.raises(BlockingIOError):
            list(pull_platform(made_of(store, home, all_integration_access(store)), "meta_ads", Wanted()))
        return SyncResult(access.id, "meta_ads", 1, ())

    monkeypatch.setattr("services.pulling.sync_integration", sync)
    assert len(list(pull_platform(made_of(store, home, opened), "meta_ads", Wanted()))) == 1
    assert pulled == ["new-login"]


@contextmanager
def without_waiting(home: Home, name: str) -> Iterator[None]:
    """Hold a lock of the home for a block; raises BlockingIOError where somebody holds it."""
    with (home.directory("state") / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def made_of(store: Store, home: Home, opened: Any) -> Any:
    """Return an installation with a store and a home alone."""
    nothing = dict.fromkeys(("warehouse", "landing", "ledger", "history_since", "progress"))
    tell = SimpleNamespace(event=lambda *_, **__: None, failure=lambda *_, **__: None)
    return SimpleNamespace(**nothing, home=home, store=store, clock=CLOCK, tell=tell, integrations=lambda platform: opened)
