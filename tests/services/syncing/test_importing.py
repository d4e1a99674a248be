"""Imported files go through the ledger like pulls: proof, one owner, days replaced whole, the same file a verification."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from connectors.imports.mapping import FileMapping
from domain.errors import Conflict, ImportMalformed, UsageError
from services.actors import Actor, Role
from services.importing import Imported, Importing, import_costs
from services.integrations import all_integration_access, list_accounts, list_integrations
from services.organizations import create_organization
from services.scheduling import change_schedule, integration_states
from store.database import Store
from store.files import open_landing
from store.people import People
from warehouse.client import Warehouse
from warehouse.ledger import Ledger

GIVEN = {"account_id": "shop", "currency": "RUB", "timezone": "Europe/Moscow", "vat_included": "no"}
FIRST = "date,campaign_id,spend\n2026-03-01,1,10\n2026-03-01,2,20\n2026-03-03,1,30\n"


@pytest.fixture
def actor(store: Store) -> Actor:
    """The administrator of an organization of the test's own."""
    with store.system() as transaction:
        user = People(transaction).add_user("importer@mrm.local", None, "Importer")
    return Actor(user.id, create_organization(store, "Importing agency", user.id).id, Role.ADMIN)


@pytest.fixture
def imported(store: Store, clickhouse: Warehouse, home: Any, actor: Actor, tmp_path: Path) -> Callable[..., list[Imported]]:
    """Import text as a file of an integration; `rows` of the ledger are read back with `.rows()`."""
    rooms = Importing(store, Ledger(clickhouse, home), open_landing(home), home.clock)

    def run(text: str, platform: str = "vk_ads", integration: str = "VK", **more: Any) -> list[Imported]:
        path = tmp_path / "costs.csv"
        path.write_text(text)
        return import_costs(rooms, actor, path, platform=platform, integration=integration, mapping=FileMapping(), given=GIVEN, **more)

    def rows(columns: str = "date, campaign_id, spend", table: str = "campaign_daily") -> list[tuple[Any, ...]]:
        view = f"raw.raw_imports__{table}__as_of(organization_id='{actor.organization_id}', since='2000-01-01', until='2099-12-31', as_of='2099-01-01')"
        with clickhouse.client() as client:
            return client.query(f"SELECT {columns} FROM {view} ORDER BY ALL").result_rows

    def proofs() -> list[str]:
        with clickhouse.client() as client:
            sql = f"SELECT proof FROM raw.loads WHERE organization_id = '{actor.organization_id}' AND report = 'raw_imports__campaign_daily' ORDER BY load_id"
            return [proof for (proof,) in client.query(sql).result_rows]

    run.rows, run.proofs = rows, proofs  # type: ignore[attr-defined]
    return run


def test_the_same_file_again_is_verified_and_a_corrected_one_replaces_its_days(imported: Any) -> None:
    first, again = imported(FIRST)[0], imported(FIRST)[0]
    assert (first.rows, first.dates_changed, first.dates_verified) == (3, 3, 0)
    assert (again.dates_changed, again.dates_verified) == (0, 3)
    assert sha256(FIRST.encode()).hexdigest() in imported.proofs()[0]
    assert imported.proofs()[0].startswith("3 rows")
    corrected = imported("date,campaign_id,spend\n2026-03-01,1,11\n2026-03-03,1,30\n")[0]
    assert (corrected.dates_changed, corrected.dates_verified) == (1, 2)
    assert [(d, c, float(s)) for d, c, s in imported.rows()] == [(date(2026, 3, 1), "1", 11.0), (date(2026, 3, 3), "1", 30.0)]


def test_a_day_that_the_file_covers_and_lacks_is_cleared(imported: Any) -> None:
    imported(FIRST)
    imported("date,campaign_id,spend\n2026-03-01,1,10\n", since=date(2026, 3, 1), until=date(2026, 3, 3))
    assert [d for d, *_ in imported.rows()] == [date(2026, 3, 1)]
    with pytest.raises(UsageError, match="outside"):
        imported(FIRST, until=date(2026, 3, 2))


def test_a_header_alone_clears_the_days_that_are_named(imported: Any) -> None:
    imported(FIRST)
    header = "date,campaign_id,spend\n"
    cleared = imported(header, since=date(2026, 3, 1), until=date(2026, 3, 2))[0]
    assert (cleared.rows, cleared.dates_changed, cleared.dates_verified) == (0, 1, 1)
    assert [(d, float(s)) for d, _, s in imported.rows()] == [(date(2026, 3, 3), 30.0)]
    assert imported.rows("account_name", "accounts") == [("shop",)]
    with pytest.raises(UsageError, match="holds no rows") as raised:
        imported(header, since=date(2026, 3, 3))
    assert "--since and --until" in raised.value.fix
    with pytest.raises(UsageError, match="No account 'shop' of ozon was imported"):
        imported(header, platform="ozon", integration="Ozon", since=date(2026, 3, 3), until=date(2026, 3, 3))


def test_what_the_file_has_and_nothing_reads_is_told(imported: Any) -> None:
    done = imported("date,campaign_id,spend,clik\n2026-03-01,1,10,4\n")[0]
    assert done.ignored_columns == ("clik",)


def test_a_bad_file_leaves_everything_as_it_was(imported: Any, store: Store, actor: Actor) -> None:
    with pytest.raises(ImportMalformed, match="row 3"):
        imported("date,campaign_id,spend\n2026-03-01,1,10\n2026-03-02,1,ten\n")
    assert list_integrations(store, actor) == []
    with pytest.raises(UsageError, match="no rows"):
        imported("date,campaign_id,spend\n")


def test_the_import_owns_its_account_and_nobody_pulls_it(imported: Any, store: Store, actor: Actor) -> None:
    made = imported(FIRST)[0]
    owned = list_accounts(store, actor)
    assert [(a.platform, a.account_id, a.currency, a.timezone, a.integration_id) for a in owned] == [
        ("vk_ads", "shop", "RUB", "Europe/Moscow", made.integration_id)
    ]
    assert all_integration_access(store) == []
    assert [state.schedule.next_run_at for state in integration_states(store, actor)] == [None]
    with pytest.raises(UsageError, match="VK has no schedule"):
        change_schedule(store, actor, made.integration_id, datetime(2026, 3, 10, tzinfo=UTC), cron="0 5 * * *")
    with pytest.raises(Conflict, match="belongs to the integration 'VK'") as raised:
        imported(FIRST, integration="VK again")
    assert raised.value.fix == "Import the file into that integration: --integration VK"
    assert [i.name for i in list_integrations(store, actor)] == ["VK"]
    assert imported.rows("platform, account_id, currency, timezone", "accounts") == [("vk_ads", "shop", "RUB", "Europe/Moscow")]


@pytest.mark.parametrize(("platform", "named"), [("meta_ads", "Connect it"), ("VK Ads", "small letters"), ("imports", "Connect it")])
def test_a_platform_that_has_a_connector_is_not_imported(imported: Any, platform: str, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        imported(FIRST, platform=platform)
