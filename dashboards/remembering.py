"""Staying logged in over a reload: a cookie that scripts cannot read names a session that this process keeps.

Streamlit's script cannot set a cookie, so a login leaves a ticket, good once and for a minute; the page sends it to the route
`session`, whose answer sets the cookie.
"""

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from platform_api.client import ApiClient

COOKIE = "mrm_dashboards"
_TICKET_SECONDS = 60.0
_SESSION_SECONDS = 12 * 3600.0


class Remembered:
    """Logged-in clients by the hash of their cookie; the oldest make place for new ones. Thread-safe."""

    def __init__(self, most: int = 1000, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._lock = threading.Lock()
        self._tickets: OrderedDict[str, tuple[ApiClient, float]] = OrderedDict()
        self._clients: OrderedDict[str, tuple[ApiClient, float]] = OrderedDict()

    def ticket(self, client: ApiClient) -> str:
        """Make a ticket that is good once, within a minute."""
        return self._add(self._tickets, client, _TICKET_SECONDS)

    def redeem(self, ticket: str) -> str | None:
        """Trade a ticket for the cookie's value, None for one that is not good."""
        client = self._find(self._tickets, ticket)
        self._drop(self._tickets, ticket)
        return self._add(self._clients, client, _SESSION_SECONDS) if client else None

    def client(self, cookie: str) -> ApiClient | None:
        """Return the client that a cookie names, None where there is none that is still logged in."""
        client = self._find(self._clients, cookie)
        return client if client is not None and client.session is not None else None

    def _add(self, kept: OrderedDict[str, tuple[ApiClient, float]], client: ApiClient, seconds: float) -> str:
        value = secrets.token_urlsafe(32)
        with self._lock:
            kept[_hash(value)] = (client, self._now() + seconds)
            while len(kept) > self._most:
                kept.popitem(last=False)
        return value

    def _find(self, kept: OrderedDict[str, tuple[ApiClient, float]], value: str) -> ApiClient | None:
        with self._lock:
            client, until = kept.get(_hash(value), (None, 0.0))
        return client if self._now() < until else None

    def _drop(self, kept: OrderedDict[str, tuple[ApiClient, float]], value: str) -> None:
        with self._lock:
            kept.pop(_hash(value), None)


REMEMBERED = Remembered()
"""One for the process: the script and the route, which Streamlit runs apart, both reach it."""


def route(remembered: Remembered = REMEMBERED) -> Route:
    """Return the route that trades a ticket, sent as the body, for the cookie."""

    async def trade(request: Request) -> Response:
        ticket = (await request.body())[:200].decode(errors="replace")
        value = remembered.redeem(ticket)
        if value is None:
            return Response(status_code=403)
        answer = Response(status_code=204)
        path = request.scope.get("root_path", "") or "/"
        answer.set_cookie(COOKIE, value, max_age=int(_SESSION_SECONDS), path=path, secure=True, httponly=True, samesite="strict")
        return answer

    return Route("/session", trade, methods=["POST"])


def script(ticket: str) -> str:
    """Return the page's script that sends a ticket."""
    return f"<script>fetch('./session', {{method: 'POST', body: '{ticket}', credentials: 'same-origin'}})</script>"


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
