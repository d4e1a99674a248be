"""Two organizations with their people, for the use cases' tests."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from services.actors import Actor, Role, actor_for
from services.organizations import add_member, create_organization
from store.database import Store
from store.people import People


@dataclass(frozen=True)
class Agency:
    """An organization and an actor for each of its roles."""

    organization_id: str
    admin: Actor
    manager: Actor
    member: Actor
    guest: Actor


@pytest.fixture
def person(store: Store) -> Callable[[str], str]:
    """Register a person without a password, and return the id."""

    def register(email: str) -> str:
        with store.system() as transaction:
            return People(transaction).add_user(email, None, email.split("@")[0]).id

    return register


@pytest.fixture
def agency(store: Store, person: Callable[[str], str]) -> Callable[[str], Agency]:
    """Make an organization with a person for each role."""

    def make(name: str) -> Agency:
        organization = create_organization(store, name, person(f"admin@{name}"))
        with store.system() as transaction:
            found = People(transaction).user_with_password(f"admin@{name}")
        assert found is not None
        admin = actor_for(store, found[0].id, organization.id)
        actors = {}
        for role in (Role.MANAGER, Role.MEMBER, Role.GUEST):
            user_id = person(f"{role}@{name}")
            add_member(store, admin, f"{role}@{name}", role)
            actors[str(role)] = actor_for(store, user_id, organization.id)
        return Agency(organization.id, admin, **actors)

    return make


@pytest.fixture
def ours(agency: Callable[[str], Agency]) -> Agency:
    """The organization that a test works in."""
    return agency("ours")


@pytest.fixture
def theirs(agency: Callable[[str], Agency]) -> Agency:
    """Another organization, whose things must stay unknown."""
    return agency("theirs")
