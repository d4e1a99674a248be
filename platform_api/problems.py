"""Errors on the wire: RFC 9457 problem documents for every error, whoever raised it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from domain.errors import AuthenticationRequired, MrmError, PartialResult, RateLimited, TooManyRequests, UnknownName

MEDIA_TYPE = "application/problem+json"

_HTTP_CODES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "Send well-formed JSON with the content type application/json"),
    401: ("authentication_required", "Log in again"),
    404: ("not_found", "Check the address; the paths stand in /api/v1/openapi.json"),
    405: ("method_not_allowed", "Use a method that the Allow header names"),
    406: ("not_acceptable", "Accept application/json"),
    413: ("content_too_large", "Send a smaller body"),
    415: ("unsupported_media_type", "Send application/json"),
}


class FieldProblem(BaseModel):
    """One field of the request that cannot be taken."""

    location: str
    """Where it stands, e.g. `query.since` or `body.name`."""
    message: str


class Problem(BaseModel):
    """An RFC 9457 problem: what happened, why, and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    why: str = ""
    fix: str = ""
    request_id: str = ""
    nearest: list[str] = []
    """For unknown names: the nearest known ones."""
    errors: list[FieldProblem] = []
    """For requests that break the schema: each field."""
    retry_after: float | None = None
    """Seconds to wait before the next try."""


def request_id(scope: Scope) -> str:
    """Return the id that the context middleware gave the request, empty outside of it."""
    found: str = scope.get("state", {}).get("request_id", "")
    return found


def answer(scope: Scope, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:  # noqa: ANN401
    """Build the problem document of a request as a response."""
    problem = Problem(
        type=f"urn:mrm:problem:{code}",
        title=HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error",
        status=status,
        detail=detail,
        instance=scope.get("root_path", "") + scope["path"] if not scope["path"].startswith(scope.get("root_path", "")) else scope["path"],
        code=code,
        request_id=request_id(scope),
        **more,
    )
    sent = dict(headers or {})
    if problem.retry_after is not None:
        sent["Retry-After"] = str(max(1, round(problem.retry_after)))
    if status == 401:
        sent.setdefault("WWW-Authenticate", 'Bearer realm="mrm"')
    return JSONResponse(problem.model_dump(exclude_defaults=True), status_code=status, headers=sent, media_type=MEDIA_TYPE)


def of_error(scope: Scope, error: MrmError) -> JSONResponse:
    """Turn an error of the domain into its problem; a partial result and odd statuses become 502."""
    status = error.status if error.status >= 400 else 502
    more: dict[str, Any] = {"why": error.why, "fix": error.fix}
    if isinstance(error, RateLimited | TooManyRequests):
        more["retry_after"] = error.retry_after
    if isinstance(error, UnknownName):
        more["nearest"] = error.nearest
    if isinstance(error, PartialResult):
        more["errors"] = [FieldProblem(location="source", message=str(f)) for f in error.failures]
    return answer(scope, status, error.code, error.what, **more)


def of_validation(scope: Scope, errors: Sequence[Any]) -> JSONResponse:
    """Turn a request that breaks the schema into a problem that names each field; the values sent are not repeated."""
    fields = [FieldProblem(location=".".join(str(part) for part in e["loc"]), message=e["msg"]) for e in errors]
    detail = "; ".join(f"{f.location}: {f.message}" for f in fields[:5]) or "The request breaks the schema"
    return answer(scope, 422, "invalid_request", detail, fix="Correct the named fields; the schema stands in /api/v1/openapi.json", errors=fields)


def of_http(scope: Scope, error: HTTPException) -> JSONResponse:
    """Turn the framework's own refusals (404, 405, 413, malformed bodies) into problems."""
    code, fix = _HTTP_CODES.get(error.status_code, ("http_error", ""))
    phrase = HTTPStatus(error.status_code).phrase
    detail = f"{scope['method']} {scope['path']}: {error.detail or phrase}"
    return answer(scope, error.status_code, code, detail, headers=error.headers, fix=fix)


def of_fault(scope: Scope) -> JSONResponse:
    """Answer an unforeseen fault without telling anything of its inside; the log holds the rest under the request id."""
    return answer(scope, 500, "internal_error", "The server met an unforeseen fault", fix="Try again; if it stays, look the request_id up in the API's log")


def install(app: FastAPI) -> None:
    """Register the handlers, so that no error leaves the application in another shape."""

    def domain_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, MrmError)
        return of_error(request.scope, error)

    def validation_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return of_validation(request.scope, error.errors())

    def http_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return of_http(request.scope, error)

    app.add_exception_handler(MrmError, domain_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(HTTPException, http_error)


def unauthenticated() -> AuthenticationRequired:
    """Return the one answer for a missing, expired, forged or misused token, so that nobody learns which it was."""
    return AuthenticationRequired(
        "The request carries no access token that is good", fix="Log in with POST /api/v1/auth/login and send Authorization: Bearer <token>"
    )
