"""Which account works for which project: assigned by people, exported to the warehouse."""

from datetime import date

from domain.errors import UsageError
from services.actors import Actor, Permission, authorize
from store import assignments
from store.assignments import Assignments
from store.database import Store
from store.people import Team
from store.projects import Projects
from store.records import Assignment, AssignmentRow, identifier


def assign_account(store: Store, actor: Actor, *, project_id: str, platform: str, account_id: str, since: date, until: date | None = None) -> Assignment:
    """Assign an account to a project from `since` to `until`, both inclusive, or from `since` on.

    Raises NotFound for a foreign project or an account that no integration owns, Conflict where another project has it on such a date.
    """
    project_id = identifier("project", project_id)
    authorize(actor, Permission.PROJECT_UPDATE, project_id)
    if until is not None and until < since:
        raise UsageError(f"The assignment would end on {until}, before it starts on {since}", fix="Swap the dates")
    with store.transaction(actor.organization_id) as transaction:
        Projects(transaction, actor.organization_id).get(project_id)
        made = Assignments(transaction, actor.organization_id).add(project_id, platform, account_id, since, until, actor.user_id)
        Team(transaction, actor.organization_id).record(actor.user_id, "account.assign", made.id, platform=platform, account_id=account_id)
    return made


def end_assignment(store: Store, actor: Actor, assignment_id: str, until: date) -> Assignment:
    """Set the last date of an assignment; raises NotFound, or Conflict for a date outside of it."""
    authorize(actor, Permission.INTEGRATION_MANAGE)
    with store.transaction(actor.organization_id) as transaction:
        ended = Assignments(transaction, actor.organization_id).end(assignment_id, until)
        Team(transaction, actor.organization_id).record(actor.user_id, "account.assignment_end", ended.id, until=until.isoformat())
    return ended


def list_assignments(store: Store, actor: Actor, project_id: str | None = None) -> list[Assignment]:
    """List assignments by platform, account and date, of one project or of all."""
    authorize(actor, Permission.PROJECT_READ if project_id else Permission.INTEGRATION_READ, identifier("project", project_id) if project_id else None)
    with store.transaction(actor.organization_id) as transaction:
        return Assignments(transaction, actor.organization_id).all(project_id)


def export_assignments(store: Store, organization_id: str | None = None) -> list[AssignmentRow]:
    """List assignments as the warehouse takes them, of one organization or of all: for pipelines only."""
    with store.system() as transaction:
        return assignments.export(transaction, organization_id)
