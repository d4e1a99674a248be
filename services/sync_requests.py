"""Sync now: a person asks, the pipelines take the request and close it."""

from datetime import timedelta

from services.actors import Actor, Permission, authorize
from store import sync_requests
from store.database import Store
from store.integrations import Integrations
from store.people import Team
from store.records import SyncRequest
from store.sync_requests import SyncRequests

LOST_AFTER = timedelta(hours=6)


def ask_for_sync(store: Store, actor: Actor, integration_id: str) -> SyncRequest:
    """Ask to pull an integration now; while a request waits, asking again returns it. Raises NotFound."""
    authorize(actor, Permission.INTEGRATION_SYNC)
    with store.transaction(actor.organization_id) as transaction:
        integration = Integrations(transaction, actor.organization_id, store.vault).get(integration_id)
        request = SyncRequests(transaction, actor.organization_id).ask(integration.id, actor.user_id)
        Team(transaction, actor.organization_id).record(actor.user_id, "integration.sync", integration.id, request_id=request.id)
    return request


def get_sync_request(store: Store, actor: Actor, request_id: str) -> SyncRequest:
    """Return a request and how far it has come; raises NotFound."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return SyncRequests(transaction, actor.organization_id).get(request_id)


def newest_sync_request(store: Store, actor: Actor, integration_id: str) -> SyncRequest | None:
    """Return an integration's newest request; raises NotFound for a foreign integration."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        integration = Integrations(transaction, actor.organization_id, store.vault).get(integration_id)
        return SyncRequests(transaction, actor.organization_id).newest(integration.id)


def claim_sync_requests(store: Store, limit: int = 10, *, lost_after: timedelta = LOST_AFTER) -> list[SyncRequest]:
    """Take waiting requests, oldest first, each for one taker only: for pipelines. Those of lost runs are given up."""
    with store.system() as transaction:
        return sync_requests.claim(transaction, limit, lost_after)


def finish_sync_request(store: Store, request_id: str, error: str | None = None) -> None:
    """Close a request that was taken, with what went wrong; raises NotFound when it is not running."""
    with store.system() as transaction:
        sync_requests.finish(transaction, request_id, error)
