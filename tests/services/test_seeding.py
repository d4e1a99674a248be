"""The demo agency: made once, kept in step with its sandbox, its login always known."""

import copy
from typing import Any

from sqlalchemy import text

from home.directory import Home
from services.assignments import export_assignments
from services.integrations import all_integration_access
from services.seeding import EMAIL, demo_login, seed_demo
from services.sign_in import sign_in
from store.database import Store
from store.tables import metadata

SANDBOX: dict[str, Any] = {
    "google_ads": {"endpoint": "localhost:1", "ca_bundle": "/ca.pem"},
    "meta_ads": {"endpoint": "http://127.0.0.1:2"},
    "yandex_direct": {"endpoint": "http://127.0.0.1:3"},
    "dataset": {
        "accounts": [
            {"platform": "google_ads", "account_id": "1", "name": "G", "currency": "USD", "timezone": "America/New_York", "client": "North"},
            {"platform": "meta_ads", "account_id": "1", "name": "M", "currency": "EUR", "timezone": "Europe/Berlin", "client": "South"},
            {"platform": "yandex_direct", "account_id": "login", "name": "D", "currency": "RUB", "timezone": "Europe/Moscow", "client": "North"},
        ]
    },
}


def counts(store: Store) -> dict[str, int]:
    with store.system() as transaction:
        return {table: transaction.execute(text(f"select count(*) from {table}")).scalar_one() for table in metadata.tables}


def test_a_second_seeding_changes_nothing(store: Store, home: Home) -> None:
    first = seed_demo(store, home, SANDBOX)
    before = counts(store)
    assert seed_demo(store, home, SANDBOX) == first
    assert counts(store) == before


def test_clients_become_projects_with_their_accounts(store: Store, home: Home) -> None:
    seed_demo(store, home, SANDBOX)
    assert [(r.project_name, r.client_name, r.platform, r.account_id) for r in export_assignments(store)] == [
        ("North", "North", "google_ads", "1"),
        ("South", "South", "meta_ads", "1"),
        ("North", "North", "yandex_direct", "login"),
    ]


def test_integrations_point_to_the_sandbox_wherever_it_went(store: Store, home: Home) -> None:
    seed_demo(store, home, SANDBOX)
    moved = copy.deepcopy(SANDBOX)
    moved["meta_ads"]["endpoint"] = "http://127.0.0.1:9"
    seed_demo(store, home, moved)
    opened = {access.platform: access for access in all_integration_access(store)}
    assert opened["meta_ads"].settings["endpoint"] == "http://127.0.0.1:9"
    assert opened["google_ads"].settings == {"endpoint": "localhost:1", "ca_bundle": "/ca.pem"}
    assert opened["google_ads"].credentials["access_token"] == "sandbox"
    assert len(opened["google_ads"].credentials["developer_token"]) == 22


def test_a_dataset_without_clients_has_one_project(store: Store, home: Home) -> None:
    lone = copy.deepcopy(SANDBOX)
    lone["dataset"]["accounts"] = [{**account, "client": ""} for account in SANDBOX["dataset"]["accounts"][:1]]
    seeded = seed_demo(store, home, lone)
    assert [project.name for project in seeded.projects] == ["Dataset"]
    assert [integration.platform for integration in seeded.integrations] == ["google_ads"]


def test_the_login_is_remembered_and_works(store: Store, home: Home, tmp_path) -> None:
    seeded = seed_demo(store, home, SANDBOX)
    assert demo_login(home) == (EMAIL, seeded.password)
    assert sign_in(store, EMAIL, seeded.password).organization_id == seeded.organization.id
    other = Home.open(tmp_path / "other")
    again = seed_demo(store, other, SANDBOX)
    assert sign_in(store, EMAIL, again.password).user.id == again.actor.user_id
    assert seed_demo(store, home, SANDBOX).password == seeded.password
    assert sign_in(store, EMAIL, seeded.password).user.id == again.actor.user_id
