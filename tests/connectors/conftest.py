"""A scripted HTTP server on loopback for shapes that no sandbox sends, and the sandbox itself, started once."""

import csv
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


@dataclass
class Call:
    """One request that reached the scripted server; parameters of query and form together."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    """One answer: a JSON object or exact bytes."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class ScriptedServer:
    """Answers each request with what `answer` returns and remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Reply] = lambda call: Reply()
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                split = urlsplit(self.path)
                form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                params = {k: v[0] for k, v in {**parse_qs(split.query), **parse_qs(form)}.items()}
                call = Call(self.command, split.path, params, dict(self.headers.items()))
                scripted.calls.append(call)
                reply = scripted.answer(call)
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(reply.content)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.content)

            do_GET = do_POST = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A scripted HTTP server; set `.answer`."""
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def reply() -> type[Reply]:
    """The answers of the scripted server."""
    return Reply


TODAY = date(2026, 5, 31)
HEADER = [
    *("platform", "account_id", "account_name", "currency", "timezone", "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name"),
    *("date", "impressions", "clicks", "spend", "conversions", "conversions_value"),
]


def _dataset() -> Iterator[list[Any]]:
    """Two small accounts per platform at both ends of the world's time, and one Google account of 25,000 ad rows."""
    accounts = {
        "google_ads": [("1000000001", "JPY", "Pacific/Auckland"), ("1000000002", "USD", "Pacific/Pago_Pago")],
        "meta_ads": [("2001", "KWD", "Pacific/Auckland"), ("2002", "USD", "America/New_York")],
        "yandex_direct": [("direct-a", "RUB", "Europe/Moscow"), ("direct-b", "RUB", "Europe/Moscow")],
    }
    for platform, listed in accounts.items():
        for account_id, currency, zone in listed:
            for back in range(20):
                day = TODAY + timedelta(days=1 - back)
                for ad in (1, 2):
                    names = ("101", 'Campaign "One", 50%', "201", "Группа", str(300 + ad), f"Ad {ad}")
                    numbers = (1000 + back, 10 + ad, f"{back}.{ad:02d}", 2 * ad, f"{ad}0.50")
                    yield [platform, account_id, f"{platform} {account_id}", currency, zone, *names, day, *numbers]
                yield [
                    platform,
                    account_id,
                    f"{platform} {account_id}",
                    currency,
                    zone,
                    "102",
                    "Performance Max",
                    "",
                    "",
                    "",
                    "",
                    day,
                    500,
                    5,
                    "3.33",
                    "1.5",
                    "7.25",
                ]
    for ad in range(250):
        for back in range(100):
            names = ("109", "Big", "209", "Big group", str(9000 + ad), f"Ad {ad}")
            yield ["google_ads", "1000000009", "Big", "EUR", "Europe/Berlin", *names, TODAY - timedelta(days=back), 100, 1, "0.01", "0.5", "1"]


@pytest.fixture(scope="session")
def sandbox(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sandbox of the connectors' tests; its clock stands at noon UTC of TODAY."""
    path: Path = tmp_path_factory.mktemp("dataset") / "ads.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *_dataset()])
    return start_sandbox(TODAY, path)


@pytest.fixture
def faults(sandbox: Any) -> Iterator[Callable[..., None]]:
    """Script faults of the sandbox; what is left of them goes with the test."""
    yield sandbox.fault
    sandbox.control("faults", method="DELETE")
