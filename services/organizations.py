"""Organizations, people and teams."""

import re
from dataclasses import dataclass
from datetime import datetime

from domain.errors import AccessDenied, UsageError
from domain.money import is_currency
from services.actors import Actor, Permission, Role, authorize
from services.passwords import hash_password
from store.database import Store
from store.people import People, Team
from store.records import Organization, User, identifier, missing


@dataclass(frozen=True)
class TeamMember:
    """A person of the team, with what others may know of them."""

    user_id: str
    email: str
    name: str | None
    role: Role
    joined_at: datetime


def create_user(store: Store, email: str, password: str, name: str | None = None) -> User:
    """Register a person; raises UsageError for a malformed address or password, Conflict for a known address."""
    email = email.strip()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email) or len(email) > 255:
        raise UsageError(f"{email!r} is no e-mail address", fix="Give one like name@example.com")
    hashed = hash_password(password)
    with store.system() as transaction:
        return People(transaction).add_user(email, hashed, name)


def create_organization(store: Store, name: str, owner_id: str, slug: str | None = None) -> Organization:
    """Make an organization with a person as its administrator; raises Conflict for a taken short name, NotFound for an unknown person."""
    owner_id = identifier("user", owner_id)
    slug = slug or slug_of(name)
    with store.system() as transaction:
        people = People(transaction)
        if people.user(owner_id) is None:
            raise missing("user")
        organization = people.add_organization(name, slug)
        team = Team(transaction, organization.id)
        team.add(owner_id, Role.ADMIN, None)
        team.record(owner_id, "organization.create", organization.id)
    return organization


def get_organization(store: Store, actor: Actor) -> Organization:
    """Return the actor's organization."""
    with store.transaction(actor.organization_id) as transaction:
        found = Team(transaction, actor.organization_id).organization()
    if found is None:
        raise missing("organization")
    return found


def base_currency(store: Store, actor: Actor) -> str:
    """Return the currency that the organization counts in (ISO 4217), empty where none is set."""
    with store.transaction(actor.organization_id) as transaction:
        return Team(transaction, actor.organization_id).setting("base_currency")


def set_base_currency(store: Store, actor: Actor, currency: str) -> str:
    """Set the currency that the organization counts in, and return it. Raises UsageError for what is none, AccessDenied."""
    authorize(actor, Permission.TEAM_MANAGE)
    code = currency.upper()
    if not is_currency(code):
        raise UsageError(f"{currency!r} is no currency", fix="Give an ISO 4217 code such as EUR")
    with store.transaction(actor.organization_id) as transaction:
        team = Team(transaction, actor.organization_id)
        team.set_setting("base_currency", code)
        team.record(actor.user_id, "organization.currency", actor.organization_id, currency=code)
    return code


def get_user(store: Store, user_id: str) -> User:
    """Return a person; for their own sight only. Raises NotFound."""
    with store.system() as transaction:
        found = People(transaction).user(identifier("user", user_id))
    if found is None:
        raise missing("user")
    return found


def list_organizations(store: Store) -> list[Organization]:
    """List every organization of the installation: for pipelines and the command line, never for a request."""
    with store.system() as transaction:
        return People(transaction).organizations()


def add_member(store: Store, actor: Actor, email: str, role: Role) -> TeamMember:
    """Take a registered person into the organization.

    Raises NotFound for an unknown address, Conflict for a member, AccessDenied for a role above the actor's own.
    """
    authorize(actor, Permission.TEAM_INVITE)
    if role is Role.ADMIN and actor.role is not Role.ADMIN:
        raise AccessDenied("Only an administrator makes administrators", fix="Give a lower role, or ask an administrator")
    with store.system() as transaction:
        found = People(transaction).user_with_password(email.strip())
    if found is None:
        raise missing("user")
    with store.transaction(actor.organization_id) as transaction:
        team = Team(transaction, actor.organization_id)
        member = team.add(found[0].id, role, actor.user_id)
        team.record(actor.user_id, "team.invite", found[0].id, role=role)
    return TeamMember(member.user_id, found[0].email, found[0].name, Role(member.role), member.joined_at)


def list_members(store: Store, actor: Actor) -> list[TeamMember]:
    """List the organization's people, first joined first."""
    authorize(actor, Permission.TEAM_INVITE)
    with store.transaction(actor.organization_id) as transaction:
        return [TeamMember(m.user_id, email, name, Role(m.role), m.joined_at) for m, email, name in Team(transaction, actor.organization_id).members()]


def slug_of(name: str) -> str:
    """Make a short name for addresses: lower case, digits, hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:100] or "organization"
