"""An organization to be told."""

import pytest

from services.actors import Actor, system_actor
from services.organizations import create_organization
from store.database import Store
from store.people import People


@pytest.fixture
def actor(store: Store) -> Actor:
    """The system, acting for a fresh organization."""
    with store.system() as transaction:
        person = People(transaction).add_user("watch@example.com", None, "Watch").id
    return system_actor(create_organization(store, "watched", person).id)
