"""Schedules: integrations are data, due by their own clock, claimed by one taker, tried again by the kind of failure."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from domain.catalogue import Account
from domain.errors import AccessDenied, AuthorizationExpired, MrmError, NotFound, PermissionDenied, RateLimited, TransientFailure, UsageError
from services.integrations import connect_integration, login_of, register_accounts, renew_integration, resume_integration, stop_integration
from services.scheduling import FIRST_RETRY, change_schedule, claim_due, get_schedule, held, integration_states, release_claim, settle
from store import schedules
from store.database import Store

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def connect(store: Store, actor, name: str = "Meta", zone: str = "Europe/Moscow", account: str = "1") -> str:
    made = connect_integration(store, actor, platform="meta_ads", name=name, credentials={"access_token": "secret-token"}, settings={})
    register_accounts(store, actor, made.id, [Account("meta_ads", account, name, "RUB", zone)])
    return made.id


def meta(kind: type[MrmError], **more: object) -> MrmError:
    return kind("said so", platform="meta_ads", **more)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_new_integration_is_due_at_once_and_then_at_its_own_mornings(store: Store, ours) -> None:
    moscow = connect(store, ours.admin)
    york = connect(store, ours.admin, "York", "America/New_York", "2")
    claim = claim_due(store, NOON)
    assert claim is not None
    assert set(claim.integration_ids) == {moscow, york}
    for integration_id in claim.integration_ids:
        settle(store, ours.organization_id, integration_id, NOON, [])
    assert claim_due(store, NOON) is None
    assert get_schedule(store, ours.admin, moscow).next_run_at == datetime(2026, 3, 11, 3, tzinfo=UTC)
    assert get_schedule(store, ours.admin, york).next_run_at == datetime(2026, 3, 11, 10, tzinfo=UTC), "New York went to summer time on the 8th"
    tomorrow = claim_due(store, datetime(2026, 3, 11, 5, tzinfo=UTC))
    assert tomorrow is not None
    assert tomorrow.integration_ids == (moscow,)


@pytest.mark.parametrize(("cron", "now", "expected"), [
    ("30 2 * * *", "2026-03-07T12:00:00+00:00", "2026-03-08T07:00:00+00:00"),  # 02:30 does not exist on the 8th: it runs when the clock jumps
    ("30 1 * * *", "2026-10-31T12:00:00+00:00", "2026-11-01T05:30:00+00:00"),
    ("30 1 * * *", "2026-11-01T05:30:00+00:00", "2026-11-02T06:30:00+00:00"),  # 01:30 comes twice on the 1st and runs once
    ("30 1 * * *", "2026-11-01T06:10:00+00:00", "2026-11-02T06:30:00+00:00"),  # nor again for a run that ends within the hour that repeats
])  # fmt: skip
def test_a_moment_that_the_clock_skips_or_repeats_happens_once(store: Store, ours, cron: str, now: str, expected: str) -> None:
    york = connect(store, ours.admin, "York", "America/New_York")
    changed = change_schedule(store, ours.admin, york, datetime.fromisoformat(now), cron=cron)
    assert changed.next_run_at == datetime.fromisoformat(expected)


def test_an_account_whose_zone_nobody_knows_does_not_decide_the_schedule(store: Store, ours) -> None:
    odd = connect(store, ours.admin, "Odd", "Etc/Nowhere")
    assert settle(store, ours.organization_id, odd, NOON, []).next_run_at == datetime(2026, 3, 11, 6, tzinfo=UTC)
    register_accounts(store, ours.admin, odd, [Account("meta_ads", "2", "Odd too", "RUB", "Europe/Moscow")])
    assert settle(store, ours.organization_id, odd, NOON, []).next_run_at == datetime(2026, 3, 11, 3, tzinfo=UTC)


def test_offset_and_priority_and_pause_change_what_runs_without_a_restart(store: Store, ours) -> None:
    first, urgent, paused = (connect(store, ours.admin, name, account=name) for name in ("first", "urgent", "paused"))
    change_schedule(store, ours.admin, first, NOON, offset_minutes=45, cron="0 6 * * 1", timezone="UTC")
    assert get_schedule(store, ours.admin, first).next_run_at == datetime(2026, 3, 16, 6, 45, tzinfo=UTC)
    change_schedule(store, ours.admin, urgent, NOON, priority=5)
    stop_integration(store, ours.admin, paused, disconnect=False)
    claim = claim_due(store, NOON + timedelta(days=30))
    assert claim is not None
    assert claim.integration_ids == (urgent, first)
    resume_integration(store, ours.admin, paused)
    resumed = claim_due(store, NOON)
    assert resumed is not None
    assert resumed.integration_ids == (paused,)


def test_two_takers_never_get_the_same_integration(store: Store, ours) -> None:
    wanted = {connect(store, ours.admin, str(n), account=str(n)) for n in range(6)}
    with ThreadPoolExecutor(4) as pool:
        claims = [c for c in pool.map(lambda _: claim_due(store, NOON, limit=2), range(6)) if c]
    taken = [i for claim in claims for i in claim.integration_ids]
    assert sorted(taken) == sorted(wanted)


def test_what_a_dead_run_left_comes_again_after_a_pause_and_what_it_settled_does_not(store: Store, ours) -> None:
    done, left = (connect(store, ours.admin, name, account=name) for name in ("done", "left"))
    claim = claim_due(store, NOON)
    assert claim is not None
    settle(store, ours.organization_id, done, NOON, [])
    assert release_claim(store, claim.id, NOON) == 1
    assert claim_due(store, NOON) is None
    again = claim_due(store, NOON + FIRST_RETRY)
    assert again is not None
    assert again.integration_ids == (left,)


def test_a_claim_lasts_as_long_as_its_run_lives_and_no_longer(store: Store, ours) -> None:
    integration_id = connect(store, ours.admin)
    claim = claim_due(store, NOON)
    assert claim is not None
    with held(store, claim.id, lease=timedelta(seconds=1)):
        first = get_schedule(store, ours.admin, integration_id).claimed_until
        until(lambda: get_schedule(store, ours.admin, integration_id).claimed_until not in (None, first))
        assert claim_due(store, NOON) is None
    until(lambda: (again := claim_due(store, NOON)) is not None and again.integration_ids == (integration_id,))


def test_platforms_that_share_a_claim_prolong_it_without_waiting_for_each_other(store: Store, ours) -> None:
    one, two = connect(store, ours.admin), connect(store, ours.admin, "Second", account="2")
    claim = claim_due(store, NOON)
    assert claim is not None
    locked = text("update sync_schedules set updated_at = now() where integration_id = :one")
    with store.system() as settling:
        settling.execute(locked, {"one": one})
        with store.system() as transaction:
            transaction.execute(text("set local lock_timeout = '1s'"))
            assert schedules.prolong(transaction, claim.id, timedelta(minutes=5)) == 1
    with store.system() as transaction:
        assert schedules.prolong(transaction, claim.id, timedelta(minutes=5)) == 2
    assert {one, two} == set(claim.integration_ids)


@pytest.mark.parametrize(("failure", "count", "pause"), [
    (meta(RateLimited, retry_after=900.0), 1, timedelta(minutes=15)),
    (meta(RateLimited, retry_after=60.0), 1, timedelta(minutes=1)),
    (meta(RateLimited, retry_after=60.0), 2, timedelta(minutes=10)),
    (meta(RateLimited, retry_after=60.0), 4, timedelta(minutes=40)),
    (meta(RateLimited, retry_after=7200.0), 4, timedelta(hours=2)),
    (meta(RateLimited, retry_after=1e15), 1, timedelta(hours=15)),
    (meta(RateLimited, retry_after=float("inf")), 1, timedelta(hours=15)),
    (meta(RateLimited, retry_after=float("nan")), 1, timedelta(0)),
    (meta(RateLimited, retry_after=-900.0), 1, timedelta(0)),
    (meta(TransientFailure), 1, timedelta(minutes=5)),
    (meta(TransientFailure), 2, timedelta(minutes=10)),
    (meta(TransientFailure), 4, timedelta(minutes=40)),
    (meta(TransientFailure), 9, timedelta(hours=2)),
    (meta(PermissionDenied, account_id="1"), 1, timedelta(hours=15)),
    (meta(AuthorizationExpired), 1, None),
])  # fmt: skip
def test_a_failure_is_tried_again_by_its_kind(store: Store, ours, failure: MrmError, count: int, pause: timedelta | None) -> None:
    integration_id = connect(store, ours.admin)
    for _ in range(count):
        state = settle(store, ours.organization_id, integration_id, NOON, [failure])
    assert state.next_run_at == (None if pause is None else NOON + pause)
    assert (state.failures, state.error_code, state.last_success_at) == (count, failure.code, None)


def test_a_pull_of_old_dates_neither_puts_off_what_is_due_nor_takes_its_claim(store: Store, ours) -> None:
    integration_id = connect(store, ours.admin)
    retried = settle(store, ours.organization_id, integration_id, NOON, [meta(TransientFailure)]).next_run_at
    assert settle(store, ours.organization_id, integration_id, NOON, [], routine=False).next_run_at == retried
    assert change_schedule(store, ours.admin, integration_id, NOON, priority=3, lookback_days=7).next_run_at == retried
    claim = claim_due(store, NOON + FIRST_RETRY)
    assert claim is not None
    settle(store, ours.organization_id, integration_id, NOON + FIRST_RETRY, [], routine=False)
    assert claim_due(store, NOON + FIRST_RETRY) is None
    assert settle(store, ours.organization_id, integration_id, NOON + FIRST_RETRY, []).next_run_at == datetime(2026, 3, 11, 3, tzinfo=UTC)


def test_what_several_reports_failed_of_is_said_once(store: Store, ours) -> None:
    integration_id = connect(store, ours.admin)
    state = settle(store, ours.organization_id, integration_id, NOON, [meta(TransientFailure), meta(TransientFailure), meta(PermissionDenied, account_id="1")])
    assert state.last_error == f"{meta(TransientFailure)}; {meta(PermissionDenied, account_id='1')}"


def test_a_refused_login_names_the_command_that_connects_again_as_it_is_typed(store: Store, ours) -> None:
    integration_id = connect(store, ours.admin, "The client")
    refused = AuthorizationExpired("the token was refused", platform="meta_ads", fix="Connect Meta again: ./run connect meta_ads")
    state = settle(store, ours.organization_id, integration_id, NOON, [refused])
    command = "./run connect meta_ads --name 'The client' --app FILE.json (or --credentials FILE.json)"
    assert state.last_error == f"meta_ads: the token was refused. Connect Meta again: {command}."


def test_a_renewed_credential_lets_a_blocked_integration_run(store: Store, ours) -> None:
    integration_id = connect(store, ours.admin)
    settle(store, ours.organization_id, integration_id, NOON, [meta(AuthorizationExpired)])
    assert claim_due(store, NOON + timedelta(days=9)) is None
    renew_integration(store, ours.admin, integration_id, credentials={"access_token": "another-token"})
    claim = claim_due(store, NOON)
    assert claim is not None
    assert claim.integration_ids == (integration_id,)


def test_a_login_that_was_refused_does_not_hold_up_the_one_that_a_person_entered_meanwhile(store: Store, ours) -> None:
    integration_id = connect(store, ours.admin)
    held_by_the_pull = login_of({"access_token": "secret-token"})
    refused = [meta(AuthorizationExpired)]
    assert settle(store, ours.organization_id, integration_id, NOON, refused, login=held_by_the_pull).next_run_at is None
    renew_integration(store, ours.admin, integration_id, credentials={"access_token": "new-token"})
    assert settle(store, ours.organization_id, integration_id, NOON, refused, login=held_by_the_pull).next_run_at == NOON
    assert settle(store, ours.organization_id, integration_id, NOON, refused, login=login_of({"access_token": "new-token"})).next_run_at is None


def test_a_schedule_that_cannot_be_read_changes_nothing(store: Store, ours, theirs) -> None:
    integration_id = connect(store, ours.admin)
    before = get_schedule(store, ours.admin, integration_id)
    with pytest.raises(UsageError, match="cannot be read"):
        change_schedule(store, ours.admin, integration_id, NOON, cron="soon")
    with pytest.raises(UsageError, match="time zone"):
        change_schedule(store, ours.admin, integration_id, NOON, timezone="Mars/Olympus")
    with pytest.raises(AccessDenied):
        change_schedule(store, ours.guest, integration_id, NOON, priority=1)
    with pytest.raises(NotFound):
        change_schedule(store, theirs.admin, integration_id, NOON, priority=1)
    assert get_schedule(store, ours.admin, integration_id) == before
    assert [s.schedule for s in integration_states(store, ours.admin)] == [before]
    assert integration_states(store, theirs.admin) == []
