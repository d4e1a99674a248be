"""Signing in and staying signed in: passwords, and refresh tokens that are good once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import AuthenticationRequired
from services.passwords import verify_password
from store.database import Store
from store.people import People
from store.records import User
from store.sessions import Sessions

LIFETIME = timedelta(days=30)


@dataclass(frozen=True)
class SignedIn:
    """A person who proved who they are; the refresh token is opaque, 256 bits, shown once."""

    user: User
    organization_id: str
    refresh_token: str
    refresh_lifetime: timedelta


def sign_in(store: Store, email: str, password: str, *, lifetime: timedelta = LIFETIME) -> SignedIn:
    """Check e-mail address and password, and open a session in the organization joined first.

    Raises AuthenticationRequired, alike for an unknown address, a wrong password, and a person without an organization.
    """
    with store.system() as transaction:
        found = People(transaction).user_with_password(email.strip())
    right, renewed = verify_password(password, found[1] if found else None)
    if not right or found is None:
        raise _refused()
    with store.system() as transaction:
        people = People(transaction)
        if renewed is not None:
            people.set_password(found[0].id, renewed)
        people.logged_in(found[0].id)
        memberships = people.memberships(found[0].id)
        if not memberships:
            raise _refused()
        token = secrets.token_urlsafe(32)
        Sessions(transaction).add(found[0].id, _sha256(token), lifetime)
    return SignedIn(found[0], memberships[0].organization_id, token, lifetime)


def refresh(store: Store, token: str, *, lifetime: timedelta = LIFETIME) -> SignedIn:
    """Take a refresh token and give the next one of its family; of parallel calls one succeeds.

    Raises AuthenticationRequired for a token that is not good. One that had been used before was stolen or is: its family ends.
    """
    sha256 = _sha256(token)
    with store.system() as transaction:
        sessions, people = Sessions(transaction), People(transaction)
        used = sessions.use(sha256)
        user = people.user(used[0]) if used else None
        memberships = people.memberships(user.id) if user else []
        if used is None:
            sessions.revoke_family(sha256, only_if_used=True)
        elif user is not None and memberships:
            following = secrets.token_urlsafe(32)
            sessions.add(user.id, _sha256(following), lifetime, used[1])
            return SignedIn(user, memberships[0].organization_id, following, lifetime)
    raise AuthenticationRequired("The session has ended", fix="Log in again")


def sign_out(store: Store, token: str) -> None:
    """End the session of a refresh token, all its family; an unknown one is nothing to complain about."""
    with store.system() as transaction:
        Sessions(transaction).revoke_family(_sha256(token), only_if_used=False)


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _refused() -> AuthenticationRequired:
    return AuthenticationRequired("The e-mail address or the password is wrong", fix="Check both; ./run status shows the demo's login")
