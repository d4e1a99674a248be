"""Yandex.Direct over HTTP: the JSON methods, and the Reports service with its queue."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.patience import NotInTime, Patience
from connectors.secrets import redact
from connectors.yandex_direct.errors import from_error, seconds
from connectors.yandex_direct.settings import YandexDirectCredentials, YandexDirectSettings
from connectors.yandex_direct.snapshots import number
from connectors.yandex_direct.units import Allowance, Units
from domain.errors import RequestRejected, SourceError, TransientFailure
from domain.platforms import Platform

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the next look at an offline report, where the answer names no retryIn."""


class Service:
    """One credential's connection to Direct."""

    def __init__(
        self, credentials: YandexDirectCredentials, settings: YandexDirectSettings, patience: Patience, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._patience = patience
        self._allowance = Allowance(patience.sleep)
        self._endpoint, self._version, self._entities = settings.endpoint, settings.api_version, settings.entities_version
        self._token = credentials.token
        self._mode = settings.processing_mode
        self._client = httpx.Client(
            headers={
                "Authorization": f"Bearer {credentials.token.get_secret_value()}",
                "Accept-Language": "en",
                **({"Use-Operator-Units": settings.use_operator_units} if settings.use_operator_units else {}),
            },
            timeout=httpx.Timeout(settings.timeout_seconds, connect=10.0),
            verify=_verification(settings),
            trust_env=urlsplit(settings.endpoint).hostname not in {"127.0.0.1", "localhost", "::1"},
            transport=transport,
        )

    def method(self, service: str, params: Mapping[str, Any], login: str = "", method: str = "get") -> tuple[dict[str, Any], bytes, Mapping[str, str]]:
        """Call a JSON method and return its result, the exact bytes and the headers (Units among them)."""

        def once() -> tuple[dict[str, Any], bytes, Mapping[str, str]]:
            version = self._version if service in ("clients", "agencyclients") else self._entities
            with self._connection_failures(login), self._allowance.connection(login):
                response = self._client.post(f"{self._endpoint}/json/{version}/{service}", json={"method": method, "params": params}, headers=_for(login))
            self._allowance.note(response.headers, login)
            answer = _object(response.content)
            if response.status_code == 502:
                raise self._broken("HTTP 502", login)
            if "error" in answer or response.status_code != 200:
                raise from_error(answer.get("error") or {}, response.status_code, response.headers, login)
            if "result" not in answer:
                raise self._broken("the answer breaks off within its JSON", login)
            return answer["result"], response.content, response.headers

        return self._patience.call(once)

    def goals(self, campaigns: Sequence[str], login: str) -> bytes:
        """Return the exact answer of v4's GetStatGoals for some campaigns: version 5 has no such method."""
        call = {
            "method": "GetStatGoals",
            "param": {"CampaignIDS": [number(c) for c in campaigns]},
            "token": self._token.get_secret_value(),
            "locale": "en",
        }

        def once() -> bytes:
            with self._connection_failures(login), self._allowance.connection(login):
                response = self._client.post(f"{self._endpoint}/live/v4/json/", json=call, headers=_for(login))
            answer = _object(response.content)
            if "error_code" in answer or response.status_code != 200:
                error = {**answer, "error_string": answer.get("error_str", "")}
                raise from_error(error, response.status_code, response.headers, login)
            if "data" not in answer:
                raise self._broken("the answer breaks off within its JSON", login)
            return response.content

        return self._patience.call(once)

    @property
    def units(self) -> Mapping[str, Units]:
        """Return what the answers' headers last said of each login's units."""
        return self._allowance.units

    @contextmanager
    def report(self, definition: Mapping[str, Any], login: str) -> Iterator[Iterator[bytes]]:
        """Yield the bytes of a finished report as they arrive.

        201 and 202 mean queued and in progress: the SAME request is repeated after retryIn. Raises ReportTooLarge for 502.
        """
        body = json.dumps({"params": definition}, ensure_ascii=False).encode()
        headers = {
            **_for(login),
            "Content-Type": "application/json; charset=utf-8",
            "processingMode": self._mode,
            "returnMoneyInMicros": "false",
            "skipReportHeader": "false",
            "skipColumnHeader": "false",
            "skipReportSummary": "false",
        }
        with self._allowance.place_in_queue(), self._allowance.connection(login):
            response = self._finished(body, headers, login)
            try:
                yield self._chunks(response, login)
            finally:
                response.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _finished(self, body: bytes, headers: Mapping[str, str], login: str) -> httpx.Response:
        waited = 0.0
        for look in itertools.count():
            response = self._patience.call(lambda: self._ask(body, headers, login))
            if response.status_code == 200:
                return response
            response.close()
            pause = seconds(response.headers.get("retryIn")) or min(FIRST_PAUSE * 2**look, LONGEST_PAUSE)
            if waited + pause > self._patience.job_budget:
                raise NotInTime(f"the report is not ready after {waited:.0f} s", platform=str(Platform.YANDEX_DIRECT), account_id=login, fix="Sync again")
            waited += pause
            self._patience.pause(pause)
        raise AssertionError("unreachable: the loop returns or raises")

    def _ask(self, body: bytes, headers: Mapping[str, str], login: str) -> httpx.Response:
        """Send the report's request once; only 200, 201 and 202 come back."""
        self._allowance.pace(login)
        with self._connection_failures(login):
            response = self._client.send(
                self._client.build_request("POST", f"{self._endpoint}/json/{self._version}/reports", content=body, headers=headers), stream=True
            )
            if response.status_code in {200, 201, 202}:
                return response
            try:
                content = response.read()
            finally:
                response.close()
        raise from_error(_object(content).get("error") or {}, response.status_code, response.headers, login)

    def _chunks(self, response: httpx.Response, login: str) -> Iterator[bytes]:
        with self._connection_failures(login):
            yield from response.iter_bytes(1 << 20)

    @contextmanager
    def _connection_failures(self, login: str) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            raise self._broken(f"{type(error).__name__}: {redact(str(error))}", login) from None

    def _broken(self, why: str, login: str) -> SourceError:
        return TransientFailure(
            "Direct did not answer in full", platform=str(Platform.YANDEX_DIRECT), account_id=login, why=why, fix="Sync again; check the network when it lasts"
        )


def _for(login: str) -> dict[str, str]:
    """Name the client in a header. Raises RequestRejected for a login that none carries: without some of its characters it may be another's."""
    if login and not re.fullmatch(r"[!-~]+", login):
        fix = "Give the client a login of Latin letters, or name it in the integration's setting skip_accounts"
        raise RequestRejected("the login holds characters that no header carries", platform=str(Platform.YANDEX_DIRECT), account_id=login, fix=fix)
    return {"Client-Login": login} if login else {}


def _object(content: bytes) -> dict[str, Any]:
    try:
        loaded = json.loads(content)
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _verification(settings: YandexDirectSettings) -> Any:  # noqa: ANN401 - httpx takes a flag or an ssl context
    if settings.ca_bundle is None:
        return True
    import ssl

    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_verify_locations(settings.ca_bundle)
    return context
