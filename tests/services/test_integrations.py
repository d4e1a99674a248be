"""Integrations: credentials sealed, accounts with one owner, assignments without overlap, requests taken once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import chain

import pytest
from sqlalchemy import text

from domain.catalogue import Account
from domain.clock import WallClock
from domain.errors import AccessDenied, AuthorizationExpired, ConfigurationError, Conflict, MrmError, NotFound, UnknownName, UsageError
from services.assignments import assign_account, end_assignment, export_assignments, list_assignments
from services.integrations import (
    IntegrationAccess,
    all_integration_access,
    connect_integration,
    failing_integrations,
    get_integration,
    integration_access,
    list_accounts,
    list_integrations,
    register_accounts,
    renew_integration,
    resume_integration,
    rewrap_credentials,
    stop_integration,
)
from services.projects import create_project
from services.renewing import renewing, with_fresh_token
from services.scheduling import get_schedule, settle
from services.sync_requests import ask_for_sync, claim_sync_requests, finish_sync_request, get_sync_request, newest_sync_request
from store.database import Store
from store.encryption import Place
from store.integrations import Integrations

TOKEN = "EAAB-secret-token"


def connect(store: Store, actor, name: str = "Meta", platform: str = "meta_ads"):
    return connect_integration(store, actor, platform=platform, name=name, credentials={"access_token": TOKEN}, settings={"endpoint": "http://x"})


def account(account_id: str, name: str = "Name") -> Account:
    return Account("meta_ads", account_id, name, "RUB", "Europe/Moscow")


def test_credentials_open_for_a_sync_and_nowhere_else(store: Store, ours) -> None:
    integration = connect(store, ours.admin)
    access = integration_access(store, ours.member, integration.id)
    assert (access.credentials, access.settings) == ({"access_token": TOKEN}, {"endpoint": "http://x"})
    assert TOKEN not in repr(access)
    assert TOKEN not in repr(integration)
    with store.system() as transaction:
        assert TOKEN.encode() not in bytes(transaction.execute(text("select credentials from integrations")).scalar_one())
        assert TOKEN not in str(transaction.execute(text("select * from audit_log")).all())


def test_credentials_moved_to_another_row_do_not_open(store: Store, ours, theirs) -> None:
    mine, foreign = connect(store, ours.admin), connect(store, theirs.admin)
    with store.system() as transaction:
        transaction.execute(
            text("update integrations set credentials = (select credentials from integrations where id = :f) where id = :m"), {"f": foreign.id, "m": mine.id}
        )
    with pytest.raises(ConfigurationError, match="moved from another place"):
        integration_access(store, ours.admin, mine.id)


def test_renewed_credentials_take_the_old_ones_place(store: Store, ours) -> None:
    integration = connect(store, ours.admin)
    settle(store, ours.organization_id, integration.id, datetime.now(UTC), [MrmError("the token was refused")])
    assert get_integration(store, ours.admin, integration.id).status == "failed"
    assert [i.id for i in failing_integrations(store)] == [integration.id]
    renew_integration(store, ours.admin, integration.id, credentials={"access_token": "new"})
    assert integration_access(store, ours.admin, integration.id).credentials == {"access_token": "new"}
    assert get_integration(store, ours.admin, integration.id).status == "active"
    assert failing_integrations(store) == []


def test_what_postgresql_cannot_hold_stops_no_sync(store: Store, ours) -> None:
    integration = connect(store, ours.admin)
    (owned,) = register_accounts(store, ours.admin, integration.id, [account("1", '=Nu\x00ll \ud83d\n\t"1" \U0001f600')])
    assert owned.name == '=Null ?\n\t"1" \U0001f600'
    (owned,) = register_accounts(store, ours.admin, integration.id, [Account("meta_ads", "1", "1", "", "UTC", status="refused")])
    assert (owned.name[:5], owned.currency, owned.timezone, owned.status) == ("=Null", "RUB", "Europe/Moscow", "refused")
    settle(store, ours.organization_id, integration.id, datetime.now(UTC), [MrmError("it said \x00")])
    assert get_integration(store, ours.admin, integration.id).last_error == "it said ."


def test_a_failed_sync_leaves_the_moment_of_the_last_good_one(store: Store, ours) -> None:
    integration = connect(store, ours.admin)
    good = datetime(2026, 3, 1, 6, tzinfo=UTC)
    settle(store, ours.organization_id, integration.id, good, [])
    settle(store, ours.organization_id, integration.id, good + timedelta(days=1), [MrmError("quota")])
    read = get_integration(store, ours.admin, integration.id)
    assert (read.last_sync_at, read.last_error, read.status) == (good, "quota.", "failed")


def test_a_foreign_integration_answers_like_one_that_does_not_exist(store: Store, ours, theirs) -> None:
    foreign = connect(store, theirs.admin).id
    absent = "00000000-0000-0000-0000-000000000000"
    for call in (
        lambda i: get_integration(store, ours.admin, i),
        lambda i: integration_access(store, ours.admin, i),
        lambda i: register_accounts(store, ours.admin, i, [account("1")]),
        lambda i: renew_integration(store, ours.admin, i, settings={}),
        lambda i: ask_for_sync(store, ours.admin, i),
        lambda i: newest_sync_request(store, ours.admin, i),
    ):
        answers = set()
        for wanted in (foreign, absent, "no id"):
            with pytest.raises(NotFound) as caught:
                call(wanted)
            answers.add(str(caught.value))
        assert len(answers) == 1
    assert list_integrations(store, ours.admin) == []


def test_unknown_platforms_and_taken_names_are_refused(store: Store, ours) -> None:
    with pytest.raises(UnknownName, match="meta_ads"):
        connect(store, ours.admin, platform="meta_adz")
    connect(store, ours.admin)
    with pytest.raises(Conflict):
        connect(store, ours.admin)
    with pytest.raises(AccessDenied):
        connect(store, ours.member, name="other")


def test_an_account_has_one_owner_in_an_organization(store: Store, ours, theirs) -> None:
    first, second = connect(store, ours.admin, "first"), connect(store, ours.admin, "second")
    register_accounts(store, ours.member, first.id, [account("1"), account("2")])
    with pytest.raises(Conflict, match=r"meta_ads account 2 \(Name\) belongs to the integration 'first'"):
        register_accounts(store, ours.admin, second.id, [account("3"), account("2")])
    assert list_accounts(store, ours.admin, second.id) == []
    elsewhere = connect(store, theirs.admin)
    assert len(register_accounts(store, theirs.admin, elsewhere.id, [account("1")])) == 1


def test_a_connection_that_would_take_a_foreign_account_is_not_made_at_all(store: Store, ours) -> None:
    register_accounts(store, ours.admin, connect(store, ours.admin, "first").id, [account("1")])
    second = {"platform": "meta_ads", "name": "second", "credentials": {"access_token": TOKEN}, "settings": {}}
    with pytest.raises(Conflict, match="'first'"):
        connect_integration(store, ours.admin, **second, accounts=[account("2"), account("1")])
    assert [i.name for i in list_integrations(store, ours.admin)] == ["first"]
    made = connect_integration(store, ours.admin, **second, accounts=[account("2")])
    assert [a.account_id for a in list_accounts(store, ours.admin, made.id)] == ["2"]


def test_registering_again_renews_names_and_adds_new_accounts(store: Store, ours) -> None:
    integration = connect(store, ours.admin)
    register_accounts(store, ours.admin, integration.id, [account("1"), account("2")])
    register_accounts(store, ours.admin, integration.id, [account("2", "Renamed"), account("3")])
    assert [(a.account_id, a.name) for a in list_accounts(store, ours.member)] == [("1", "Name"), ("2", "Renamed"), ("3", "Name")]


def test_an_account_that_is_refused_keeps_what_was_known_of_it(store: Store, ours) -> None:
    integration = connect(store, ours.admin)
    register_accounts(store, ours.admin, integration.id, [Account("meta_ads", "1", "One", "USD", "America/New_York")])
    [kept] = register_accounts(store, ours.admin, integration.id, [Account("meta_ads", "1", "1", "", "UTC", status="refused")])
    assert (kept.name, kept.currency, kept.timezone, kept.status) == ("One", "USD", "America/New_York", "refused")


def test_two_integrations_that_claim_an_account_at_once_do_not_both_get_it(store: Store, ours) -> None:
    integrations = [connect(store, ours.admin, str(n)).id for n in range(4)]
    together = threading.Barrier(4)

    def claim(integration_id: str) -> bool:
        together.wait()
        try:
            register_accounts(store, ours.admin, integration_id, [account(str(n)) for n in range(5)])
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, integrations)) == 1
    assert len({a.integration_id for a in list_accounts(store, ours.admin)}) == 1


def test_an_account_is_in_one_project_at_a_time(store: Store, ours) -> None:
    register_accounts(store, ours.admin, connect(store, ours.admin).id, [account("1")])
    first, second = (create_project(store, ours.admin, name=name, client_name=f"client of {name}") for name in ("first", "second"))

    def assign(project, since: date, until: date | None = None):
        return assign_account(store, ours.manager, project_id=project.id, platform="meta_ads", account_id="1", since=since, until=until)

    spring = assign(first, date(2026, 3, 1))
    for since, until in [(date(2026, 3, 1), None), (date(2026, 1, 1), date(2026, 3, 1)), (date(2027, 1, 1), date(2027, 1, 1)), (date(2020, 1, 1), None)]:
        with pytest.raises(Conflict, match="in the project 'first' from 2026-03-01 to now"):
            assign(second, since, until)
    assign(second, date(2026, 1, 1), date(2026, 2, 28))
    end_assignment(store, ours.manager, spring.id, date(2026, 5, 31))
    assign(second, date(2026, 6, 1))
    assert [(row.project_name, row.client_name, row.since, row.until) for row in export_assignments(store)] == [
        ("second", "client of second", date(2026, 1, 1), date(2026, 2, 28)),
        ("first", "client of first", date(2026, 3, 1), date(2026, 5, 31)),
        ("second", "client of second", date(2026, 6, 1), None),
    ]
    assert [a.since for a in list_assignments(store, ours.member, first.id)] == [date(2026, 3, 1)]


def test_assignments_need_a_known_account_a_project_of_ours_and_dates_in_order(store: Store, ours, theirs) -> None:
    register_accounts(store, ours.admin, connect(store, ours.admin).id, [account("1")])
    project, foreign = create_project(store, ours.admin, name="p"), create_project(store, theirs.admin, name="f")
    day = date(2026, 1, 1)
    for project_id, account_id in [(foreign.id, "1"), (project.id, "2"), ("no id", "1")]:
        with pytest.raises(NotFound):
            assign_account(store, ours.admin, project_id=project_id, platform="meta_ads", account_id=account_id, since=day)
    with pytest.raises(UsageError):
        assign_account(store, ours.admin, project_id=project.id, platform="meta_ads", account_id="1", since=day, until=day - timedelta(days=1))
    assert export_assignments(store) == []


def test_parallel_assignments_of_one_account_do_not_overlap(store: Store, ours) -> None:
    register_accounts(store, ours.admin, connect(store, ours.admin).id, [account("1")])
    projects = [create_project(store, ours.admin, name=str(n)).id for n in range(5)]
    together = threading.Barrier(5)

    def assign(project_id: str) -> bool:
        together.wait()
        try:
            assign_account(store, ours.admin, project_id=project_id, platform="meta_ads", account_id="1", since=date(2026, 1, 1))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(assign, projects)) == 1


def test_a_sync_request_waits_once_is_taken_once_and_closes(store: Store, ours) -> None:
    integration = connect(store, ours.admin)
    asked = ask_for_sync(store, ours.member, integration.id)
    assert ask_for_sync(store, ours.admin, integration.id).id == asked.id
    together = threading.Barrier(4)

    def take(_: int) -> list[str]:
        together.wait()
        return [request.id for request in claim_sync_requests(store)]

    with ThreadPoolExecutor(4) as pool:
        assert list(chain.from_iterable(pool.map(take, range(4)))) == [asked.id]
    running = get_sync_request(store, ours.member, asked.id)
    assert (running.status, running.platform, running.requested_by) == ("running", "meta_ads", ours.member.user_id)
    second = ask_for_sync(store, ours.member, integration.id)
    assert second.id != asked.id
    finish_sync_request(store, asked.id)
    assert get_sync_request(store, ours.member, asked.id).status == "done"
    assert newest_sync_request(store, ours.member, integration.id).id == second.id
    with pytest.raises(NotFound):
        finish_sync_request(store, asked.id)


def test_a_request_whose_run_was_lost_is_given_up(store: Store, ours) -> None:
    asked = ask_for_sync(store, ours.admin, connect(store, ours.admin).id)
    claim_sync_requests(store)
    assert claim_sync_requests(store, lost_after=timedelta(seconds=-1)) == []
    given_up = get_sync_request(store, ours.admin, asked.id)
    assert (given_up.status, given_up.error) == ("failed", "The run that took this request ended without a word")


def test_pipelines_open_every_organizations_integrations_but_the_paused(store: Store, ours, theirs) -> None:
    first, second = connect(store, ours.admin), connect(store, theirs.admin, platform="google_ads")
    assert {access.id for access in all_integration_access(store)} == {first.id, second.id}
    assert [access.organization_id for access in all_integration_access(store, platform="google_ads")] == [theirs.organization_id]
    with store.system() as transaction:
        transaction.execute(text("update integrations set status = 'paused' where id = :i"), {"i": first.id})
    assert [access.id for access in all_integration_access(store)] == [second.id]


def test_a_paused_integration_is_not_pulled_until_it_is_resumed(store: Store, ours) -> None:
    made = connect(store, ours.admin)
    assert stop_integration(store, ours.admin, made.id, disconnect=False).status == "paused"
    assert all_integration_access(store) == []
    settle(store, ours.organization_id, made.id, datetime.now(UTC), [MrmError("a pull that was under way")])
    assert get_integration(store, ours.admin, made.id).status == "paused"
    assert resume_integration(store, ours.admin, made.id).status == "active"
    assert [access.credentials for access in all_integration_access(store)] == [{"access_token": TOKEN}]
    with pytest.raises(AccessDenied):
        stop_integration(store, ours.member, made.id, disconnect=False)


def test_a_disconnected_integration_has_no_credential_and_keeps_its_accounts(store: Store, ours) -> None:
    made = connect(store, ours.admin)
    register_accounts(store, ours.admin, made.id, [account("1")])
    assert stop_integration(store, ours.admin, made.id, disconnect=True).status == "disconnected"
    assert integration_access(store, ours.admin, made.id).credentials == {}
    assert all_integration_access(store) == []
    with pytest.raises(Conflict, match="is disconnected"):
        resume_integration(store, ours.admin, made.id)
    other = connect(store, ours.admin, name="Other")
    with pytest.raises(Conflict, match="belongs to the integration 'Meta'"):
        register_accounts(store, ours.admin, other.id, [account("1")])
    assert renew_integration(store, ours.admin, made.id, credentials={"access_token": "new"}).status == "active"
    assert integration_access(store, ours.admin, made.id).credentials == {"access_token": "new"}


def test_a_token_that_renews_itself_resumes_nothing_and_brings_no_erased_credential_back(store: Store, ours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.renewal.renewed", lambda *_, **__: {"access_token": "newer-token"})
    paused, erased, failing = (connect(store, ours.admin, name=name) for name in ("paused", "erased", "failing"))
    opened = [integration_access(store, ours.admin, made.id) for made in (paused, erased, failing)]
    settle(store, ours.organization_id, failing.id, datetime.now(UTC), [MrmError("away")])
    stop_integration(store, ours.admin, paused.id, disconnect=False)
    stop_integration(store, ours.admin, erased.id, disconnect=True)
    assert [with_fresh_token(store, access, WallClock()).credentials["access_token"] for access in opened] == ["newer-token"] * 3
    kept = [(i.status, integration_access(store, ours.admin, i.id).credentials.get("access_token")) for i in list_integrations(store, ours.admin)]
    assert kept == [("paused", "newer-token"), ("disconnected", None), ("failed", "newer-token")]
    assert get_schedule(store, ours.admin, failing.id).failures == 1


def test_a_token_that_renews_itself_is_sealed_for_all_that_held_the_old_one(store: Store, ours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.renewal.renewed", lambda *_, **__: {"access_token": "newer-token"})
    one, same, other = (connect(store, ours.admin, name=name) for name in ("one", "same", "other"))
    renew_integration(store, ours.admin, other.id, credentials={"access_token": "another-login"})
    with_fresh_token(store, integration_access(store, ours.admin, one.id), WallClock())
    kept = [integration_access(store, ours.admin, made.id).credentials["access_token"] for made in (one, same, other)]
    assert kept == ["newer-token", "newer-token", "another-login"]


def test_a_token_that_renews_itself_leaves_what_a_person_entered_meanwhile(store: Store, ours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.renewal.renewed", lambda *_, **__: {"access_token": "newer-token"})
    one, same, untouched = (connect(store, ours.admin, name=name) for name in ("one", "same", "untouched"))
    stale = integration_access(store, ours.admin, one.id)
    for made in (one, same):
        renew_integration(store, ours.admin, made.id, credentials={"access_token": "new-login"})
    assert with_fresh_token(store, stale, WallClock(), force=True).credentials == {"access_token": "new-login"}
    kept = [integration_access(store, ours.admin, made.id).credentials["access_token"] for made in (one, same, untouched)]
    assert kept == ["new-login", "new-login", "newer-token"]


def test_a_pull_does_not_go_on_by_a_login_that_a_person_entered_meanwhile(store: Store, ours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.renewal.renewed", lambda *_, force=False, **__: {"access_token": "newer-token"} if force else {})
    made = connect(store, ours.admin, name="one")
    pulled = []

    def pull(access: IntegrationAccess) -> None:
        pulled.append(access.credentials["access_token"])
        renew_integration(store, ours.admin, made.id, credentials={"access_token": "new-login"})
        raise AuthorizationExpired("refused", platform="meta_ads", fix="Connect again")

    with pytest.raises(AuthorizationExpired, match="another login was entered during the pull"):
        renewing(store, integration_access(store, ours.admin, made.id), WallClock(), pull)
    assert len(pulled) == 1
    assert integration_access(store, ours.admin, made.id).credentials == {"access_token": "new-login"}


def test_a_token_that_renews_itself_waits_for_whoever_is_entering_another(store: Store, ours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.renewal.renewed", lambda *_, **__: {"access_token": "newer-token"})
    one, same = (connect(store, ours.admin, name=name) for name in ("one", "same"))
    opened = integration_access(store, ours.admin, one.id)
    waiting = text("select count(*) from pg_locks where not granted and transactionid = pg_current_xact_id()::xid")
    with ThreadPoolExecutor(1) as pool:
        with store.transaction(ours.organization_id) as entering:
            Integrations(entering, ours.organization_id, store.vault).change(same.id, credentials={"access_token": "new-login"})
            renewed = pool.submit(with_fresh_token, store, opened, WallClock())
            while not entering.execute(waiting).scalar_one():
                assert not renewed.done()
        assert renewed.result().credentials["access_token"] == "newer-token"
    assert integration_access(store, ours.admin, same.id).credentials == {"access_token": "new-login"}


def test_turned_over_keys_open_every_credential_and_the_old_key_none(store: Store, ours, agency) -> None:
    theirs = agency("theirs")
    kept = [connect(store, of.admin) for of in (ours, theirs)]
    with store.system() as transaction:
        before = {str(row_id): sealed for row_id, sealed in transaction.execute(text("select id, credentials from integrations")).all()}
    old = store.vault.ring.newest
    new = store.vault.ring.turn_over()
    assert rewrap_credentials(store) == 2
    assert store.vault.ring.forget_old() == 1
    for integration, of in zip(kept, (ours, theirs), strict=True):
        assert integration_access(store, of.admin, integration.id).credentials == {"access_token": TOKEN}
        with pytest.raises(ConfigurationError, match=f"the key {old} is absent"):
            store.vault.open(bytes(before[integration.id]), Place(of.organization_id, "integrations", integration.id, "credentials"))
    with store.system() as transaction:
        assert {bytes(sealed).split(b".")[1].decode() for (sealed,) in transaction.execute(text("select credentials from integrations")).all()} == {new}
