"""What the application is made of, and how a request gets at it: the parts, and the person who asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from analyst.door import Door
from domain.clock import Clock
from platform_api.analytics.etags import Cached, DataState
from platform_api.analytics.schemas import MetricsCatalogue, NewReport, WrittenReport
from platform_api.auth.tokens import AccessTokens
from platform_api.cursors import Cursors
from platform_api.limits import RateLimit
from platform_api.problems import unauthenticated
from platform_api.settings import ApiSettings
from services.actors import Actor, actor_for
from store.database import Store
from store.records import Project
from warehouse.last_day import LastDay


@dataclass(frozen=True)
class Dependencies:
    """The parts, built in the composition root."""

    store: Store
    door: Door
    catalogue: MetricsCatalogue
    data_state: Callable[[], DataState]
    """Which data the next answer would be of; asks no metric."""
    warehouse_ready: Callable[[], object]
    """Returns when ClickHouse answers, raises an MrmError otherwise."""
    clock: Callable[[], Clock]
    """The home's clock as it stands now: a later --today moves it on under a running server."""
    write_report: Callable[[Actor, Project, NewReport], WrittenReport]
    daemon_runs: Callable[[], bool]
    last_day: Callable[[], LastDay]
    """What was committed in the last day, and the build that answers."""
    tokens: AccessTokens
    cursors: Cursors
    settings: ApiSettings


@dataclass(frozen=True)
class Limits:
    """The rate limits of one application."""

    logins: RateLimit
    requests: RateLimit


def _given(request: Request) -> Dependencies:
    found: Dependencies = request.app.state.dependencies
    return found


def _limits(request: Request) -> Limits:
    found: Limits = request.app.state.limits
    return found


def _cached(request: Request) -> Cached:
    found: Cached = request.app.state.cached
    return found


Remembered = Annotated[Cached, Depends(_cached)]
Given = Annotated[Dependencies, Depends(_given)]
Limited = Annotated[Limits, Depends(_limits)]
_bearer = HTTPBearer(auto_error=False, description="The access token that POST /api/v1/auth/login gives")


def _actor(given: Given, limits: Limited, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Actor:
    """Read who asks from the access token, and their roles from the store, now."""
    if bearer is None:
        raise unauthenticated()
    claims = given.tokens.read(bearer.credentials)
    limits.requests.hit(claims.user_id)
    return actor_for(given.store, claims.user_id, claims.organization_id)


Person = Annotated[Actor, Depends(_actor)]
"""The person who asks; a request without a good access token ends with 401 before the endpoint runs."""

ERRORS: Mapping[int, str] = {
    401: "No access token that is good",
    403: "The person's roles do not permit it",
    404: "No such thing, or not for this person",
    409: "The thing changed meanwhile, or exists already",
    413: "The body is too large",
    422: "The request cannot be carried out as asked",
    429: "Asked too often",
    500: "An unforeseen fault",
    503: "A database does not answer",
}
"""The problems that an endpoint may answer with."""


def errors(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Document the problems of an endpoint; those that any endpoint may give are included."""
    return {status: {"description": ERRORS[status]} for status in sorted({*statuses, 422, 429, 500, 503})}
