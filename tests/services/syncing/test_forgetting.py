"""Forgetting goes through every room: warehouse, landing and store, and leaves a tombstone and a line of the audit log."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from obstore.store import MemoryStore
from sqlalchemy import text

from connectors.registry import REPORTS
from domain.errors import LoadExpired, NotFound
from domain.windows import DateWindow
from services.forgetting import find, forget
from services.integrations import connect_integration
from services.organizations import create_organization, create_user
from store.database import Store
from store.files import ObjectLanding
from warehouse.client import Warehouse
from warehouse.forgetting import Forgetting, forget_rows
from warehouse.ledger import Ledger, LoadKey

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
REPORT = next(report for report in REPORTS["google_ads"] if report.name == "accounts")


@pytest.fixture
def installed(store: Store, clickhouse: Warehouse, home: Any) -> Callable[[str], tuple[str, str, ObjectLanding]]:
    """Make an organization with an integration, one load of it and the bytes of that load."""
    from services.actors import actor_for

    landing = ObjectLanding(MemoryStore())

    def make(name: str) -> tuple[str, str, ObjectLanding]:
        person = create_user(store, f"{name}@agency.test", "correct horse battery", name)
        organization = create_organization(store, name, person.id)
        made = connect_integration(store, actor_for(store, person.id), platform="google_ads", name=name, credentials={"token": "t"}, settings={})
        rows = pa.table({c.name: pa.array(["1"] if c.type == "string" else [False], c.type.arrow) for c in REPORT.columns}, REPORT.schema)
        with Ledger(clickhouse, home).open(LoadKey(organization.id, made.id, "1"), REPORT, DateWindow(NOON.date(), NOON.date()), NOON, timezone="UTC") as load:
            load.write(rows)
            load.commit("one row")
            landing.put(f"landing/{organization.id}/{made.id}/accounts/1/{load.load_id}/000001.json", b"{}")
        return organization.id, made.id, landing

    return make


def _count(warehouse: Warehouse, organization_id: str) -> tuple[int, int]:
    with warehouse.client() as client:
        raw = client.query("SELECT count() FROM raw.raw_google_ads__accounts WHERE _organization_id = {o:String}", parameters={"o": organization_id})
        loads = client.query("SELECT count() FROM raw.loads WHERE organization_id = {o:String}", parameters={"o": organization_id})
    return int(raw.result_rows[0][0]), int(loads.result_rows[0][0])


def test_an_integration_is_listed_first_and_then_forgotten_with_its_files_and_credentials(store: Store, clickhouse: Warehouse, installed: Any) -> None:
    organization, integration, landing = installed("ours")
    neighbour, _, _ = installed("theirs")
    [what] = find(store, integration_id=integration)
    planned = forget(store, clickhouse, landing, what, "test", dry_run=True)
    assert (planned.rows["raw.raw_google_ads__accounts"], planned.files, planned.store_rows) == (1, 1, 1)
    assert _count(clickhouse, organization) == (1, 1)
    gone = forget(store, clickhouse, landing, what, "test")
    assert (gone.rows, gone.files, gone.store_rows) == (planned.rows, 1, 1)
    assert _count(clickhouse, organization) == (0, 0)
    assert _count(clickhouse, neighbour) == (1, 1)
    assert list(landing.keys(f"landing/{organization}")) == []
    with store.system() as transaction:
        logged = transaction.execute(
            text("select action, details->>'by' from audit_log where organization_id = :o and subject = :i"), {"o": organization, "i": integration}
        )
        assert ("integration.forget", "test") in [tuple(row) for row in logged]
    with pytest.raises(NotFound, match="No organization has the integration"):
        find(store, integration_id=integration)


def test_an_organization_is_forgotten_with_its_people_and_nobody_elses_rows(store: Store, clickhouse: Warehouse, installed: Any) -> None:
    organization, _, landing = installed("leaving")
    neighbour, _, _ = installed("staying")
    [what] = find(store, organization_id=organization)
    forget(store, clickhouse, landing, what, "test")
    assert _count(clickhouse, organization) == (0, 0)
    assert _count(clickhouse, neighbour) == (1, 1)
    assert list(landing.keys("landing")) != []
    with store.system() as transaction:
        left = transaction.execute(
            text("select (select count(*) from organizations where id = :o), (select count(*) from users where email = 'leaving@agency.test')"),
            {"o": organization},
        ).one()
        kept = transaction.execute(text("select count(*) from users where email = 'staying@agency.test'")).scalar_one()
    assert (tuple(left), kept) == ((0, 0), 1)
    assert forget(store, clickhouse, landing, what, "test").rows == {}


def test_a_load_under_way_while_a_visitor_is_forgotten_does_not_bring_the_rows_back(clickhouse: Warehouse, home: Any) -> None:
    visits = next(report for report in REPORTS["yandex_metrica"] if report.name == "visits")
    ledger, day = Ledger(clickhouse, home), NOON.date()

    def written(load: Any) -> Any:
        values: dict[str, list[Any]] = {"visitID": ["v1", "v2"], "clientID": ["me", "you"], "date": [day, day]}
        empty = {"string": "", "integer": 0, "decimal": 0, "boolean": False, "date": day}
        columns = {c.name: pa.array(values.get(c.name, [None if c.nullable else empty[c.type]] * 2), c.type.arrow) for c in visits.columns}
        load.write(pa.table(columns, visits.schema))
        return load

    def open_load(at: datetime) -> Any:
        return ledger.open(LoadKey("forgetful", "counter", "9"), visits, DateWindow(day, day), at, timezone="UTC")

    def stored() -> list[str]:
        with clickhouse.client() as client:
            return [row[0] for row in client.query("SELECT clientID FROM raw.raw_yandex_metrica__visits WHERE _organization_id = 'forgetful'").result_rows]

    with written(open_load(NOON)) as load:
        with clickhouse.client() as client:
            forget_rows(client, Forgetting("visitor", "forgetful", "me"), "test")
        with pytest.raises(LoadExpired, match="A visitor was forgotten while the load"):
            load.commit("two rows")
    with written(open_load(NOON)) as again:
        assert again.commit("two rows").rows == 1
    ledger.sweep()  # what the refused load left
    assert stored() == ["you"]
