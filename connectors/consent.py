"""OAuth consent: the page to open, the exchange of the code that comes back, and which scopes were granted.

Follows RFC 6749 and 7636; developers.google.com/identity/protocols/oauth2/native-app, yandex.com/dev/id/doc,
developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from connectors.secrets import redact
from domain.errors import AuthorizationExpired, ConfigurationError, IncompleteAnswer, SourceError, TransientFailure, UnknownName

TIMEOUT = 30.0
GRAPH_VERSION = "v26.0"


@dataclass(frozen=True)
class Flow:
    """How one platform asks for consent. `scopes` are needed; each may be met by any of the words between `|`.

    `token_setting` is the integration's setting that leads the exchange elsewhere (the sandbox, a proxy), `token_path` what follows
    it. `by_screen` is where the platform shows the code on a page of its own, to be pasted.
    """

    platform: str
    page: str
    token: str
    scopes: tuple[str, ...]
    token_setting: str
    token_path: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    pkce: bool = True
    scope_separator: str = " "
    by_screen: str = ""
    needs: tuple[str, ...] = ()
    """What the application's file must hold beside client_id and client_secret."""


_GOOGLE = {
    "page": "https://accounts.google.com/o/oauth2/v2/auth",
    "token": "https://oauth2.googleapis.com/token",
    "token_setting": "token_uri",
    "extra": {"access_type": "offline", "prompt": "consent"},
}
_YANDEX = {
    "page": "https://oauth.yandex.ru/authorize",
    "token": "https://oauth.yandex.ru/token",
    "token_setting": "token_endpoint",
    "extra": {"force_confirm": "yes"},
    "by_screen": "https://oauth.yandex.ru/verification_code",
}
FLOWS: Mapping[str, Flow] = {
    flow.platform: flow
    for flow in (
        Flow("google_ads", scopes=("https://www.googleapis.com/auth/adwords",), needs=("developer_token",), **_GOOGLE),  # type: ignore[arg-type]
        Flow("ga4", scopes=("https://www.googleapis.com/auth/analytics.readonly",), **_GOOGLE),  # type: ignore[arg-type]
        Flow("yandex_direct", scopes=("direct:api",), **_YANDEX),  # type: ignore[arg-type]
        Flow("yandex_metrica", scopes=("metrika:read",), **_YANDEX),  # type: ignore[arg-type]
        Flow(
            "meta_ads",
            f"https://www.facebook.com/{GRAPH_VERSION}/dialog/oauth",
            f"https://graph.facebook.com/{GRAPH_VERSION}/oauth/access_token",
            ("ads_read",),
            "endpoint",
            f"/{GRAPH_VERSION}/oauth/access_token",
            pkce=False,
            scope_separator=",",
        ),
    )
}
"""Every platform that can be connected by consent."""


@dataclass(frozen=True)
class Application:
    """The OAuth application on whose behalf consent is asked; `more` holds what else its platform needs (a developer token)."""

    client_id: str
    client_secret: str = field(repr=False)
    more: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Request:
    """A consent that was asked for: the page to open, and the secrets that the answer must fit."""

    url: str
    state: str
    verifier: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True)
class Grant:
    """What the exchange gave: the integration's credentials, and which needed scopes are missing by the platform's own word."""

    credentials: Mapping[str, str] = field(repr=False)
    missing_scopes: tuple[str, ...] = ()


def flow_of(platform: str) -> Flow:
    """Return a platform's flow. Raises UnknownName."""
    if platform not in FLOWS:
        raise UnknownName("platform with a consent page", platform, FLOWS)
    return FLOWS[platform]


def ask(flow: Flow, application: Application, redirect_uri: str, page: str = "") -> Request:
    """Prepare a consent: `page` leads to the sandbox's own page, empty means the platform's."""
    if missing := [name for name in flow.needs if not application.more.get(name)]:
        raise ConfigurationError(f"{flow.platform} needs {', '.join(missing)} beside the OAuth client", fix="Add it to the file that --app names")
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48) if flow.pkce else ""
    params = {
        "client_id": application.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": flow.scope_separator.join(flow.scopes),
        "state": state,
        **flow.extra,
    }
    if verifier:
        challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        params |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return Request(f"{page or flow.page}?{urlencode(params)}", state, verifier, redirect_uri)


