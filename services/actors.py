"""Who acts, in which organization, and what their roles permit: the one place where that is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.errors import AccessDenied, AuthenticationRequired
from store.database import Store
from store.people import People
from store.records import identifier, missing


class Role(StrEnum):
    """A person's role in an organization."""

    ADMIN = "admin"
    MANAGER = "manager"
    MEMBER = "member"
    GUEST = "guest"


class ProjectRole(StrEnum):
    """A person's role in a project, which adds to the organization's role there."""

    PM = "pm"
    STRATEGIST = "strategist"
    MEDIA_BUYER = "media_buyer"
    ANALYST = "analyst"
    CREATIVE = "creative"
    VIEWER = "viewer"


class Permission(StrEnum):
    """What can be permitted."""

    PROJECT_CREATE = "project.create"
    PROJECT_READ = "project.read"
    PROJECT_UPDATE = "project.update"
    PROJECT_DELETE = "project.delete"
    ARTIFACT_CREATE = "artifact.create"
    ARTIFACT_READ = "artifact.read"
    ARTIFACT_UPDATE = "artifact.update"
    ARTIFACT_PUBLISH = "artifact.publish"
    INTEGRATION_READ = "integration.read"
    INTEGRATION_SYNC = "integration.sync"
    INTEGRATION_MANAGE = "integration.manage"
    TEAM_INVITE = "team.invite"
    TEAM_MANAGE = "team.manage"
    BILLING_VIEW = "billing.view"
    BILLING_MANAGE = "billing.manage"


P = Permission
_READ = frozenset({P.PROJECT_READ, P.ARTIFACT_READ})
_WRITE = _READ | {P.ARTIFACT_CREATE, P.ARTIFACT_UPDATE}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: frozenset(Permission) - {P.PROJECT_DELETE, P.TEAM_MANAGE, P.BILLING_MANAGE},
    Role.MEMBER: _WRITE | {P.INTEGRATION_READ, P.INTEGRATION_SYNC},
    Role.GUEST: _READ,
}
"""By organization role. A guest's permissions hold in the projects that the guest is a member of, nowhere else."""

PROJECT_GRANTS: Mapping[ProjectRole, frozenset[Permission]] = {
    ProjectRole.PM: _WRITE | {P.PROJECT_UPDATE, P.ARTIFACT_PUBLISH, P.TEAM_INVITE},
    ProjectRole.STRATEGIST: _WRITE,
    ProjectRole.MEDIA_BUYER: _WRITE,
    ProjectRole.ANALYST: _WRITE,
    ProjectRole.CREATIVE: _WRITE,
    ProjectRole.VIEWER: _READ,
}
"""By project role, within that project only."""


@dataclass(frozen=True)
class Actor:
    """A person in an organization, or the system itself (no user) on the organization's behalf."""

    user_id: str | None
    organization_id: str
    role: Role
    project_roles: Mapping[str, ProjectRole] = field(default_factory=dict)

    @property
    def sees_all_projects(self) -> bool:
        """Tell whether every project of the organization is open; a guest sees only those of which they are a member."""
        return self.role is not Role.GUEST

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return what the organization role permits."""
        return GRANTS[self.role]

    def may(self, permission: Permission, project_id: str | None = None) -> bool:
        """Tell whether the actor may do something, in a project where one is named."""
        role = self.project_roles.get(project_id or "")
        if role is not None and permission in PROJECT_GRANTS[role]:
            return True
        return permission in GRANTS[self.role] and (self.sees_all_projects or project_id is None or role is not None)


def authorize(actor: Actor, permission: Permission, project_id: str | None = None) -> None:
    """Return when the actor may; raises NotFound where the project must stay unknown to them, AccessDenied otherwise."""
    if actor.may(permission, project_id):
        return
    if project_id is not None and not actor.may(Permission.PROJECT_READ, project_id):
        raise missing("project")
    raise AccessDenied(
        f"The role {actor.role} does not permit {permission}",
        fix=f"Ask an administrator; roles that do: {', '.join(role for role, granted in GRANTS.items() if permission in granted)}",
    )


def actor_for(store: Store, user_id: str, organization_id: str | None = None) -> Actor:
    """Return a person as an actor of an organization (by default the one joined first), its roles read now.

    Raises AuthenticationRequired for a person who is unknown, or no (longer a) member.
    """
    with store.system() as transaction:
        people = People(transaction)
        memberships = people.memberships(identifier("user", user_id))
        chosen = next((m for m in memberships if organization_id in (None, m.organization_id)), None)
        if chosen is None:
            raise AuthenticationRequired("You are not a member of this organization", fix="Log in again, or ask an administrator to invite you")
        roles = people.project_roles(chosen.organization_id, chosen.user_id)
    return Actor(chosen.user_id, chosen.organization_id, Role(chosen.role), {project: ProjectRole(role) for project, role in roles.items()})


def system_actor(organization_id: str) -> Actor:
    """Return the system as an actor of an organization: pipelines and the command line, which answer to the machine's owner."""
    return Actor(None, organization_id, Role.ADMIN)
