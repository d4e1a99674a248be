"""Access tokens of a GA4 login: given, renewed from a refresh token, or signed by a service account."""

import threading
import time
from typing import Any

import httpx
from google.auth import crypt, jwt

from connectors.ga4.errors import CONNECT, PLATFORM, SCOPE, broken
from connectors.ga4.settings import Ga4Credentials, Ga4Settings
from connectors.secrets import redact
from domain.errors import AuthorizationExpired

_EARLY = 120.0
"""Seconds before its end at which a token is renewed."""
_LIFE = 3600


class Tokens:
    """One login's access token; safe for many threads."""

    def __init__(self, credentials: Ga4Credentials, settings: Ga4Settings, client: httpx.Client) -> None:
        self._credentials = credentials
        self._uri = settings.token_uri
        self._client = client
        self._lock = threading.Lock()
        given = credentials.access_token
        self._token = given.get_secret_value() if given else ""
        self._until = float("inf") if given else 0.0

    @property
    def renewable(self) -> bool:
        """Tell whether a refused token can be replaced by a new one."""
        return bool(self._credentials.refresh_token or self._credentials.service_account_json)

    def bearer(self) -> str:
        """Return the value of the Authorization header. Raises AuthorizationExpired when no new token is given."""
        with self._lock:
            if time.time() >= self._until - _EARLY:
                self._renew()
            return f"Bearer {self._token}"

    def forget(self, bearer: str) -> None:
        """Renew before the next call, unless another thread has done so since."""
        with self._lock:
            if bearer == f"Bearer {self._token}":
                self._until = 0.0

    def _renew(self) -> None:
        try:
            response = self._client.post(self._uri, data=self._grant())
        except httpx.HTTPError as error:
            raise broken(f"the token server: {type(error).__name__}: {error}", "") from None
        answer = _object(response)
        if response.status_code >= 500 or response.status_code == 429:
            raise broken(f"the token server: HTTP {response.status_code}", "")
        if response.status_code != 200 or not answer.get("access_token"):
            why = redact(f"{answer.get('error', '')}: {answer.get('error_description', '')}")
            raise AuthorizationExpired("no new access token was given", platform=PLATFORM, why=why, fix=CONNECT)
        self._token = str(answer["access_token"])
        self._until = time.time() + float(answer.get("expires_in") or _LIFE)

    def _grant(self) -> dict[str, str]:
        key = self._credentials.service_account
        if key is not None:
            now = int(time.time())
            claims = {"iss": key["client_email"], "scope": SCOPE, "aud": key.get("token_uri") or self._uri, "iat": now, "exp": now + _LIFE}
            try:
                signer = crypt.RSASigner.from_service_account_info(key)  # type: ignore[no-untyped-call]
                assertion: bytes = jwt.encode(signer, claims)  # type: ignore[no-untyped-call]
            except (ValueError, KeyError) as error:
                fix = "Download the key of the service account again and connect with it"
                raise AuthorizationExpired("the service account's key cannot sign", platform=PLATFORM, why=type(error).__name__, fix=fix) from None
            return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion.decode()}
        secret, refresh = self._credentials.client_secret, self._credentials.refresh_token
        return {
            "grant_type": "refresh_token",
            "client_id": self._credentials.client_id,
            "client_secret": secret.get_secret_value() if secret else "",
            "refresh_token": refresh.get_secret_value() if refresh else "",
        }


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        loaded = response.json()
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}
