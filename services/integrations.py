"""Integrations: connected with sealed credentials, owners of accounts, opened only for a sync."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from shlex import quote
from typing import Any

from domain.catalogue import Account
from domain.errors import ConfigurationError, Conflict, NotFound, UnknownName
from domain.platforms import Platform
from services.actors import Actor, Permission, authorize
from store.database import Store, Transaction
from store.integrations import Integrations
from store.people import People, Team
from store.projects import Projects
from store.records import Integration, OwnedAccount
from store.schedules import PULLED, Schedules

RENEWED_FROM = "renewed_from"
"""Among credentials whose token renewed itself: the digest of those that a person entered."""


@dataclass(frozen=True)
class IntegrationAccess:
    """Everything that a connector needs. Its printed form hides the credentials."""

    id: str
    organization_id: str
    platform: str
    credentials: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, str]
    lookback_days: int | None = None
    """The schedule's own lookback; None: each report's."""

    @property
    def login(self) -> str:
        """Tell the login from the platform's others; it stays the same when its token renews itself."""
        return login_of(self.credentials)


def login_of(credentials: Mapping[str, str]) -> str:
    """Return the digest of the credentials that a person entered, also where their token has renewed itself since."""
    return credentials.get(RENEWED_FROM) or blake2b(json.dumps(sorted(credentials.items())).encode(), digest_size=16).hexdigest()


def connect_command(platform: str, name: str) -> str:
    """Return the command by which a person connects an integration anew."""
    return f"./run connect {platform} --name {quote(name)} --app FILE.json"


def connect_integration(
    store: Store,
    actor: Actor,
    *,
    platform: str,
    name: str,
    credentials: Mapping[str, str],
    settings: Mapping[str, str],
    project_id: str | None = None,
    accounts: Sequence[Account] = (),
) -> Integration:
    """Connect a platform as the owner of its `accounts`; the credentials are encrypted before they reach the database.

    Raises UnknownName for an unknown platform, Conflict for a name that the organization uses on it already, or an account that
    another integration owns: then nothing is connected.
    """
    authorize(actor, Permission.INTEGRATION_MANAGE)
    if platform not in set(Platform):
        raise UnknownName("platform", platform, list(Platform))
    with store.transaction(actor.organization_id) as transaction:
        integrations = _of(store, actor, transaction)
        if any(known.name == name for known in integrations.all(platform=platform)):
            raise Conflict(f"The integration {name!r} exists already", fix="Choose another name, or renew its credentials")
        if project_id is not None:
            project_id = Projects(transaction, actor.organization_id).get(project_id).id
        made = integrations.add(platform, name, credentials, settings, project_id=project_id, created_by=actor.user_id)
        integrations.own(made, accounts)
        Team(transaction, actor.organization_id).record(actor.user_id, "integration.connect", made.id, platform=platform)
    return made


def renew_integration(
    store: Store, actor: Actor, integration_id: str, *, credentials: Mapping[str, str] | None = None, settings: Mapping[str, str] | None = None
) -> Integration:
    """Replace an integration's credentials, settings, or both; raises NotFound."""
    authorize(actor, Permission.INTEGRATION_MANAGE)
    values: dict[str, Any] = {} if settings is None else {"settings": dict(settings)}
    with store.transaction(actor.organization_id) as transaction:
        changed = _of(store, actor, transaction).change(integration_id, credentials=credentials, **values, status="active", last_error=None)
        Schedules(transaction, actor.organization_id).due_at_once(changed.id)
        Team(transaction, actor.organization_id).record(actor.user_id, "integration.renew", changed.id)
    return changed


def keep_fresh_credential(store: Store, actor: Actor, opened: IntegrationAccess, credentials: Mapping[str, str]) -> Mapping[str, str]:
    """Seal a token that renewed itself, for every integration of the organization that holds the old one: a platform may take that no more.

    What people and pulls have said of them stays: a paused one is paused, failures count on, a credential that a person entered since
    is kept, and one that a person erased stays erased. Return what is stored of the opened one, or the renewed token where that is
    erased. Raises AccessDenied, NotFound, and ConfigurationError where the opened one's does not open; another one's is left alone.
    """
    authorize(actor, Permission.INTEGRATION_SYNC)
    with store.transaction(actor.organization_id) as transaction:
        integrations = _of(store, actor, transaction)
        for known in integrations.all(platform=opened.platform, locked=True):
            with suppress(ConfigurationError):
                if known.status != "disconnected" and integrations.credentials(known.id) == opened.credentials:
                    integrations.change(known.id, credentials=credentials)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).credentials(opened.id) or credentials


def stop_integration(store: Store, actor: Actor, integration_id: str, *, disconnect: bool) -> Integration:
    """Pull an integration no more, until it is resumed or renewed; what was pulled stays. Raises NotFound.

    Disconnecting also erases the credential for good. The accounts stay the integration's: its rows would count twice beside
    those of another one, so a new credential is connected under the same name.
    """
    authorize(actor, Permission.INTEGRATION_MANAGE)
    word = "disconnect" if disconnect else "pause"
    with store.transaction(actor.organization_id) as transaction:
        secrets: dict[str, str] | None = {} if disconnect else None
        changed = _of(store, actor, transaction).change(integration_id, credentials=secrets, status="disconnected" if disconnect else "paused", last_error=None)
        Team(transaction, actor.organization_id).record(actor.user_id, f"integration.{word}", changed.id)
    return changed


