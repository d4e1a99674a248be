"""Backfills: which window of which integrations is to be pulled anew, since when, and how far that is."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from store.database import Transaction
from store.records import Backfill, columns, identifier, missing, read, read_all
from store.tables import backfills


class Backfills:
    """The backfills of one organization."""

    def __init__(self, transaction: Transaction, organization_id: str) -> None:
        self._transaction = transaction
        self._organization_id = organization_id

    def add(self, since: date, until: date, integration_ids: Sequence[str], began_at: datetime, created_by: str | None) -> Backfill:
        """Begin a backfill; both dates are inclusive."""
        values = {"since": since, "until": until, "integration_ids": list(integration_ids), "began_at": began_at, "created_by": created_by}
        statement = insert(backfills).values({**values, "organization_id": self._organization_id}).returning(*columns(backfills, Backfill))
        return read(Backfill, self._transaction.execute(statement).one())

    def get(self, backfill_id: str) -> Backfill:
        """Return a backfill; raises NotFound."""
        row = self._transaction.execute(self._select().where(backfills.c.id == identifier("backfill", backfill_id))).one_or_none()
        if row is None:
            raise missing("backfill")
        return read(Backfill, row)

    def all(self, limit: int = 50) -> list[Backfill]:
        """List backfills, newest first."""
        return read_all(Backfill, self._transaction.execute(self._select().order_by(backfills.c.created_at.desc()).limit(limit)).all())

    def change(self, backfill_id: str, **values: Any) -> Backfill:  # noqa: ANN401
        """Change status, months_done or error; raises NotFound."""
        statement = (
            update(backfills)
            .where(backfills.c.organization_id == self._organization_id, backfills.c.id == identifier("backfill", backfill_id))
            .values({**values, "updated_at": func.now()})
            .returning(*columns(backfills, Backfill))
        )
        row = self._transaction.execute(statement).one_or_none()
        if row is None:
            raise missing("backfill")
        return read(Backfill, row)

    def _select(self) -> Any:  # noqa: ANN401
        return select(*columns(backfills, Backfill)).where(backfills.c.organization_id == self._organization_id)
