"""Metrica over HTTP: JSON calls with patience and pace, and parts of logs as they arrive."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.patience import Pace, Patience
from connectors.yandex_metrica.errors import broken, from_answer
from connectors.yandex_metrica.settings import YandexMetricaCredentials, YandexMetricaSettings
from domain.errors import SourceError

A_SECOND, LOGS_A_SECOND = 30, 10
"""Metrica takes that many requests a second from one address."""

_CHUNK = 1 << 20


class Service:
    """One credential's connection to Metrica."""

    def __init__(
        self, credentials: YandexMetricaCredentials, settings: YandexMetricaSettings, patience: Patience, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.patience = patience
        self._pace = Pace(A_SECOND, 1.0, patience.sleep)
        self._logs_pace = Pace(LOGS_A_SECOND, 1.0, patience.sleep)
        self._client = httpx.Client(
            base_url=settings.endpoint,
            headers={"Authorization": f"OAuth {credentials.token.get_secret_value()}", "Accept-Language": "en"},
            timeout=httpx.Timeout(settings.timeout_seconds, connect=10.0),
            verify=_verification(settings),
            trust_env=urlsplit(settings.endpoint).hostname not in {"127.0.0.1", "localhost", "::1"},
            transport=transport,
        )

    def get(self, path: str, params: Mapping[str, str] | None = None, counter_id: str = "", *, exact: bool = False) -> tuple[dict[str, Any], bytes]:
        """Return a JSON object and its exact bytes; `exact` leaves its numbers as texts, so that none passes through a float."""
        return self.patience.call(lambda: self.once("GET", path, params or {}, counter_id, exact=exact))

    def once(self, method: str, path: str, params: Mapping[str, str], counter_id: str, *, exact: bool = False) -> tuple[dict[str, Any], bytes]:
        """Send one request, without a second try. Raises a SourceError that names the counter."""
        response = self._sent(method, path, params, counter_id)
        answer = _object(response.content, exact)
        if response.status_code != 200 or (answer is not None and "errors" in answer):
            raise from_answer(answer or {}, response.status_code, response.headers, counter_id)
        if answer is None:
            raise broken(f"{path}: the answer breaks off within its JSON", counter_id)
        return answer, response.content

    def text(self, path: str, params: Mapping[str, str], counter_id: str) -> bytes:
        """Return the exact bytes of a good answer."""

        def once() -> bytes:
            response = self._sent("GET", path, params, counter_id)
            if response.status_code != 200 or response.content.startswith(b'{"errors"'):
                raise from_answer(_object(response.content, False) or {}, response.status_code, response.headers, counter_id)
            return response.content

        return self.patience.call(once)

    @contextmanager
    def download(self, path: str, counter_id: str) -> Iterator[Iterator[bytes]]:
        """Yield a file's bytes as they arrive; the request itself is tried again, a file that has begun is not."""
        response = self.patience.call(lambda: self._opened(path, counter_id))
        try:
            yield self._chunks(response, counter_id)
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _sent(self, method: str, path: str, params: Mapping[str, str], counter_id: str) -> httpx.Response:
        self._wait(path)
        with self._failures(counter_id):
            return self._client.request(method, path, params=dict(params))

    def _opened(self, path: str, counter_id: str) -> httpx.Response:
        self._wait(path)
        with self._failures(counter_id):
            response = self._client.send(self._client.build_request("GET", path), stream=True)
            if response.status_code == 200:
                return response
            try:
                content = response.read()
            finally:
                response.close()
        raise from_answer(_object(content, False) or {}, response.status_code, response.headers, counter_id)

    def _chunks(self, response: httpx.Response, counter_id: str) -> Iterator[bytes]:
        with self._failures(counter_id):
            yield from response.iter_bytes(_CHUNK)

    def _wait(self, path: str) -> None:
        if "/logrequest" in path:
            self._logs_pace.wait()
        self._pace.wait()

    @contextmanager
    def _failures(self, counter_id: str) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            raise _unreachable(error, counter_id) from None


def _unreachable(error: httpx.HTTPError, counter_id: str) -> SourceError:
    return broken(f"{type(error).__name__}: {error}", counter_id)


def _object(content: bytes, exact: bool) -> dict[str, Any] | None:
    try:
        loaded = json.loads(content, parse_float=str, parse_int=str) if exact else json.loads(content)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None


def _verification(settings: YandexMetricaSettings) -> Any:  # noqa: ANN401 - httpx takes a flag or an ssl context
    if settings.ca_bundle is None:
        return True
    import ssl

    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_verify_locations(settings.ca_bundle)
    return context
