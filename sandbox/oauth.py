"""The token endpoints that the platforms' clients call: Google's (old and new addresses) and Yandex's.

Follows RFC 6749 and developers.google.com/identity/protocols/oauth2, yandex.com/dev/id/doc.
"""

import base64
import re
import time

from sandbox.consent import PATHS as CONSENT_PATHS
from sandbox.consent import Consents
from sandbox.tokens import Token, judge, jwt_claims
from sandbox.web import Answer, Handler, Request, json_answer
from sandbox.world import World

PATHS = ("/token", "/o/oauth2/token", "/oauth2/v3/token", "/oauth2/v4/token")
OURS = frozenset((*PATHS, *(path for paths in CONSENT_PATHS.values() for path in paths)))
LIFE = 3599
YANDEX_LIFE = 31_536_000
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_BASIC = re.compile(r"^Basic (.+)$", re.IGNORECASE)


class TokenEndpoint:
    """Give an access token for a refresh token or a code that begins with `sandbox`; refuse all others as the platforms do."""

    def __init__(self, world: World, consents: Consents) -> None:
        self._world = world
        self._platform = consents.platform
        self._consents = consents

    def __call__(self, request: Request) -> Answer:
        """Answer one token request."""
        self._world.count(self._platform, "POST token")
        params = request.form()
        if request.method != "POST":
            return json_answer(405, {"error": "invalid_request", "error_description": "POST is expected"})
        if params.get("grant_type") == JWT and self._platform == "google":
            return self._service_account(params.get("assertion", ""))
        if not (params.get("client_id") or self._basic(request)):
            return json_answer(400, {"error": "invalid_request", "error_description": "Could not determine client ID from request."})
        kind = params.get("grant_type", "")
        given = {"refresh_token": params.get("refresh_token", ""), "authorization_code": params.get("code", "")}.get(kind)
        if given is None:
            return json_answer(400, {"error": "unsupported_grant_type", "error_description": f"Invalid grant_type: {kind}"})
        if judge(given) is not Token.GOOD:
            return json_answer(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        scope = ""
        if kind == "authorization_code":
            consent = self._consents.take(given)
            why = consent.refusal(params) if consent else "Malformed auth code." if self._consents.given_here(given) else ""
            if why:
                return json_answer(400, {"error": "invalid_grant", "error_description": why})
            scope = consent.scope if consent else ""
        number = self._world.number()
        life = YANDEX_LIFE if self._platform == "yandex" else LIFE
        answer: dict[str, object] = {"access_token": f"sandbox-{number}", "expires_in": life, "token_type": "Bearer", **({"scope": scope} if scope else {})}
        if kind == "authorization_code" or self._platform == "yandex":
            answer["refresh_token"] = f"sandbox-refresh-{number}"
        return json_answer(200, answer)

    def _service_account(self, assertion: str) -> Answer:
        """Give a token for a JWT that a service account signed; its signature is not checked, its hour is."""
        claims = jwt_claims(assertion)
        if claims is None or not claims.get("scope"):
            return json_answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT: it must name an issuer and a scope."})
        if float(claims.get("exp", 0)) <= time.time():
            why = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            return json_answer(400, {"error": "invalid_grant", "error_description": why})
        return json_answer(200, {"access_token": f"sandbox-{self._world.number()}", "expires_in": LIFE, "token_type": "Bearer"})

    def _basic(self, request: Request) -> str:
        found = _BASIC.match(request.headers.get("authorization", ""))
        return base64.b64decode(found[1] + "==").decode("utf-8", "replace").partition(":")[0] if found else ""


def with_tokens(platform: Handler, tokens: Handler) -> Handler:
    """Let a platform's own server answer the paths of consent and tokens too."""

    def handler(request: Request) -> Answer:
        return tokens(request) if request.path in OURS else platform(request)

    return handler
