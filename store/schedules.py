"""When integrations are pulled: each has one row, claimed by one taker at a time, settled when its pull has ended."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.platforms import Platform
from store.database import Transaction
from store.records import Schedule, columns, identifier, missing, read, read_all, storable
from store.tables import integrations, sync_schedules

PULLED = ("active", "failed")
"""The states of an integration that is pulled by itself; paused and disconnected ones are not."""


ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""A moment that every clock has passed."""


class Schedules:
    """The schedules of one organization's integrations."""

    def __init__(self, transaction: Transaction, organization_id: str) -> None:
        self._transaction = transaction
        self._organization_id = organization_id

    def get(self, integration_id: str) -> Schedule:
        """Return an integration's schedule; raises NotFound. The integration must be known to exist: a first call makes the row."""
        _complete(self._transaction, self._organization_id)
        statement = select(*columns(sync_schedules, Schedule)).where(*self._mine(integration_id))
        row = self._transaction.execute(statement).one_or_none()
        if row is None:
            raise missing("integration")
        return read(Schedule, row)

    def all(self) -> list[Schedule]:
        """List the schedules of the organization's integrations."""
        _complete(self._transaction, self._organization_id)
        statement = select(*columns(sync_schedules, Schedule)).where(sync_schedules.c.organization_id == self._organization_id)
        return read_all(Schedule, self._transaction.execute(statement.order_by(sync_schedules.c.integration_id)).all())

    def change(self, integration_id: str, **values: Any) -> Schedule:  # noqa: ANN401
        """Change fields of a schedule; raises NotFound."""
        self.get(integration_id)
        values = {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}
        statement = (
            update(sync_schedules).where(*self._mine(integration_id)).values({**values, "updated_at": func.now()}).returning(*columns(sync_schedules, Schedule))
        )
        return read(Schedule, self._transaction.execute(statement).one())

    def due_at_once(self, integration_id: str) -> None:
        """Let an integration run at the next look, whatever held it back."""
        self.change(integration_id, next_run_at=ALWAYS, failures=0, error_code=None)

    def _mine(self, integration_id: str) -> tuple[Any, ...]:
        return (sync_schedules.c.organization_id == self._organization_id, sync_schedules.c.integration_id == identifier("integration", integration_id))


def claim_due(transaction: Transaction, now: datetime, limit: int, lease: timedelta) -> tuple[str, list[Schedule]]:
    """Claim the integrations that are due at `now` (the home's clock), most urgent first, over all organizations (system transaction).

    Each goes to one taker, until it is settled, released, or the `lease` (wall time) is over. Returns the claim's id and the rows.
    """
    _complete(transaction, None)
    free = (sync_schedules.c.claimed_until.is_(None)) | (sync_schedules.c.claimed_until < func.now())
    due = (
        select(sync_schedules.c.id)
        .join(integrations, integrations.c.id == sync_schedules.c.integration_id)
        .where(integrations.c.status.in_(PULLED), integrations.c.platform.in_(list(Platform)), sync_schedules.c.next_run_at <= now, free)
        .order_by(sync_schedules.c.priority.desc(), sync_schedules.c.next_run_at, sync_schedules.c.integration_id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=sync_schedules)
    )
    taken: Sequence[str] = transaction.execute(due).scalars().all()
    claim = str(uuid.uuid4())
    if not taken:
        return claim, []
    statement = (
        update(sync_schedules)
        .where(sync_schedules.c.id.in_(taken))
        .values(claim=claim, claimed_until=func.now() + lease, updated_at=func.now())
        .returning(*columns(sync_schedules, Schedule))
    )
    rows = read_all(Schedule, transaction.execute(statement).all())
    return claim, sorted(rows, key=lambda s: (-s.priority, s.integration_id))


def release(transaction: Transaction, claim: str, next_run_at: datetime) -> int:
    """Give a claim's unsettled integrations back, due again at `next_run_at`; return how many they were (system transaction)."""
    statement = (
        update(sync_schedules)
        .where(sync_schedules.c.claim == identifier("claim", claim), sync_schedules.c.claimed_until.is_not(None))
        .values(claim=None, claimed_until=None, next_run_at=func.greatest(sync_schedules.c.next_run_at, next_run_at), updated_at=func.now())
    )
    return transaction.execute(statement).rowcount


def prolong(transaction: Transaction, claim: str, lease: timedelta) -> int:
    """Let what a claim still holds be held for another `lease`; return how many they are (system transaction).

    A row that another transaction is settling or prolonging is left to it: the platforms of one run share a claim.
    """
    held = (
        select(sync_schedules.c.integration_id)
        .where(sync_schedules.c.claim == identifier("claim", claim), sync_schedules.c.claimed_until.is_not(None))
        .with_for_update(skip_locked=True)
    )
    statement = update(sync_schedules).where(sync_schedules.c.integration_id.in_(held)).values(claimed_until=func.now() + lease)
    return transaction.execute(statement).rowcount


def _complete(transaction: Transaction, organization_id: str | None) -> None:
    """Give every integration that has no row yet its own, due at once."""
    known = select(sync_schedules.c.integration_id)
    lacking = select(integrations.c.organization_id, integrations.c.id).where(integrations.c.id.not_in(known))
    if organization_id is not None:
        lacking = lacking.where(integrations.c.organization_id == organization_id)
    statement = upsert(sync_schedules).from_select(["organization_id", "integration_id"], lacking)
    transaction.execute(statement.on_conflict_do_nothing(index_elements=[sync_schedules.c.integration_id]))
