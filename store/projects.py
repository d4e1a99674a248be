"""Projects of one organization."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from domain.errors import Conflict
from store.database import Transaction
from store.records import PAGE, After, Project, ProjectBudget, columns, identifier, missing, read, read_all
from store.tables import project_members, projects


class Projects:
    """The projects of one organization."""

    def __init__(self, transaction: Transaction, organization_id: str) -> None:
        self._transaction = transaction
        self._organization_id = organization_id

    def add(self, values: Mapping[str, Any]) -> Project:
        """Add a project."""
        statement = insert(projects).values({**values, "organization_id": self._organization_id}).returning(*columns(projects, Project))
        return read(Project, self._transaction.execute(statement).one())

    def get(self, project_id: str) -> Project:
        """Return a project; raises NotFound for a foreign id as for a nonexistent one."""
        row = self._transaction.execute(self._select().where(projects.c.id == identifier("project", project_id))).one_or_none()
        if row is None:
            raise missing("project")
        return read(Project, row)

    def page(self, *, limit: int = PAGE, after: After | None = None, only: Collection[str] | None = None, status: str | None = None) -> list[Project]:
        """List projects, newest first, from `after` on; `only` narrows them to these ids."""
        statement = self._select().order_by(projects.c.created_at.desc(), projects.c.id.desc()).limit(min(limit, PAGE))
        if after is not None:
            statement = statement.where(tuple_(projects.c.created_at, projects.c.id) < (after.created_at, identifier("project", after.id)))
        if only is not None:
            statement = statement.where(projects.c.id.in_(list(only)))
        if status is not None:
            statement = statement.where(projects.c.status == status)
        return read_all(Project, self._transaction.execute(statement).all())

    def change(self, project_id: str, values: Mapping[str, Any]) -> Project:
        """Change a project's fields; raises NotFound."""
        statement = (
            update(projects)
            .where(projects.c.organization_id == self._organization_id, projects.c.id == identifier("project", project_id))
            .values({**values, "updated_at": func.now()})
            .returning(*columns(projects, Project))
        )
        row = self._transaction.execute(statement).one_or_none()
        if row is None:
            raise missing("project")
        return read(Project, row)

    def add_member(self, project_id: str, user_id: str, role: str) -> None:
        """Give a member of the organization a role in a project; raises Conflict for one who has a role, or is no member."""
        values = {"organization_id": self._organization_id, "project_id": project_id, "user_id": user_id, "role": role}
        try:
            self._transaction.execute(insert(project_members).values(values))
        except IntegrityError as error:
            raise Conflict("This person is in the project already, or not in the organization", fix="Look at the members of both") from error

    def _select(self) -> Any:  # noqa: ANN401
        return select(*columns(projects, Project)).where(projects.c.organization_id == self._organization_id)


def export_budgets(transaction: Transaction) -> list[ProjectBudget]:
    """List the projects that have a budget and dates to spend it in, of all organizations (system transaction)."""
    statement = (
        select(
            projects.c.organization_id,
            projects.c.id.label("project_id"),
            projects.c.name.label("project_name"),
            projects.c.budget,
            projects.c.currency,
            projects.c.start_date,
            projects.c.end_date,
        )
        .where(projects.c.budget.is_not(None), projects.c.start_date.is_not(None), projects.c.end_date.is_not(None))
        .order_by(projects.c.organization_id, projects.c.id)
    )
    return read_all(ProjectBudget, transaction.execute(statement).all())
