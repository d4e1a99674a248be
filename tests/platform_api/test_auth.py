"""Logging in and staying logged in."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.errors import AuthenticationRequired, ConfigurationError, TooManyRequests
from platform_api.app import create_app
from platform_api.auth.tokens import AccessTokens, load_key
from platform_api.client import ApiClient
from platform_api.settings import ApiSettings

PASSWORD = "correct horse battery"


def _login(http, email, password=PASSWORD):
    return http.post("/api/v1/auth/login", json={"email": email, "password": password})


def test_login_gives_a_short_access_token_and_a_refresh_cookie_that_scripts_cannot_read(http, agency):
    answer = _login(http, agency.users["admin"].upper())
    assert answer.status_code == 200
    session = answer.json()
    assert session["expires_in"] == 900
    cookie = answer.headers["set-cookie"]
    assert session["refresh_token"] in cookie
    for flag in ("HttpOnly", "Secure", "SameSite=strict", "Path=/api/v1/auth", "Max-Age=2592000"):
        assert flag in cookie
    assert answer.headers["cache-control"] == "no-store"
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    assert {"iss", "aud", "sub", "org", "jti", "iat", "exp"} == set(claims)


def test_a_wrong_password_and_an_unknown_address_answer_alike(http, agency):
    wrong, unknown = _login(http, agency.users["admin"], "another password"), _login(http, "nobody@agency.test")
    assert wrong.status_code == unknown.status_code == 401
    assert {**wrong.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


def test_a_password_never_comes_back_in_an_error(http):
    answer = http.post("/api/v1/auth/login", json={"email": "a", "password": "s3cret-" * 40, "extra": 1})
    assert answer.status_code == 422
    assert "s3cret" not in answer.text


def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_family(http, agency):
    first = _login(http, agency.users["member"]).json()["refresh_token"]
    http.cookies.clear()
    second = http.post("/api/v1/auth/refresh-token", json={"refresh_token": first})
    assert second.status_code == 200
    http.cookies.clear()
    assert http.post("/api/v1/auth/refresh-token", json={"refresh_token": first}).status_code == 401
    assert http.post("/api/v1/auth/refresh-token", json={"refresh_token": second.json()["refresh_token"]}).status_code == 401


def test_of_twenty_parallel_refreshes_one_succeeds(served, agency):
    with ApiClient(served) as client:
        token = client.login(agency.users["member"], PASSWORD).refresh_token
    start = threading.Barrier(20)

    def refresh(_: int) -> bool:
        with ApiClient(served) as one:
            start.wait()
            try:
                one.resume(token)
            except AuthenticationRequired:
                return False
            return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(refresh, range(20))) == 1


def test_the_cookie_alone_refreshes_and_logout_ends_the_session(http, agency):
    token = _login(http, agency.users["member"]).json()["refresh_token"]
    cookie = {"Cookie": f"mrm_refresh={token}"}
    http.cookies.clear()
    answer = http.post("/api/v1/auth/refresh-token", headers=cookie)
    assert answer.status_code == 200
    http.cookies.clear()
    following = {"Cookie": f"mrm_refresh={answer.json()['refresh_token']}"}
    gone = http.post("/api/v1/auth/logout", headers=following)
    assert gone.status_code == 204
    assert 'mrm_refresh=""' in gone.headers["set-cookie"]
    assert http.post("/api/v1/auth/refresh-token", headers=following).status_code == 401


def _forged(claims, header):
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


def test_forged_tokens_are_refused(http, agency, tokens):
    good = tokens["admin"]
    claims = jwt.decode(good, options={"verify_signature": False})
    header = jwt.get_unverified_header(good)
    key = load_key(None, agency.home.directory("keys") / "api_signing.pem")
    forged = {
        "no algorithm": _forged(claims, {**header, "alg": "none"}),
        "foreign key": jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=header),
        "wrong audience": jwt.encode({**claims, "aud": "other"}, key, algorithm="EdDSA", headers=header),
        "wrong issuer": jwt.encode({**claims, "iss": "other"}, key, algorithm="EdDSA", headers=header),
        "no expiry": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key, algorithm="EdDSA", headers=header),
        "no subject": jwt.encode({k: v for k, v in claims.items() if k != "sub"}, key, algorithm="EdDSA", headers=header),
        "another type": jwt.encode(claims, key, algorithm="EdDSA", headers={**header, "typ": "JWT"}),
        "a shared secret": jwt.encode(claims, "x" * 32, algorithm="HS256", headers={k: v for k, v in header.items() if k != "alg"}),
        "changed": good[:-4] + "AAAA",
        "nonsense": "nonsense",
        "foreign organization": jwt.encode({**claims, "org": agency.other_organization_id}, key, algorithm="EdDSA", headers=header),
    }
    for name, token in forged.items():
        assert http.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401, name
    assert http.get("/api/v1/auth/me", headers={"Authorization": f"Basic {good}"}).status_code == 401


def test_the_sixth_login_in_a_minute_waits(dependencies, serve, agency):
    strict = replace(dependencies, settings=ApiSettings(login_attempts_per_minute=5))
    with serve(lambda url: create_app(strict)) as url, ApiClient(url) as client:
        for _ in range(5):
            with pytest.raises(AuthenticationRequired):
                client.login(agency.users["admin"], "wrong password")
        with pytest.raises(TooManyRequests) as refused:
            client.login(agency.users["admin"], PASSWORD)
        assert 0 < refused.value.retry_after <= 60


def test_tries_are_counted_by_the_person_for_whom_a_server_logs_in(dependencies, serve, agency):
    """The dashboards log everybody in from one address: one person's wrong tries must not lock the others out."""
    strict = replace(dependencies, settings=ApiSettings(login_attempts_per_minute=1))
    with serve(lambda url: create_app(strict)) as url, ApiClient(url) as client:
        with pytest.raises(AuthenticationRequired):
            client.login("nobody@example.org", "wrong password", on_behalf_of="203.0.113.7")
        with pytest.raises(TooManyRequests):
            client.login("somebody@example.org", "wrong password", on_behalf_of="203.0.113.7")
        assert client.login(agency.users["admin"], PASSWORD, on_behalf_of="203.0.113.8").access_token


def test_a_key_is_made_once_and_only_ed25519_is_taken(tmp_path):
    first, second = load_key(None, tmp_path / "key.pem"), load_key(None, tmp_path / "key.pem")
    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError):
        load_key("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----", tmp_path / "other.pem")


def test_a_token_ends_with_its_lifetime():
    now = datetime.now(UTC)
    key = Ed25519PrivateKey.generate()
    assert AccessTokens(key, timedelta(minutes=15), now=lambda: now).read(AccessTokens(key, timedelta(minutes=15)).issue("u", "o")).user_id == "u"
    with pytest.raises(AuthenticationRequired):
        AccessTokens(key, timedelta(minutes=15)).read(AccessTokens(key, timedelta(minutes=15), now=lambda: now - timedelta(minutes=16)).issue("u", "o"))
