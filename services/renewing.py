"""Tokens renew by themselves: before a pull, a token that soon ends is exchanged, and the new one sealed in its place."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from connectors import renewal
from domain.clock import Clock
from domain.errors import AuthorizationExpired, SourceError
from services.actors import system_actor
from services.integrations import RENEWED_FROM, IntegrationAccess, keep_fresh_credential
from store.database import Store

T = TypeVar("T")


def renewing(store: Store, access: IntegrationAccess, clock: Clock, pull: Callable[[IntegrationAccess], T]) -> T:
    """Return what `pull` does with a fresh token; when the platform refuses it all the same, or on the way, renew and pull once more.

    Raises what `pull` raises, AuthorizationExpired where no renewal helps, and where a person has entered another login meanwhile: a
    pull by that waits for who pulls by it.
    """
    access = _renewed(store, access, clock)
    try:
        result = pull(access)
    except AuthorizationExpired:
        renewed = _renewed(store, access, clock, force=True)
        if renewed is access:
            raise
        return pull(renewed)
    if not _ended_on_the_way(result):
        return result
    with suppress(SourceError):  # what the first pull brought is told all the same
        renewed = _renewed(store, access, clock, force=True)
        return result if renewed is access else pull(renewed)
    return result


def _renewed(store: Store, access: IntegrationAccess, clock: Clock, *, force: bool = False) -> IntegrationAccess:
    renewed = with_fresh_token(store, access, clock, force=force)
    if renewed.login != access.login:
        raise AuthorizationExpired(
            "another login was entered during the pull", platform=access.platform, fix="Sync again: ./run sync; a daemon does at its next look"
        )
    return renewed


def _ended_on_the_way(result: object) -> bool:
    """Tell whether the platform refused a token that it had taken at first: from some point of the pull on it refused everything."""
    errors = [outcome.error for outcome in getattr(result, "outcomes", ())]
    first = next((n for n, error in enumerate(errors) if isinstance(error, AuthorizationExpired)), len(errors))
    return first < len(errors) and all(isinstance(error, AuthorizationExpired) for error in errors[first:])


def with_fresh_token(store: Store, access: IntegrationAccess, clock: Clock, *, force: bool = False) -> IntegrationAccess:
    """Return the integration with a token that is good for a while; a renewed one is sealed before it is used.

    `force` renews whatever its end, after the platform refused it. What cannot be renewed comes back as it is; what a person
    entered since it was opened goes before what was renewed. Raises AuthorizationExpired when the refresh token is refused.
    """
    renewed = fresh(access, clock, force=force)
    if renewed is access:
        return access
    return replace(access, credentials=keep_fresh_credential(store, system_actor(access.organization_id), access, renewed.credentials))


def fresh(access: IntegrationAccess, clock: Clock, *, force: bool = False) -> IntegrationAccess:
    """Return the integration with a renewed token where one is due, sealed nowhere yet."""
    changed = renewal.renewed(access.platform, access.credentials, access.settings, clock.now(), force=force)
    return replace(access, credentials={**access.credentials, **changed, RENEWED_FROM: access.login}) if changed else access