def resume_integration(store: Store, actor: Actor, integration_id: str) -> Integration:
    """Pull a paused integration again. Raises NotFound, and Conflict for a disconnected one, whose credential is gone."""
    authorize(actor, Permission.INTEGRATION_MANAGE)
    with store.transaction(actor.organization_id) as transaction:
        integrations = _of(store, actor, transaction)
        known = integrations.get(integration_id)
        if known.status == "disconnected":
            raise Conflict(f"The integration {known.name!r} is disconnected", why="Its credential was erased", fix="Connect it again under the same name")
        changed = integrations.change(integration_id, status="active")
        Schedules(transaction, actor.organization_id).due_at_once(changed.id)
        Team(transaction, actor.organization_id).record(actor.user_id, "integration.resume", changed.id)
    return changed


def rewrap_credentials(store: Store) -> int:
    """Wrap every credential of the installation by the newest key, all or none; return how many: for the command line only."""
    store.vault.ring.renew()
    with store.system() as transaction:
        return sum(Integrations(transaction, organization.id, store.vault).rewrap() for organization in People(transaction).organizations())


def register_accounts(store: Store, actor: Actor, integration_id: str, accounts: Sequence[Account]) -> list[OwnedAccount]:
    """Make an integration the owner of the accounts that its credential sees; again for renewed names.

    Raises Conflict, registering none, when another integration of the organization owns one of them.
    """
    authorize(actor, Permission.INTEGRATION_SYNC)
    with store.transaction(actor.organization_id) as transaction:
        integrations = _of(store, actor, transaction)
        return integrations.own(integrations.get(integration_id), accounts)


def list_integrations(store: Store, actor: Actor, *, platform: str | None = None) -> list[Integration]:
    """List the organization's integrations, oldest first."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).all(platform=platform)


def get_integration(store: Store, actor: Actor, integration_id: str) -> Integration:
    """Return an integration; a foreign one answers NotFound like a nonexistent one."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).get(integration_id)


def list_accounts(store: Store, actor: Actor, integration_id: str | None = None) -> list[OwnedAccount]:
    """List the accounts that an integration, or the organization, owns."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).accounts(integration_id)


def integration_access(store: Store, actor: Actor, integration_id: str) -> IntegrationAccess:
    """Open an integration for a sync; raises NotFound, or ConfigurationError where the credentials do not open."""
    authorize(actor, Permission.INTEGRATION_SYNC)
    with store.transaction(actor.organization_id) as transaction:
        integrations = _of(store, actor, transaction)
        return _opened(integrations, integrations.get(integration_id))


def all_integration_access(store: Store, *, platform: str | None = None) -> list[IntegrationAccess]:
    """Open every integration of the installation that is pulled and not paused or disconnected: for pipelines and the command line only."""
    opened = []
    with store.system() as transaction:
        for organization in People(transaction).organizations():
            integrations = Integrations(transaction, organization.id, store.vault)
            lookbacks = {s.integration_id: s.lookback_days for s in Schedules(transaction, organization.id).all()}
            pulled = [i for i in integrations.all(platform=platform) if i.status in PULLED and not i.from_files]
            opened += [replace(_opened(integrations, i), lookback_days=lookbacks.get(i.id)) for i in pulled]
    return opened


def reopened(store: Store, access: IntegrationAccess) -> IntegrationAccess | None:
    """Open an integration that was opened a while ago as it is now; None when it is gone, paused or disconnected."""
    with store.transaction(access.organization_id) as transaction:
        integrations = Integrations(transaction, access.organization_id, store.vault)
        try:
            known = integrations.get(access.id)
        except NotFound:
            return None
        return replace(_opened(integrations, known), lookback_days=access.lookback_days) if known.status in PULLED else None


def failing_integrations(store: Store) -> list[Integration]:
    """List the integrations of the installation whose last sync failed: for pipelines and the command line only."""
    failing = []
    with store.system() as transaction:
        for organization in People(transaction).organizations():
            failing += [i for i in Integrations(transaction, organization.id, store.vault).all() if i.status == "failed"]
    return failing


def import_again(integration: Integration) -> str:
    """Return the command that brings new days into an integration that comes from files."""
    return f"./run import FILE --platform {integration.platform} --integration {quote(integration.name)}"


def _of(store: Store, actor: Actor, transaction: Transaction) -> Integrations:
    return Integrations(transaction, actor.organization_id, store.vault)


def _opened(integrations: Integrations, integration: Integration) -> IntegrationAccess:
    return IntegrationAccess(
        id=integration.id,
        organization_id=integration.organization_id,
        platform=integration.platform,
        credentials=integrations.credentials(integration.id),
        settings=integration.settings,
    )
