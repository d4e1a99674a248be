"""The typed client: tokens kept fresh, errors of the domain, nothing of the application."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from domain.errors import AuthenticationRequired, RateLimited, Unreachable
from platform_api.auth.schemas import Session
from platform_api.auth.tokens import AccessTokens, load_key
from platform_api.client import ApiClient, _error


def test_the_client_loads_nothing_of_the_application():
    rooms = ("fastapi", "starlette", "sqlalchemy", "clickhouse_connect", "store", "services", "warehouse", "analyst")
    code = f"import sys, platform_api.client; print([m for m in {rooms} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_stale_access_token_is_renewed_unseen(served, agency):
    with ApiClient(served) as client:
        session = client.login(agency.users["admin"], "correct horse battery")
        me = client.me()
        key = load_key(None, agency.home.directory("keys") / "api_signing.pem")
        stale = AccessTokens(key, timedelta(minutes=15), now=lambda: datetime.now(UTC) - timedelta(hours=1)).issue(me.user_id, me.organization_id)
        client.session = session.model_copy(update={"access_token": stale})
        assert client.me() == me
        assert client.session.refresh_token != session.refresh_token
        client.session = Session(access_token=stale, expires_in=1, refresh_token="gone")
        with pytest.raises(AuthenticationRequired):
            client.me()
        assert client.session is None


def test_nobody_logged_in_is_an_error_of_the_domain(served):
    with ApiClient(served) as client, pytest.raises(AuthenticationRequired) as refused:
        client.me()
    assert refused.value.request_id


def test_an_api_that_is_not_there_is_unreachable():
    with ApiClient("http://127.0.0.1:9") as client, pytest.raises(Unreachable) as refused:
        client.me()
    assert "./run" in refused.value.fix


def test_a_proxys_page_is_not_taken_for_an_answer():
    error = _error(httpx.Response(502, html="<h1>Bad gateway</h1>"))
    assert isinstance(error, Unreachable)
    assert "502" in error.what


def test_errors_keep_their_kind_and_what_they_carry():
    problem = {"code": "rate_limited", "detail": "quota", "fix": "wait", "retry_after": 7.5}
    error = _error(httpx.Response(503, json=problem))
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.fix, error.what) == (7.5, "wait", "quota")


def test_a_session_ends_with_logout(served, agency):
    with ApiClient(served) as client:
        session = client.login(agency.users["member"], "correct horse battery")
        client.logout()
        with pytest.raises(AuthenticationRequired):
            client.resume(session.refresh_token)


def test_ready_says_what_is_ready(served):
    with ApiClient(served) as client:
        assert client.ready().ready
