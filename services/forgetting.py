"""Forget an organization, an integration or a visitor everywhere: warehouse, landing, store. For the machine's owner alone."""

from dataclasses import dataclass

from domain.errors import NotFound
from domain.landing import Landing
from store.database import Store
from store.forgetting import forget_integration, forget_organization, record_forgetting, where_integration
from store.people import People
from warehouse.client import Warehouse
from warehouse.forgetting import Forgetting, doomed_rows, forget_rows, visitor_slices
from warehouse.raw import create_ledger_tables


@dataclass(frozen=True)
class Forgotten:
    """What went, or would go: rows by ClickHouse table, files of the landing, rows of the store."""

    rows: dict[str, int]
    files: int
    store_rows: int


def find(store: Store, *, organization_id: str = "", integration_id: str = "", client_id: str = "") -> list[Forgetting]:
    """Say whom exactly to forget: a visitor is looked for in every organization. Raises NotFound for an unknown integration.

    An organization that the store no longer knows is taken as it is, so that a forgetting which died half way can be run again.
    """
    if integration_id:
        owner = where_integration(store, integration_id) or organization_id
        if not owner:
            raise NotFound(f"No organization has the integration {integration_id}", fix="Give --organization too, to finish a forgetting that broke off")
        return [Forgetting("integration", owner, integration_id)]
    if client_id:
        with store.system() as transaction:
            return [Forgetting("visitor", organization.id, client_id) for organization in People(transaction).organizations()]
    return [Forgetting("organization", organization_id, organization_id)]


def forget(store: Store, warehouse: Warehouse, landing: Landing, what: Forgetting, by: str, *, dry_run: bool = False) -> Forgotten:
    """Delete everything of the subject and leave a tombstone; with `dry_run` only list. Running it again finds nothing."""
    with warehouse.client() as client:
        create_ledger_tables(client)
        places = _places(what, visitor_slices(client, what) if what.scope == "visitor" else [])
        doomed = doomed_rows(client, what) if dry_run else forget_rows(client, what, by)
    count = (lambda prefix: sum(1 for _ in landing.keys(prefix))) if dry_run else landing.delete
    files = sum(count(place) for place in places)
    return Forgotten({one.table: one.rows for one in doomed}, files, _in_store(store, what, by, dry_run=dry_run))


def _places(what: Forgetting, loads: list[tuple[str, str, str, str]]) -> list[str]:
    """Name the landing's folders of the subject: `landing/organization/integration/report/account/load`."""
    if what.scope == "organization":
        return [f"landing/{what.organization_id}"]
    if what.scope == "integration":
        return [f"landing/{what.organization_id}/{what.subject}"]
    return [f"landing/{what.organization_id}/{integration}/{report.rpartition('__')[2]}/{account}/{load}" for integration, report, account, load in loads]


def _in_store(store: Store, what: Forgetting, by: str, *, dry_run: bool) -> int:
    if what.scope == "organization":
        return forget_organization(store, what.organization_id, dry_run=dry_run)
    gone = forget_integration(store, what.organization_id, what.subject, dry_run=dry_run) if what.scope == "integration" else 0
    if not dry_run:
        record_forgetting(store, what.organization_id, what.scope, what.subject if what.scope == "integration" else "", by)
    return gone
