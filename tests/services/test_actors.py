"""Roles: what each permits, what a project role adds, and what a guest must not even know."""

import pytest

from domain.errors import AccessDenied, AuthenticationRequired, NotFound
from services.actors import GRANTS, Actor, Permission, ProjectRole, Role, actor_for, authorize
from services.organizations import add_member, create_user, get_organization, list_members
from services.projects import add_project_member, create_project, get_project, list_projects
from store.database import Store

ELSEWHERE = "00000000-0000-0000-0000-000000000000"


def test_each_role_permits_what_the_one_below_does() -> None:
    assert GRANTS[Role.GUEST] < GRANTS[Role.MEMBER] < GRANTS[Role.MANAGER] < GRANTS[Role.ADMIN] == set(Permission)


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        (Role.ADMIN, Permission.BILLING_MANAGE, True),
        (Role.MANAGER, Permission.BILLING_MANAGE, False),
        (Role.MANAGER, Permission.PROJECT_CREATE, True),
        (Role.MANAGER, Permission.ARTIFACT_PUBLISH, True),
        (Role.MEMBER, Permission.PROJECT_CREATE, False),
        (Role.MEMBER, Permission.ARTIFACT_UPDATE, True),
        (Role.MEMBER, Permission.ARTIFACT_PUBLISH, False),
        (Role.MEMBER, Permission.INTEGRATION_MANAGE, False),
        (Role.GUEST, Permission.ARTIFACT_CREATE, False),
        (Role.GUEST, Permission.INTEGRATION_READ, False),
    ],
)
def test_a_role_permits_or_refuses(role: Role, permission: Permission, allowed: bool) -> None:
    actor = Actor("u", "o", role)
    if allowed:
        authorize(actor, permission)
    else:
        with pytest.raises(AccessDenied, match=str(permission)):
            authorize(actor, permission)


def test_a_project_role_adds_rights_in_its_project_only() -> None:
    actor = Actor("u", "o", Role.MEMBER, {"p": ProjectRole.PM})
    authorize(actor, Permission.ARTIFACT_PUBLISH, "p")
    with pytest.raises(AccessDenied):
        authorize(actor, Permission.ARTIFACT_PUBLISH, "q")
    with pytest.raises(AccessDenied):
        authorize(actor, Permission.ARTIFACT_PUBLISH)


def test_to_a_guest_other_projects_do_not_exist(store: Store, ours) -> None:
    shown = create_project(store, ours.manager, name="shown")
    hidden = create_project(store, ours.manager, name="hidden")
    add_project_member(store, ours.manager, shown.id, ours.guest.user_id, ProjectRole.VIEWER)
    guest = actor_for(store, ours.guest.user_id)
    assert [p.name for p in list_projects(store, guest)] == ["shown"]
    assert get_project(store, guest, shown.id) == shown
    with pytest.raises(NotFound) as foreign:
        get_project(store, guest, hidden.id)
    with pytest.raises(NotFound) as absent:
        get_project(store, guest, ELSEWHERE)
    assert str(foreign.value) == str(absent.value)
    assert list_projects(store, ours.guest) == []


def test_roles_are_read_anew_so_that_a_change_counts_at_once(store: Store, ours, theirs) -> None:
    assert actor_for(store, ours.manager.user_id, ours.organization_id).role is Role.MANAGER
    for user, organization in [(ours.manager.user_id, theirs.organization_id), (ELSEWHERE, None)]:
        with pytest.raises(AuthenticationRequired):
            actor_for(store, user, organization)


def test_a_person_acts_in_each_organization_with_its_own_role(store: Store, ours, theirs) -> None:
    add_member(store, theirs.admin, "admin@ours", Role.GUEST)
    assert actor_for(store, ours.admin.user_id).organization_id == ours.organization_id
    assert actor_for(store, ours.admin.user_id, theirs.organization_id).role is Role.GUEST


def test_only_an_administrator_makes_administrators(store: Store, ours) -> None:
    create_user(store, "new@example.com", "long enough")
    with pytest.raises(AccessDenied):
        add_member(store, ours.manager, "new@example.com", Role.ADMIN)
    add_member(store, ours.manager, "NEW@example.com", Role.MEMBER)
    with pytest.raises(AccessDenied):
        list_members(store, ours.guest)


def test_a_team_shows_its_own_people_only(store: Store, ours, theirs) -> None:
    assert [(m.email, m.role) for m in list_members(store, ours.admin)] == [(f"{role}@ours", role) for role in Role]
    assert get_organization(store, ours.guest).slug == "ours"
