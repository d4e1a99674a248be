"""The application: topics, errors and middleware put together."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from platform_api import problems, reference
from platform_api.alerts.router import router as alerts
from platform_api.analytics.etags import Answers, Cached
from platform_api.analytics.router import router as analytics
from platform_api.artifacts.router import router as artifacts
from platform_api.auth.router import router as auth
from platform_api.dependencies import Dependencies, Limits
from platform_api.health.router import router as health
from platform_api.integrations.router import router as integrations
from platform_api.limits import RateLimit
from platform_api.metering.requests import Requests
from platform_api.metering.router import router as metering
from platform_api.middleware import BodyLimit, RequestContext
from platform_api.projects.router import router as projects

PREFIX = "/api/v1"
VERSION = "1.0.0"
DESCRIPTION = """Advertising numbers, projects, artifacts and integrations of one organization.

Log in with `POST /api/v1/auth/login` and send `Authorization: Bearer <access_token>`. Every error is an RFC 9457 problem
(`application/problem+json`) with a stable `code`, a `fix`, and a `request_id`. Money is a decimal string with its currency beside it."""


class Mountable(Protocol):
    """An ASGI application with a lifespan of its own, such as the dashboards."""

    def lifespan(self) -> Callable[[Starlette], AbstractAsyncContextManager[Any]]:
        """Return what runs it with its parent application."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        ...


def create_app(dependencies: Dependencies, mounts: Mapping[str, "Mountable"] | None = None) -> FastAPI:
    """Build the application from its parts; `mounts` are served beside the API under their paths."""
    mounts = mounts or {}
    app = bare(_lifespan(mounts))
    settings = dependencies.settings
    app.state.dependencies = dependencies
    app.state.requests = Requests()
    app.state.limits = Limits(RateLimit(settings.login_attempts_per_minute, 60), RateLimit(settings.requests_per_minute, 60))
    app.state.cached = Cached(dependencies.data_state, Answers(settings.answer_cache_bytes))
    app.add_route("/", _leading_to(f"{next(iter(mounts))}/" if mounts else "/docs"), include_in_schema=False)
    for path, mounted in mounts.items():
        app.add_route(path, _leading_to(f"{path}/"), include_in_schema=False)
        app.mount(path, mounted)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, spared=tuple(mounts))
    app.add_middleware(RequestContext, mounted=tuple(mounts), seen=app.state.requests.seen)
    return app


def bare(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None) -> FastAPI:
    """Build the application without its parts: routes, documents and errors, enough to describe it."""
    app = FastAPI(
        title="MRM AI Platform",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    versioned = APIRouter(prefix=PREFIX)
    for topic in (auth, projects, artifacts, analytics, integrations, alerts):
        versioned.include_router(topic)
    app.include_router(versioned)
    app.include_router(health)
    app.include_router(metering)
    reference.install(app)
    problems.install(app)
    return app


def _leading_to(path: str) -> Callable[[Request], Awaitable[Response]]:
    """Answer a bare address with the one that is meant; the query goes along."""

    async def lead(request: Request) -> Response:
        query = request.url.query
        return RedirectResponse(f"{path}?{query}" if query else path, status_code=307)

    return lead


def _lifespan(mounts: Mapping[str, Mountable]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for mounted in mounts.values():
                await stack.enter_async_context(mounted.lifespan()(app))
            yield

    return run
