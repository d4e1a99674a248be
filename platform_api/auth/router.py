"""POST /auth/login, /auth/refresh-token, /auth/logout and GET /auth/me."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Request, Response

from platform_api.auth.schemas import LoginRequest, Me, RefreshRequest, Session
from platform_api.dependencies import Dependencies, Given, Limited, Person, errors
from platform_api.problems import unauthenticated
from services.organizations import get_organization, get_user
from services.sign_in import SignedIn, refresh, sign_in, sign_out

router = APIRouter(prefix="/auth", tags=["auth"])
COOKIE = "mrm_refresh"
COOKIE_PATH = "/api/v1/auth"
RefreshCookie = Annotated[str | None, Cookie(alias=COOKIE, max_length=512)]


@router.post("/login", responses=errors(401))
def log_in(asked: LoginRequest, request: Request, response: Response, given: Given, limits: Limited) -> Session:
    """Trade an e-mail address and password for an access token and a refresh token.

    The refresh token comes in an HttpOnly cookie, and in the body for clients without cookies.
    """
    limits.logins.hit(f"address {request.client.host if request.client else ''}", f"email {asked.email.strip().lower()}")
    return _session(sign_in(given.store, asked.email, asked.password), response, given)


@router.post("/refresh-token", responses=errors(401))
def refresh_token(response: Response, given: Given, asked: RefreshRequest | None = None, cookie: RefreshCookie = None) -> Session:
    """Trade a refresh token, from the body or the cookie, for the next pair; a second use of one ends all its family."""
    token = (asked.refresh_token if asked else None) or cookie
    if not token:
        raise unauthenticated()
    return _session(refresh(given.store, token), response, given)


@router.post("/logout", status_code=204, responses=errors())
def log_out(response: Response, given: Given, asked: RefreshRequest | None = None, cookie: RefreshCookie = None) -> None:
    """End the session of a refresh token, from the body or the cookie; harmless without one."""
    token = (asked.refresh_token if asked else None) or cookie
    if token:
        sign_out(given.store, token)
    response.delete_cookie(COOKIE, path=COOKIE_PATH, secure=True, httponly=True, samesite="strict")


@router.get("/me", responses=errors(401))
def me(person: Person, given: Given) -> Me:
    """Say who is logged in, in which organization, and what they may do there."""
    user = get_user(given.store, person.user_id or "")
    organization = get_organization(given.store, person)
    return Me(
        user_id=user.id,
        email=user.email,
        name=user.name or "",
        organization_id=organization.id,
        organization_name=organization.name,
        role=person.role,
        permissions=sorted(person.permissions),
    )


def _session(signed_in: SignedIn, response: Response, given: Dependencies) -> Session:
    response.set_cookie(
        COOKIE,
        signed_in.refresh_token,
        max_age=int(signed_in.refresh_lifetime.total_seconds()),
        path=COOKIE_PATH,
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return Session(
        access_token=given.tokens.issue(signed_in.user.id, signed_in.organization_id),
        expires_in=int(given.tokens.lifetime.total_seconds()),
        refresh_token=signed_in.refresh_token,
    )
