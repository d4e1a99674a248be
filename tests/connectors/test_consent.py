"""Consent: the page that is opened, the code that comes back, the credentials that last, the scopes that are missing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors import renewal
from connectors.consent import FLOWS, Application, Grant, Request, ask, exchange, flow_of
from domain.errors import AuthorizationExpired, ConfigurationError, UnknownName

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
BACK = "http://127.0.0.1:8765/oauth"
GOOGLE, YANDEX = ("google_ads", "ga4"), ("yandex_direct", "yandex_metrica")
SCOPES = {
    "google_ads": "https://www.googleapis.com/auth/adwords",
    "ga4": "https://www.googleapis.com/auth/analytics.readonly",
    "yandex_direct": "direct:api",
    "yandex_metrica": "metrika:read",
    "meta_ads": "ads_read",
}


def application(client_id: str = "app") -> Application:
    return Application(client_id, "very-secret-client", {"developer_token": "d" * 22})


@pytest.fixture
def places(sandbox: Any) -> Callable[[str], tuple[str, dict[str, str]]]:
    """The sandbox's consent page of a platform, and the settings that lead to its token endpoint."""

    def of(platform: str) -> tuple[str, dict[str, str]]:
        state = sandbox.state
        if platform == "meta_ads":
            return state["consent"]["meta"], {"endpoint": state["meta_ads"]["endpoint"]}
        kind = "google" if platform in GOOGLE else "yandex"
        return state["consent"][kind], {"token_uri" if kind == "google" else "token_endpoint": state["oauth"][kind]}

    return of


def open_page(asked: Request) -> dict[str, str]:
    """Open the page as a browser would, and return what the loopback address is told."""
    answer = httpx.get(asked.url, trust_env=False)
    assert answer.status_code == 302, answer.text
    location = answer.headers["Location"]
    assert location.startswith(asked.redirect_uri)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def consent(places: Any, platform: str, client_id: str = "app", code: str = "") -> Grant:
    page, settings = places(platform)
    asked = ask(flow_of(platform), application(client_id), BACK, page)
    told = open_page(asked)
    assert told["state"] == asked.state
    return exchange(flow_of(platform), application(client_id), asked, code or told["code"], settings, NOW)


@pytest.mark.parametrize("platform", FLOWS)
def test_the_page_names_the_platforms_scope_and_a_secret_state(platform: str) -> None:
    one, other = (ask(flow_of(platform), application(), BACK) for _ in range(2))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(one.url).query).items()}
    assert (asked["scope"], asked["redirect_uri"], asked["response_type"], asked["client_id"]) == (SCOPES[platform], BACK, "code", "app")
    assert one.state != other.state
    host = urlsplit(one.url).hostname
    assert host == {"google_ads": "accounts.google.com", "ga4": "accounts.google.com", "meta_ads": "www.facebook.com"}.get(platform, "oauth.yandex.ru")
    assert ("code_challenge" in asked) == (platform != "meta_ads")
    assert "very-secret-client" not in one.url
    assert one.verifier not in one.url or not one.verifier


def test_google_is_asked_for_a_refresh_token_and_needs_the_developer_token() -> None:
    assert "access_type=offline" in ask(flow_of("google_ads"), application(), BACK).url
    with pytest.raises(ConfigurationError, match="developer_token"):
        ask(flow_of("google_ads"), Application("app", "secret"), BACK)
    with pytest.raises(UnknownName, match="yandex_direct"):
        flow_of("yandex")


@pytest.mark.parametrize("platform", FLOWS)
def test_a_code_becomes_credentials_that_last(places: Any, platform: str) -> None:
    grant = consent(places, platform)
    kept = grant.credentials
    assert grant.missing_scopes == ()
    if platform == "meta_ads":
        assert kept["access_token"].startswith("sandbox-long-lived")
        assert kept["expires_at"] == str(int(NOW.timestamp()) + 60 * 86_400)
        assert kept["app_id"] == "app"
    else:
        assert kept["refresh_token"].startswith("sandbox-refresh")
        assert (kept["client_id"], kept["client_secret"]) == ("app", "very-secret-client")
        assert ("token" in kept) == (platform in YANDEX)
    assert "very-secret-client" not in repr(grant)


@pytest.mark.parametrize("platform", ["google_ads", "yandex_direct"])
def test_a_consent_without_the_scope_names_it(places: Any, platform: str) -> None:
    assert consent(places, platform, "narrow-app").missing_scopes == (SCOPES[platform],)


@pytest.mark.parametrize("platform", ["google_ads", "yandex_direct", "meta_ads"])
def test_a_refused_code_says_why_and_shows_no_secret(places: Any, platform: str) -> None:
    with pytest.raises(AuthorizationExpired) as raised:
        consent(places, platform, code="expired-code")
    assert f"./run connect {platform}" in str(raised.value)
    assert "very-secret-client" not in str(raised.value)
    assert "expired-code" not in str(raised.value)


def test_a_code_is_good_once_and_for_its_verifier_alone(places: Any) -> None:
    page, settings = places("yandex_direct")
    flow, app = flow_of("yandex_direct"), application()
    asked, foreign = ask(flow, app, BACK, page), ask(flow, app, BACK, page)
    code = open_page(asked)["code"]
    with pytest.raises(AuthorizationExpired, match="verifier"):
        exchange(flow, app, Request(asked.url, asked.state, foreign.verifier, BACK), code, settings, NOW)
    with pytest.raises(AuthorizationExpired):
        exchange(flow, app, asked, code, settings, NOW)


@pytest.mark.parametrize(("days", "renews"), [(300, False), (40, True), (-1, True)])
def test_a_yandex_token_is_renewed_before_it_ends(places: Any, days: int, renews: bool) -> None:
    _, settings = places("yandex_direct")
    ends = str(int(NOW.timestamp()) + days * 86_400)
    held = {"token": "old", "refresh_token": "sandbox-r", "client_id": "app", "client_secret": "s", "expires_at": ends}
    changed = renewal.renewed("yandex_direct", held, settings, NOW)
    assert bool(changed) == renews
    if renews:
        assert changed["token"].startswith("sandbox-")
        assert int(changed["expires_at"]) > int(NOW.timestamp())
    assert renewal.renewed("yandex_direct", held, settings, NOW, force=True)["token"] != "old"
    assert renewal.renewed("yandex_direct", {"token": "alone"}, settings, NOW, force=True) == {}


def test_a_meta_token_is_exchanged_before_it_ends(places: Any) -> None:
    _, settings = places("meta_ads")
    held = {"access_token": "sandbox", "app_id": "1", "app_secret": "s" * 32, "expires_at": str(int(NOW.timestamp()) + 86_400)}
    assert renewal.renewed("meta_ads", held, settings, NOW)["access_token"].startswith("sandbox-long-lived")
    assert renewal.renewed("meta_ads", {"access_token": "sandbox"}, settings, NOW) == {}


def test_a_refresh_token_that_was_revoked_asks_to_connect_again(places: Any) -> None:
    _, settings = places("yandex_direct")
    held = {"refresh_token": "revoked", "client_id": "app", "client_secret": "s"}
    with pytest.raises(AuthorizationExpired, match=r"\./run connect yandex_direct"):
        renewal.renewed("yandex_direct", held, settings, NOW)
