"""Integrations: connected with sealed credentials, owners of accounts, opened only for a sync."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.catalogue import Account
from domain.errors import Conflict, UnknownName
from domain.platforms import Platform
from services.actors import Actor, Permission, authorize
from store.database import Store, Transaction
from store.integrations import Integrations
from store.people import People, Team
from store.projects import Projects
from store.records import Integration, OwnedAccount


@dataclass(frozen=True)
class IntegrationAccess:
    """Everything that a connector needs. Its printed form hides the credentials."""

    id: str
    organization_id: str
    platform: str
    credentials: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, str]


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
        Team(transaction, actor.organization_id).record(actor.user_id, "integration.renew", changed.id)
    return changed


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
            opened += [
                _opened(integrations, i) for i in integrations.all(platform=platform) if i.status in {"active", "failed"} and i.platform in set(Platform)
            ]
    return opened


def record_sync(store: Store, organization_id: str, integration_id: str, at: datetime, error: str | None = None) -> None:
    """Remember how an integration's sync went: its moment, or what went wrong; raises NotFound."""
    with store.transaction(organization_id) as transaction:
        Integrations(transaction, organization_id, store.vault).synced(integration_id, at, error)


def failing_integrations(store: Store) -> list[Integration]:
    """List the integrations of the installation whose last sync failed: for pipelines and the command line only."""
    failing = []
    with store.system() as transaction:
        for organization in People(transaction).organizations():
            failing += [i for i in Integrations(transaction, organization.id, store.vault).all() if i.status == "failed"]
    return failing


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
