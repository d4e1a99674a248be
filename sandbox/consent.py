"""The consent pages of Google and Yandex: consent is given at once, and the browser is sent back with a code.

Follows RFC 6749, RFC 7636 (PKCE), developers.google.com/identity/protocols/oauth2/native-app and yandex.com/dev/id/doc/en/codes/code-url.
A client id that begins with `denied` is refused; one that begins with `narrow` gets no scope of what it asks.
"""

import base64
import html
import threading
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from sandbox.web import Answer, Handler, Request
from sandbox.world import World

PATHS = {"google": ("/o/oauth2/auth", "/o/oauth2/v2/auth", "/v3/signin/identifier"), "yandex": ("/authorize",)}
SCREEN = ("https://oauth.yandex.ru/verification_code", "https://oauth.yandex.com/verification_code", "urn:ietf:wg:oauth:2.0:oob")
"""Where Yandex shows the code on its own page instead of sending the browser back."""


@dataclass(frozen=True)
class Consent:
    """What a code stands for. `challenge` is PKCE's, empty without."""

    client_id: str
    redirect_uri: str
    scope: str
    challenge: str
    method: str

    def refusal(self, params: dict[str, str]) -> str:
        """Say what is wrong with an exchange of the code; empty when nothing is."""
        if self.redirect_uri and params.get("redirect_uri", self.redirect_uri) != self.redirect_uri:
            return "redirect_uri_mismatch"
        if params.get("client_id") and params["client_id"] != self.client_id:
            return "The code was issued to another client."
        if self.challenge and not _matches(self.challenge, self.method, params.get("code_verifier", "")):
            return "Invalid code verifier."
        return ""


def _matches(challenge: str, method: str, verifier: str) -> bool:
    if method.upper() != "S256":
        return verifier == challenge
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode() == challenge


class Consents:
    """The consents that wait for the exchange of their code; each code is good once."""

    def __init__(self, world: World, platform: str) -> None:
        self._world, self.platform = world, platform
        self._waiting: dict[str, Consent] = {}
        self._lock = threading.Lock()

    def take(self, code: str) -> Consent | None:
        """Return what a code stands for, and use it up; None for a code that no page here gave."""
        with self._lock:
            return self._waiting.pop(code, None)

    def given_here(self, code: str) -> bool:
        """Tell whether a code looks like one of this page's, used up or not."""
        return code.startswith(f"sandbox-consent-{self.platform}-")

    def __call__(self, request: Request) -> Answer:
        """Answer the consent page."""
        self._world.count(self.platform, "GET consent")
        params = request.form()
        for name in ("client_id", "response_type"):
            if not params.get(name):
                return _page(400, f"Error 400: invalid_request. Required parameter is missing: {name}")
        if params["response_type"] != "code":
            return _page(400, f"Error 400: unsupported_response_type {params['response_type']}")
        back = params.get("redirect_uri", "")
        if self.platform == "google" and not (back and params.get("scope")):
            return _page(400, "Error 400: invalid_request. Required parameter is missing: redirect_uri or scope")
        state = {"state": params["state"]} if "state" in params else {}
        if params["client_id"].startswith("denied"):
            return _redirect(back, {"error": "access_denied", **state})
        scope = "openid" if params["client_id"].startswith("narrow") else params.get("scope", "")
        code = f"sandbox-consent-{self.platform}-{self._world.number()}"
        consent = Consent(params["client_id"], back, scope, params.get("code_challenge", ""), params.get("code_challenge_method", "plain"))
        with self._lock:
            self._waiting[code] = consent
        if not back or back in SCREEN:
            return _page(200, f"Code: {code}")
        return _redirect(back, {"code": code, **state, **({"scope": scope} if self.platform == "google" else {})})


def with_consent(platform: Handler, consents: Consents) -> Handler:
    """Let a server answer the consent page too."""

    def handler(request: Request) -> Answer:
        mine = request.method == "GET" and request.path in PATHS[consents.platform]
        return consents(request) if mine else platform(request)

    return handler


def _redirect(back: str, params: dict[str, str]) -> Answer:
    return Answer(302, b"", {"Location": f"{back}{'&' if '?' in back else '?'}{urlencode(params)}"}, "text/html; charset=utf-8")


def _page(status: int, text: str) -> Answer:
    return Answer(status, f"<!doctype html><title>Consent</title><p>{html.escape(text)}</p>".encode(), {}, "text/html; charset=utf-8")
