"""Meta's client library as a plain JSON channel: host, version and timeout belong to the instance, never to the process."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from connectors.meta_ads.decoding import Parts, parts_of
from connectors.meta_ads.errors import FAILURES, outdated, shares, translate, unreachable
from connectors.meta_ads.settings import MetaAdsCredentials, MetaAdsSettings
from connectors.secrets import keep_tokens_out_of

_CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True)
class Answer:
    """One answer of the Graph API: its members as they were sent, and its exact bytes."""

    parts: Parts
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Read all of it as plain objects; pages of many rows are read by the report's types instead."""
        return {name: msgspec.json.decode(part) for name, part in self.parts.items()}

    @property
    def has_rows(self) -> bool:
        """Say whether it holds a list of data."""
        return memoryview(self.parts.get("data", b""))[:1].tobytes() == b"["

    @property
    def paging(self) -> dict[str, Any]:
        """Return what it says of the pages around it."""
        return msgspec.json.decode(self.parts.get("paging", b"{}")) or {}


class Graph:
    """One credential's session with the Graph API. Calls are single tries; their callers own the patience."""

    def __init__(self, credentials: MetaAdsCredentials, settings: MetaAdsSettings) -> None:
        self._thread = threading.local()
        self._session = FacebookSession(
            app_id=credentials.app_id or None,
            app_secret=credentials.app_secret.get_secret_value() if credentials.app_secret else None,
            access_token=credentials.access_token.get_secret_value(),
            timeout=(_CONNECT_TIMEOUT, settings.timeout_seconds),
        )
        if settings.endpoint:
            self._session.GRAPH = settings.endpoint.rstrip("/")
            self._session.requests.trust_env = urlsplit(settings.endpoint).hostname not in {"127.0.0.1", "localhost", "::1"}
        if settings.ca_bundle:
            self._session.requests.verify = str(settings.ca_bundle)
        self._session.requests.hooks["response"].append(lambda response, *_, **__: _take_body(response, self._thread))
        self._api = FacebookAdsApi(self._session, settings.api_version or None)
        keep_tokens_out_of("urllib3.connectionpool")
        self.usage: Mapping[str, str] = {}
        """How much of its quotas Meta said was used, in its latest answer that said so; per cent by header."""

    @property
    def version(self) -> str:
        """Name the API version in use."""
        return str(self._api._api_version)  # the library has no public name for it

    def call(self, method: str, path: tuple[str, ...], params: dict[str, Any], account_id: str) -> Answer:
        """Send one request and return its JSON object; every failure is a SourceError that names the account."""
        self._thread.body = b""
        try:
            response = self._api.call(method, path, params)
        except FAILURES as error:
            raise translate(error, account_id) from None
        except _NoJson as error:
            raise unreachable(str(error), account_id) from None
        body: bytes = self._thread.body
        try:
            parts = parts_of(body)
        except ValueError:
            raise unreachable("the answer breaks off within its JSON", account_id) from None
        if "error" in parts or response.status() >= 400:
            raise unreachable(f"HTTP {response.status()} without an error object", account_id)
        headers = {name.lower(): value for name, value in (response.headers() or {}).items()}
        self._require_version(headers, account_id)
        self.usage = shares(headers) or self.usage
        return Answer(parts, body)

    def _require_version(self, headers: Mapping[str, str], account_id: str) -> None:
        """Refuse an answer of another version: where one is switched off, Graph may answer as the oldest that is left."""
        served = headers.get("facebook-api-version", self.version)
        if served != self.version:
            raise outdated(self.version, served, account_id)

    def close(self) -> None:
        """Close the session's connections."""
        self._session.requests.close()


class _NoJson(Exception):
    """An answer that is no JSON object; the library would stumble over it."""


def _take_body(response: requests.Response, thread: threading.local) -> None:
    """Keep the exact bytes, and stop at proxies' HTML pages and at bodies that break off.

    The library parses every body whole, only to look for an error: a page of data is shown to it as an empty one.
    """
    response.encoding = "utf-8"
    thread.body = response.content
    body = response.content.strip()
    if not (body.startswith(b"{") and body.endswith(b"}")):
        raise _NoJson(f"HTTP {response.status_code} with a body of {len(body)} bytes that is not a JSON object")
    if response.status_code == requests.codes.ok and body.startswith(b'{"data":['):
        response._content = b'{"data":[]}'
