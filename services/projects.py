"""Projects: made, found and changed by those whose roles permit it."""

from datetime import date
from decimal import Decimal
from typing import Any

from domain.errors import UsageError
from services.actors import Actor, Permission, ProjectRole, authorize
from store.database import Store
from store.people import Team
from store.projects import Projects
from store.records import PAGE, After, Project, identifier

CHANGEABLE = frozenset({"name", "description", "client_name", "status", "start_date", "end_date", "budget", "currency"})


def create_project(
    store: Store,
    actor: Actor,
    *,
    name: str,
    client_name: str | None = None,
    description: str | None = None,
    start_date: date | None = None,
    end_date: date | None = None,
    budget: Decimal | None = None,
    currency: str | None = None,
) -> Project:
    """Make a project; raises UsageError for a budget without a currency and for dates the wrong way round."""
    authorize(actor, Permission.PROJECT_CREATE)
    values: dict[str, Any] = {"name": name, "client_name": client_name, "description": description, "start_date": start_date, "end_date": end_date}
    values |= {"budget": budget, "currency": currency, "created_by": actor.user_id}
    _check(values)
    with store.transaction(actor.organization_id) as transaction:
        project = Projects(transaction, actor.organization_id).add(values)
        Team(transaction, actor.organization_id).record(actor.user_id, "project.create", project.id)
    return project


def get_project(store: Store, actor: Actor, project_id: str) -> Project:
    """Return a project; a foreign one answers NotFound like a nonexistent one."""
    project_id = identifier("project", project_id)
    authorize(actor, Permission.PROJECT_READ, project_id)
    with store.transaction(actor.organization_id) as transaction:
        return Projects(transaction, actor.organization_id).get(project_id)


def list_projects(store: Store, actor: Actor, *, limit: int = PAGE, after: After | None = None, status: str | None = None) -> list[Project]:
    """List the projects that the actor may see, newest first, from `after` on; at most 200 at a time."""
    authorize(actor, Permission.PROJECT_READ)
    only = None if actor.sees_all_projects else list(actor.project_roles)
    with store.transaction(actor.organization_id) as transaction:
        return Projects(transaction, actor.organization_id).page(limit=limit, after=after, only=only, status=status)


def update_project(store: Store, actor: Actor, project_id: str, **changes: Any) -> Project:  # noqa: ANN401
    """Change a project's fields (`CHANGEABLE`); raises NotFound, AccessDenied, or UsageError."""
    project_id = identifier("project", project_id)
    authorize(actor, Permission.PROJECT_UPDATE, project_id)
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise UsageError(f"A project's {', '.join(sorted(unknown))} cannot be changed", fix=f"Change {', '.join(sorted(CHANGEABLE))}")
    with store.transaction(actor.organization_id) as transaction:
        projects = Projects(transaction, actor.organization_id)
        now = projects.get(project_id)
        _check({**{name: getattr(now, name) for name in CHANGEABLE}, **changes})
        project = projects.change(project_id, changes)
        Team(transaction, actor.organization_id).record(actor.user_id, "project.update", project.id, fields=", ".join(sorted(changes)))
    return project


def add_project_member(store: Store, actor: Actor, project_id: str, user_id: str, role: ProjectRole) -> None:
    """Give a member of the organization a role in a project; raises NotFound, or Conflict for one who has a role."""
    project_id = identifier("project", project_id)
    authorize(actor, Permission.TEAM_INVITE, project_id)
    with store.transaction(actor.organization_id) as transaction:
        projects = Projects(transaction, actor.organization_id)
        projects.get(project_id)
        projects.add_member(project_id, identifier("user", user_id), role)


def _check(values: dict[str, Any]) -> None:
    if not (values.get("name") or "").strip():
        raise UsageError("A project needs a name", fix="Give one")
    if values.get("budget") is not None and not values.get("currency"):
        raise UsageError("A budget needs its currency", fix="Give an ISO 4217 code such as RUB beside it")
    start, end = values.get("start_date"), values.get("end_date")
    if start and end and start > end:
        raise UsageError(f"The project would end on {end}, before it starts on {start}", fix="Swap the dates")
