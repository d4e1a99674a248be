"""Which account belongs to which project, and since when."""

from datetime import date
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, update

from domain.errors import Conflict
from store.database import Transaction
from store.records import Assignment, AssignmentRow, columns, identifier, missing, read, read_all
from store.tables import account_assignments, accounts, projects


class Assignments:
    """The assignments of one organization's accounts."""

    def __init__(self, transaction: Transaction, organization_id: str) -> None:
        self._transaction = transaction
        self._organization_id = organization_id

    def add(self, project_id: str, platform: str, account_id: str, since: date, until: date | None, created_by: str | None) -> Assignment:
        """Assign an account to a project for the dates, both inclusive.

        Raises NotFound for an unknown account or project, Conflict when another assignment has one of the dates.
        """
        self._lock(platform, account_id)
        table = account_assignments
        clash = self._of_account(platform, account_id).where(or_(table.c.until.is_(None), table.c.until >= since))
        if until is not None:
            clash = clash.where(table.c.since <= until)
        taken = self._transaction.execute(clash.order_by(table.c.since).limit(1)).one_or_none()
        if taken is not None:
            raise self._taken(read(Assignment, taken))
        values = {"organization_id": self._organization_id, "project_id": identifier("project", project_id), "platform": platform, "account_id": account_id}
        statement = insert(table).values({**values, "since": since, "until": until, "created_by": created_by}).returning(*columns(table, Assignment))
        return read(Assignment, self._transaction.execute(statement).one())

    def end(self, assignment_id: str, until: date) -> Assignment:
        """Set the last date of an assignment; it can only be shortened. Raises NotFound, or Conflict for a date outside of it."""
        table = account_assignments
        found = select(*columns(table, Assignment)).where(
            table.c.organization_id == self._organization_id, table.c.id == identifier("assignment", assignment_id)
        )
        row = self._transaction.execute(found.with_for_update()).one_or_none()
        if row is None:
            raise missing("assignment")
        if until < row.since or (row.until is not None and until > row.until):
            raise Conflict(f"The assignment runs from {row.since} to {row.until or 'now'}; it cannot end on {until}", fix="Give a date within it")
        done = self._transaction.execute(update(table).where(table.c.id == row.id).values(until=until).returning(*columns(table, Assignment)))
        return read(Assignment, done.one())

    def all(self, project_id: str | None = None) -> list[Assignment]:
        """List assignments by platform, account and date, of one project or of all."""
        table = account_assignments
        statement = select(*columns(table, Assignment)).where(table.c.organization_id == self._organization_id)
        if project_id is not None:
            statement = statement.where(table.c.project_id == identifier("project", project_id))
        return read_all(Assignment, self._transaction.execute(statement.order_by(table.c.platform, table.c.account_id, table.c.since)).all())

    def _lock(self, platform: str, account_id: str) -> None:
        """Hold the account's row, so that two assignments of one account wait for each other."""
        statement = select(accounts.c.id).where(
            accounts.c.organization_id == self._organization_id, accounts.c.platform == platform, accounts.c.account_id == account_id
        )
        if self._transaction.execute(statement.with_for_update()).one_or_none() is None:
            raise missing("account")

    def _of_account(self, platform: str, account_id: str) -> Select[Any]:
        table = account_assignments
        return select(*columns(table, Assignment)).where(
            table.c.organization_id == self._organization_id, table.c.platform == platform, table.c.account_id == account_id
        )

    def _taken(self, assignment: Assignment) -> Conflict:
        name: str = self._transaction.execute(select(projects.c.name).where(projects.c.id == assignment.project_id)).scalar_one()
        return Conflict(
            f"The account {assignment.account_id} is in the project {name!r} from {assignment.since} to {assignment.until or 'now'}",
            why="An account is in one project at a time",
            fix="End that assignment first, or give dates outside of it",
        )


def export(transaction: Transaction, organization_id: str | None = None) -> list[AssignmentRow]:
    """List assignments with their projects' names for the warehouse, of one organization or (system transaction) of all."""
    table = account_assignments
    statement = (
        select(
            table.c.organization_id,
            table.c.project_id,
            projects.c.name.label("project_name"),
            func.coalesce(projects.c.client_name, "").label("client_name"),
            table.c.platform,
            table.c.account_id,
            table.c.since,
            table.c.until,
        )
        .join(projects, (projects.c.organization_id == table.c.organization_id) & (projects.c.id == table.c.project_id))
        .order_by(table.c.organization_id, table.c.platform, table.c.account_id, table.c.since)
    )
    if organization_id is not None:
        statement = statement.where(table.c.organization_id == identifier("organization", organization_id))
    return read_all(AssignmentRow, transaction.execute(statement).all())