def exchange(flow: Flow, application: Application, asked: Request, code: str, settings: Mapping[str, str], now: datetime) -> Grant:
    """Exchange a code for credentials that last: a refresh token, or for Meta a token of sixty days.

    Raises AuthorizationExpired when the platform refuses the code, TransientFailure when it does not answer.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.redirect_uri,
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        **({"code_verifier": asked.verifier} if asked.verifier else {}),
    }
    answer = token_call(flow, settings, form)
    if flow.platform == "meta_ads":
        form = {
            "grant_type": "fb_exchange_token",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "fb_exchange_token": answer["access_token"],
        }
        answer = {**answer, **token_call(flow, settings, form)}
    return Grant(_credentials(flow, application, answer, now), _missing(flow, answer))


def token_call(flow: Flow, settings: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
    """Call the token endpoint, the platform's or the one that the settings lead to; return its answer as texts."""
    led = settings.get(flow.token_setting, "")
    url = (led.rstrip("/") + flow.token_path) if led else flow.token
    local = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=not local) as client:
            response = client.post(url, data=dict(form))
    except httpx.HTTPError as error:
        raise TransientFailure(
            "the token endpoint does not answer", platform=flow.platform, why=f"{type(error).__name__}: {redact(str(error))}", fix="Try again"
        ) from None
    return _checked(flow, response, form)


def _checked(flow: Flow, response: httpx.Response, form: Mapping[str, str]) -> dict[str, str]:
    try:
        loaded = response.json()
    except ValueError:
        loaded = {}
    answer: dict[str, Any] = loaded if isinstance(loaded, dict) else {}
    if response.status_code >= 500 or response.status_code == 429:
        raise TransientFailure("the token endpoint failed", platform=flow.platform, why=f"HTTP {response.status_code}", fix="Try again later")
    if response.status_code != 200 or "error" in answer:
        raise _refusal(flow, response.status_code, answer, form)
    if not answer.get("access_token"):
        raise IncompleteAnswer("the token endpoint gave no token", platform=flow.platform, why=f"It answered {sorted(answer)}", fix="Try again")
    return {name: str(value) for name, value in answer.items() if value is not None}


def _refusal(flow: Flow, status: int, answer: Mapping[str, Any], form: Mapping[str, str]) -> SourceError:
    error = answer.get("error")
    told = error if isinstance(error, dict) else {"type": error, "message": answer.get("error_description")}
    words = " ".join(str(told[name]) for name in ("type", "message") if told.get(name))
    return AuthorizationExpired(
        "the token endpoint refused the exchange",
        platform=flow.platform,
        why=redact(f"HTTP {status}: {words}", form.values()),
        fix=f"A code is good once and for minutes: ./run connect {flow.platform} asks anew; check the application's id, secret and redirect URI",
    )


def _credentials(flow: Flow, application: Application, answer: Mapping[str, str], now: datetime) -> dict[str, str]:
    life = int(float(answer.get("expires_in") or 0))
    expires_at = str(int(now.timestamp()) + life) if life else "0"
    known = {"client_id": application.client_id, "client_secret": application.client_secret, **application.more}
    if flow.platform == "meta_ads":
        return {"access_token": answer["access_token"], "app_id": application.client_id, "app_secret": application.client_secret, "expires_at": expires_at}
    if not answer.get("refresh_token"):
        raise IncompleteAnswer(
            "the consent gave no refresh token",
            platform=flow.platform,
            why="Without it the integration would end with the first access token",
            fix="Take the application out of the account's list of connected apps, and consent again",
        )
    if flow.token_setting == "token_endpoint":  # noqa: S105 - the name of a setting
        return {"token": answer["access_token"], "refresh_token": answer["refresh_token"], "expires_at": expires_at, **known}
    return {"refresh_token": answer["refresh_token"], **known}


def _missing(flow: Flow, answer: Mapping[str, str]) -> tuple[str, ...]:
    """Name the needed scopes that the answer does not grant; an answer that names none granted what was asked."""
    if not answer.get("scope"):
        return ()
    granted = set(answer["scope"].replace(",", " ").split())
    return tuple(scope for scope in flow.scopes if scope not in granted)
