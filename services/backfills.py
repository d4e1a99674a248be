"""Backfills: any window of any integrations pulled anew, newest month first, going on where a crash or Ctrl-C left them.

What is done stands in the ledger: a date that was pulled since the backfill began is not pulled again.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from domain.errors import UsageError
from domain.windows import DateWindow
from services.actors import Actor, Permission, authorize
from store.backfills import Backfills
from store.database import Store
from store.integrations import Integrations
from store.people import Team
from store.records import Backfill


def begin_backfill(store: Store, actor: Actor, window: DateWindow, integration_ids: Sequence[str], now: datetime) -> Backfill:
    """Begin a backfill of a window of dates; raises NotFound for an unknown integration, UsageError where none is named."""
    authorize(actor, Permission.INTEGRATION_SYNC)
    if not integration_ids:
        raise UsageError("There is no integration to backfill", fix="Connect one with ./run connect, or resume a paused one")
    with store.transaction(actor.organization_id) as transaction:
        integrations = Integrations(transaction, actor.organization_id, store.vault)
        ids = [integrations.get(i).id for i in integration_ids]
        made = Backfills(transaction, actor.organization_id).add(window.since, window.until, ids, now, actor.user_id)
        Team(transaction, actor.organization_id).record(actor.user_id, "integration.backfill", made.id, window=str(window))
    return made


def get_backfill(store: Store, actor: Actor, backfill_id: str = "") -> Backfill:
    """Return a backfill, the newest unfinished one where none is named; raises NotFound or UsageError."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        backfills = Backfills(transaction, actor.organization_id)
        if backfill_id:
            return backfills.get(backfill_id)
        unfinished = [b for b in backfills.all() if b.status != "done"]
    if not unfinished:
        raise UsageError("No backfill waits to be resumed", fix="Begin one with ./run backfill --since … --until …")
    return unfinished[0]


def list_backfills(store: Store, actor: Actor) -> list[Backfill]:
    """List the organization's backfills, newest first."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return Backfills(transaction, actor.organization_id).all()


def note_backfill(store: Store, actor: Actor, backfill_id: str, *, months_done: int | None = None, error: str | None = None, done: bool = False) -> Backfill:
    """Remember how far a backfill is, or how it ended."""
    authorize(actor, Permission.INTEGRATION_SYNC)
    values = {"months_done": months_done} if months_done is not None else {}
    status = "failed" if error else "done" if done else "running"
    with store.transaction(actor.organization_id) as transaction:
        return Backfills(transaction, actor.organization_id).change(backfill_id, **values, status=status, error=error)


def months_of(window: DateWindow) -> Iterator[DateWindow]:
    """Yield the window month by month, newest first."""
    until = window.until
    while until >= window.since:
        first = date(until.year, until.month, 1)
        yield DateWindow(max(first, window.since), until)
        until = first - timedelta(days=1)
