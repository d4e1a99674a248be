"""The queue of "sync now": asked for by people, claimed by the pipelines, which never see each other."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from store.database import Transaction
from store.records import SyncRequest, columns, identifier, missing, read, read_all
from store.tables import integrations, sync_requests

_LOST = "The run that took this request ended without a word"


class SyncRequests:
    """The sync requests of one organization."""

    def __init__(self, transaction: Transaction, organization_id: str) -> None:
        self._transaction = transaction
        self._organization_id = organization_id

    def ask(self, integration_id: str, requested_by: str | None) -> SyncRequest:
        """Queue a request; one that waits already serves for both. The integration must be known to exist."""
        values = {"organization_id": self._organization_id, "integration_id": integration_id, "requested_by": requested_by}
        waiting = sync_requests.c.status == "queued"
        statement = (
            upsert(sync_requests)
            .values(values)
            .on_conflict_do_update(index_elements=[sync_requests.c.integration_id], index_where=waiting, set_={"status": sync_requests.c.status})
        )
        request_id: str = self._transaction.execute(statement.returning(sync_requests.c.id)).scalar_one()
        return self.get(request_id)

    def get(self, request_id: str) -> SyncRequest:
        """Return a request; raises NotFound."""
        statement = _select().where(sync_requests.c.organization_id == self._organization_id, sync_requests.c.id == identifier("sync request", request_id))
        row = self._transaction.execute(statement).one_or_none()
        if row is None:
            raise missing("sync request")
        return read(SyncRequest, row)

    def newest(self, integration_id: str) -> SyncRequest | None:
        """Return an integration's newest request."""
        statement = _select().where(
            sync_requests.c.organization_id == self._organization_id, sync_requests.c.integration_id == identifier("integration", integration_id)
        )
        row = self._transaction.execute(statement.order_by(sync_requests.c.created_at.desc()).limit(1)).one_or_none()
        return read(SyncRequest, row) if row else None


def claim(transaction: Transaction, limit: int, lost_after: timedelta) -> list[SyncRequest]:
    """Take queued requests over all organizations (system transaction): each goes to one taker only.

    A request that has been running for longer than `lost_after` is given up as failed.
    """
    stale = sync_requests.c.started_at < func.now() - lost_after
    transaction.execute(update(sync_requests).where(sync_requests.c.status == "running", stale).values(status="failed", finished_at=func.now(), error=_LOST))
    queued = select(sync_requests.c.id).where(sync_requests.c.status == "queued").order_by(sync_requests.c.created_at, sync_requests.c.id)
    taken: Sequence[str] = transaction.execute(queued.limit(limit).with_for_update(skip_locked=True)).scalars().all()
    if not taken:
        return []
    transaction.execute(update(sync_requests).where(sync_requests.c.id.in_(taken)).values(status="running", started_at=func.now()))
    return read_all(SyncRequest, transaction.execute(_select().where(sync_requests.c.id.in_(taken)).order_by(sync_requests.c.created_at)).all())


def finish(transaction: Transaction, request_id: str, error: str | None) -> None:
    """Close a running request (system transaction); raises NotFound when it is not running."""
    statement = (
        update(sync_requests)
        .where(sync_requests.c.id == identifier("sync request", request_id), sync_requests.c.status == "running")
        .values(status="failed" if error else "done", finished_at=func.now(), error=error)
        .returning(sync_requests.c.id)
    )
    if transaction.execute(statement).one_or_none() is None:
        raise missing("running sync request")


def _select() -> Select[Any]:
    return select(*columns(sync_requests, SyncRequest)[:3], integrations.c.platform, *columns(sync_requests, SyncRequest)[3:]).join(
        integrations, integrations.c.id == sync_requests.c.integration_id
    )
