"""Raw rows rebuilt from the bytes that landed, without asking any platform."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module

import pyarrow as pa

from connectors import registry
from domain.catalogue import Account, Report
from domain.errors import MrmError
from domain.landing import Landing
from services.integrations import IntegrationAccess
from services.syncing import landed_at
from store.database import Store
from store.integrations import Integrations
from warehouse.client import Warehouse
from warehouse.replaying import StoredLoad, content_of, put_back, raw_rows, stored_loads


@dataclass(frozen=True)
class Replayed:
    """How one load was replayed: `outcome` is same, restored, different (verified only) or failed, `why` says what stood in the way."""

    load_id: str
    report: str
    account_id: str
    outcome: str
    rows: int
    why: str = ""


def owned_accounts(store: Store, integration: IntegrationAccess) -> dict[str, Account]:
    """Return the accounts that an integration owns, by id, as its last pull described them."""
    with store.transaction(integration.organization_id) as transaction:
        owned = Integrations(transaction, integration.organization_id, store.vault).accounts(integration.id)
    return {a.account_id: Account(a.platform, a.account_id, a.name, a.currency, a.timezone, a.status) for a in owned}


def replay_integration(
    integration: IntegrationAccess,
    warehouse: Warehouse,
    landing: Landing,
    accounts: Mapping[str, Account],
    *,
    since: date = date(1970, 1, 1),
    until: date = date(2149, 6, 6),
    verify: bool = False,
) -> Iterator[Replayed]:
    """Replay every committed load that stored rows for a window of dates, both inclusive, and yield how each one ended.

    What landed must come to the ledger's counts and hashes, or nothing is touched: the load has failed. A load whose rows in raw are
    missing or different is deleted there and inserted again under its own id; with `verify` it is only told.
    """
    reports = {report.table: report for report in registry.REPORTS[integration.platform]}
    with warehouse.client() as client:
        loads = stored_loads(client, integration.organization_id, integration.id, since, until)
    for load in loads:
        report, account = reports.get(load.report), accounts.get(load.account_id)
        rows = sum(count for count, _ in load.content.values())
        name = load.report.partition("__")[2]
        if report is None or account is None:
            what = "the report is no longer in the catalogue" if report is None else "the account is no longer the integration's"
            yield Replayed(load.load_id, name, load.account_id, "failed", rows, what)
            continue
        outcome, why = _replay(integration, warehouse, landing, load, report, account, verify=verify)
        yield Replayed(load.load_id, name, load.account_id, outcome, rows, why)


def _replay(
    integration: IntegrationAccess, warehouse: Warehouse, landing: Landing, load: StoredLoad, report: Report, account: Account, *, verify: bool
) -> tuple[str, str]:
    try:
        if content_of(_landed(integration, landing, load, report, account), report, load) != load.content:
            return "failed", "the landed bytes come to other rows than the ledger has: some are missing, or the catalogue has changed since"
        with warehouse.client() as client:
            same = content_of(raw_rows(client, report, load), report, load) == load.content
        if same or verify:
            return ("same" if same else "different"), ""
        put_back(warehouse, report, load, _landed(integration, landing, load, report, account))
    except MrmError as error:
        return "failed", str(error)
    return "restored", ""


def _landed(integration: IntegrationAccess, landing: Landing, load: StoredLoad, report: Report, account: Account) -> Iterator[pa.Table]:
    """Parse what landed of a load, body by body, by the code that reads a live answer."""
    place = landed_at(load.organization_id, load.integration_id, load.report, load.account_id, load.load_id)
    bodies = (landing.get(key) for key in landing.keys(place))
    replaying = import_module(f"connectors.{integration.platform}.replaying")
    told = {"attribution": integration.settings["attribution"]} if integration.platform == "yandex_metrica" and "attribution" in integration.settings else {}
    yield from replaying.replay(report, account, bodies, **told)
