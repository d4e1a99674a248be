"""The Data API and the Admin API over HTTP: one login's connection, single calls with patience around them."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from connectors.ga4.errors import broken, failing, from_answer
from connectors.ga4.settings import ADMIN_HOST, DATA_HOST, Ga4Credentials, Ga4Settings
from connectors.ga4.tokens import Tokens
from connectors.patience import Patience
from connectors.secrets import keep_tokens_out_of
from domain.clock import Clock
from domain.errors import AuthorizationExpired

T = TypeVar("T")

_CONNECT_TIMEOUT = 10.0
SERVER_ERRORS = 9
"""How many server errors of a property end its pull: the tenth within an hour would close it to its whole Cloud project."""


class Service:
    """One login's connection to both APIs."""

    def __init__(
        self, credentials: Ga4Credentials, settings: Ga4Settings, clock: Clock, patience: Patience, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._clock = clock
        self._patience = patience
        self._data = f"{settings.endpoint or DATA_HOST}/{settings.api_version}"
        self._admin = f"{settings.endpoint or ADMIN_HOST}/v1beta"
        self._client = httpx.Client(
            timeout=httpx.Timeout(settings.timeout_seconds, connect=_CONNECT_TIMEOUT),
            verify=_verification(settings),
            trust_env=urlsplit(settings.endpoint).hostname not in {"127.0.0.1", "localhost", "::1"},
            transport=transport,
        )
        self._tokens = Tokens(credentials, settings, self._client)
        self._failures: Counter[str] = Counter()
        keep_tokens_out_of("httpx")

    def report(self, property_id: str, body: Mapping[str, Any], read: Callable[[bytes], T]) -> tuple[T, bytes]:
        """Call runReport and return its answer, as `read` reads it, beside the exact bytes. Raises a SourceError that names the property.

        An answer that breaks off is asked for again, as `read` says by TransientFailure.
        """
        url = f"{self._data}/properties/{property_id}:runReport"
        sent = json.dumps(body).encode()

        def once() -> tuple[T, bytes]:
            content = self._once("POST", url, property_id, sent, None)
            return read(content), content

        return self._patience.call(once)

    def summaries(self) -> list[dict[str, Any]]:
        """List the property summaries of all accounts, each with its account's name."""
        found: list[dict[str, Any]] = []
        token, seen = "", set[str]()
        while True:
            params = {"pageSize": "200", **({"pageToken": token} if token else {})}
            answer, _ = self._get("accountSummaries", "", params)
            for account in answer.get("accountSummaries") or ():
                found += [{**summary, "account": account.get("account", "")} for summary in account.get("propertySummaries") or ()]
            token = str(answer.get("nextPageToken", ""))
            if not token:
                return found
            if token in seen:
                raise broken("the Admin API sent a page token twice", "")
            seen.add(token)

    def property(self, property_id: str) -> tuple[dict[str, Any], bytes]:
        """Return the Property resource, and its exact bytes."""
        return self._get(f"properties/{property_id}", property_id)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _get(self, path: str, property_id: str, params: Mapping[str, str] | None = None) -> tuple[dict[str, Any], bytes]:
        """Read a resource of the Admin API."""

        def once() -> tuple[dict[str, Any], bytes]:
            content = self._once("GET", f"{self._admin}/{path}", property_id, None, params)
            return parse(content, property_id), content

        return self._patience.call(once)

    def _once(self, method: str, url: str, property_id: str, body: bytes | None, params: Mapping[str, str] | None) -> bytes:
        """Send one request; a refused token that can be renewed is renewed and the request sent once more."""
        bearer = self._tokens.bearer()
        try:
            return self._send(method, url, property_id, body, params, bearer)
        except AuthorizationExpired:
            if not self._tokens.renewable:
                raise
        self._tokens.forget(bearer)
        return self._send(method, url, property_id, body, params, self._tokens.bearer())

    def _send(self, method: str, url: str, property_id: str, body: bytes | None, params: Mapping[str, str] | None, bearer: str) -> bytes:
        headers = {"Authorization": bearer, "Content-Type": "application/json"}
        if self._failures[property_id] >= SERVER_ERRORS:
            raise failing(property_id, SERVER_ERRORS)
        try:
            response = self._client.request(method, url, content=body, params=params, headers=headers)
        except httpx.HTTPError as error:
            raise broken(f"{type(error).__name__}: {error}", property_id) from None
        if response.status_code != httpx.codes.OK:
            self._failures[property_id] += response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
            raise from_answer(response.status_code, response.headers, response.content, property_id, self._clock.now())
        return response.content


def parse(body: bytes, property_id: str) -> dict[str, Any]:
    """Read a small JSON answer. Raises TransientFailure for one that breaks off."""
    try:
        loaded = json.loads(body)
    except ValueError:
        raise broken("the answer breaks off within its JSON", property_id) from None
    if not isinstance(loaded, dict):
        raise broken("the answer is no JSON object", property_id)
    return loaded


def _verification(settings: Ga4Settings) -> Any:  # noqa: ANN401 - httpx takes a flag or an ssl context
    if settings.ca_bundle is None:
        return True
    import ssl

    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_verify_locations(settings.ca_bundle)
    return context
