"""Pure ASGI middleware: request ids, access log, body limit, security headers. None of it touches streams or contexts."""

import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from platform_api import problems

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_EVERYWHERE: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_API_ONLY: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_BROWSER_ONLY: Mapping[str, str] = {"Content-Security-Policy": "frame-ancestors 'self'", "X-Frame-Options": "SAMEORIGIN"}


class RequestContext:
    """Give each request an id, log it once without query, body or headers, and answer unforeseen faults with a problem."""

    def __init__(self, app: ASGIApp, mounted: tuple[str, ...] = (), seen: Callable[[str, str, int, float], None] = lambda *_: None) -> None:
        self._app = app
        self._seen = seen
        self._mounted = mounted
        self._log = structlog.get_logger("platform_api.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        scope.setdefault("state", {})["request_id"] = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        started = time.perf_counter()
        status = 0

        async def remember(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _decorate(scope, MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, remember)
        except Exception as error:
            self._log.exception("fault", request_id=problems.request_id(scope), fault=type(error).__name__)
            if status:
                raise
            await problems.of_fault(scope)(scope, receive, remember)
        finally:
            if not _below(scope["path"], self._mounted):
                seconds = time.perf_counter() - started
                self._seen(scope["method"], _template(scope), status, seconds)
                self._log.info(
                    "request",
                    request_id=problems.request_id(scope),
                    method=scope["method"],
                    route=_template(scope),
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                )


class BodyLimit:
    """Refuse request bodies over a number of bytes with 413, announced or not; mounted applications have limits of their own."""

    def __init__(self, app: ASGIApp, max_bytes: int, spared: tuple[str, ...] = ()) -> None:
        self._app = app
        self._spared = spared
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or _below(scope["path"], self._spared):
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        too_large = HTTPException(413, f"the body may hold at most {self._max_bytes} bytes")
        if announced.isdigit() and int(announced) > self._max_bytes:
            await problems.of_http(scope, too_large)(scope, receive, send)
            return
        size = 0

        async def count() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max_bytes:
                raise too_large
            return message

        await self._app(scope, count, send)


def _decorate(scope: Scope, headers: MutableHeaders) -> None:
    headers["X-Request-ID"] = problems.request_id(scope)
    for name, value in (*_EVERYWHERE.items(), *(_API_ONLY if scope["path"].startswith("/api/") else _BROWSER_ONLY).items()):
        headers.setdefault(name, value)


def _template(scope: Scope) -> str:
    """Name the route by its template, so that ids stay out of the log's labels."""
    route = scope.get("route")
    template: str = getattr(route, "path_format", None) or getattr(route, "path", None) or "(unmatched)"
    return template


def _below(path: str, prefixes: Iterable[str]) -> bool:
    return any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes)
