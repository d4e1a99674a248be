"""Costs of any other channel, from a CSV file, through the same ledger and the same checks as a pull."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from connectors.imports.mapping import FileMapping
from connectors.imports.reading import ImportedAccount, ImportedFile, read_file
from connectors.imports.reports import ACCOUNTS, CAMPAIGN_DAILY
from domain.catalogue import Account
from domain.clock import Clock
from domain.errors import MrmError, UsageError
from domain.landing import Landing
from domain.platforms import Platform
from domain.windows import DateWindow
from services.actors import Actor, Permission, authorize
from services.integrations import list_accounts
from services.scheduling import settle
from store.database import Store
from store.integrations import Integrations
from store.people import Team
from store.records import Integration
from warehouse.ledger import Ledger, LoadKey

KIND = "import"
"""The setting `kind` of an integration that files are imported into; nothing ever pulls it."""

_PLATFORM = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True)
class Imported:
    """How one account of a file went into the ledger."""

    integration_id: str
    account_id: str
    rows: int
    window: DateWindow
    dates_changed: int
    dates_verified: int
    ignored_columns: tuple[str, ...]
    """Columns of the file that nothing was read from."""


@dataclass(frozen=True)
class Importing:
    """The rooms that an import needs."""

    store: Store
    ledger: Ledger
    landing: Landing
    clock: Clock


def import_costs(
    rooms: Importing,
    actor: Actor,
    path: Path,
    *,
    platform: str,
    integration: str,
    mapping: FileMapping,
    given: Mapping[str, str],
    since: date | None = None,
    until: date | None = None,
) -> list[Imported]:
    """Commit a file's days, each account as one load; the days that it covers are replaced whole.

    It covers its first to its last date, or `since` to `until`, both inclusive: a day within without rows is cleared, and a
    campaign that a newer file lacks has vanished. A header alone clears the days from `since` to `until` of an account that was
    imported before. The same file again changes nothing. `given` holds account_id, currency, timezone, vat_included where the file
    does not. Raises ImportMalformed, UsageError, Conflict for an account of another integration; nothing is committed then.
    """
    authorize(actor, Permission.INTEGRATION_MANAGE)
    _require_channel(platform)
    file = read_file(path, platform, mapping, given, rooms.clock.today)
    if not file.accounts and since and until:
        account_id = given.get("account_id") or mapping.constants.get("account_id", "")
        file = replace(file, accounts=(_without_rows(rooms.store, actor, platform, account_id),))
    if not file.accounts:
        raise UsageError(f"{path} holds no rows", why="It says nothing of any day", fix="Export it again, or name the days to clear: --since and --until")
    windows = {account.account_id: _window(path, account, since, until) for account in file.accounts}
    made = _own(rooms.store, actor, platform, integration, file)
    now = rooms.clock.now()
    done = [_load(rooms, actor, made, account, file, windows[account.account_id], now) for account in file.accounts]
    settle(rooms.store, actor.organization_id, made.id, now, [])
    return done


def _require_channel(platform: str) -> None:
    if platform in set(Platform) or platform in ("imports", "mrm"):
        raise UsageError(f"{platform} is not imported from files", why="Its numbers would count twice", fix=f"Connect it: ./run connect {platform}")
    if not _PLATFORM.fullmatch(platform):
        raise UsageError(f"{platform!r} cannot name a channel", fix="Use small letters, digits and _, such as vk_ads")


def _without_rows(store: Store, actor: Actor, platform: str, account_id: str) -> ImportedAccount:
    """Return an account that was imported before, to clear days of. Raises UsageError for an unknown one."""
    known = next((a for a in list_accounts(store, actor) if (a.platform, a.account_id) == (platform, account_id)), None)
    if known is None:
        raise UsageError(f"No account {account_id!r} of {platform} was imported, so it has no days to clear", fix="Name it as it was imported: --account")
    return ImportedAccount(known.account_id, known.name, known.currency, known.timezone, CAMPAIGN_DAILY.schema.empty_table())


def _window(path: Path, account: ImportedAccount, since: date | None, until: date | None) -> DateWindow:
    if since and until and not account.rows.num_rows:
        return DateWindow(since, until)
    dates = pc.min_max(account.rows.column("date")).as_py()
    window = DateWindow(since or dates["min"], until or dates["max"])
    if dates["min"] < window.since or dates["max"] > window.until:
        raise UsageError(f"{path} holds dates from {dates['min']} to {dates['max']}, outside {window}", fix="Widen --since and --until, or leave them out")
    return window


def _own(store: Store, actor: Actor, platform: str, name: str, file: ImportedFile) -> Integration:
    """Find or make the integration, and make it the owner of the file's accounts."""
    accounts = [Account(platform, a.account_id, a.name, a.currency, a.timezone) for a in file.accounts]
    with store.transaction(actor.organization_id) as transaction:
        integrations = Integrations(transaction, actor.organization_id, store.vault)
        known = next((i for i in integrations.all(platform=platform) if i.name == name), None)
        made = known or integrations.add(platform, name, {}, {"kind": KIND}, project_id=None, created_by=actor.user_id)
        integrations.own(made, accounts)
        if known is None:
            Team(transaction, actor.organization_id).record(actor.user_id, "integration.connect", made.id, platform=platform)
    return made


def _load(
    rooms: Importing, actor: Actor, integration: Integration, account: ImportedAccount, file: ImportedFile, window: DateWindow, now: datetime
) -> Imported:
    key = LoadKey(actor.organization_id, integration.id, account.account_id)
    today = rooms.clock.today(account.timezone)
    with rooms.ledger.open(key, ACCOUNTS, DateWindow(today, today), now, timezone=account.timezone) as snapshot:
        described = {
            "platform": integration.platform,
            "account_id": account.account_id,
            "account_name": account.name,
            "currency": account.currency,
            "timezone": account.timezone,
        }
        snapshot.write(pa.Table.from_pylist([described], schema=ACCOUNTS.schema))
        snapshot.commit(f"one account of a file, sha256 {file.digest}")
    load = rooms.ledger.open(key, CAMPAIGN_DAILY, window, now, timezone=account.timezone)
    place = "/".join(("landing", key.organization_id, key.integration_id, CAMPAIGN_DAILY.name, key.account_id, load.load_id))
    try:
        with load:
            rooms.landing.put(f"{place}/000000.csv", file.body)
            load.write(account.rows)
            commit = load.commit(f"{account.rows.num_rows} rows of the account, file sha256 {file.digest}")
    except BaseException:
        with suppress(MrmError):
            if not load.uncertain:
                rooms.landing.delete(place)
        raise
    return Imported(integration.id, account.account_id, commit.rows, window, commit.dates_changed, commit.dates_verified, file.ignored_columns)
