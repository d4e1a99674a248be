"""A plain HTTP client for the embedded server, so that tests see bytes, headers and statuses as they are."""

import http.client
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from warehouse.client import Warehouse


@dataclass(frozen=True)
class Reply:
    """What came back: status, headers in lower case, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def summary(self) -> dict[str, int]:
        """The counts of X-ClickHouse-Summary."""
        return {name: int(value) for name, value in json.loads(self.headers["x-clickhouse-summary"]).items()}


class Door:
    """Requests to one server, each on a connection of its own."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.host, self.port = warehouse.host, warehouse.port
        self.login = {"X-ClickHouse-User": warehouse.user, "X-ClickHouse-Key": warehouse.password}

    def target(self, parameters: Mapping[str, Any], path: str = "/") -> str:
        """The request target of some URL parameters."""
        return f"{path}?{urlencode(parameters)}" if parameters else path

    @contextmanager
    def open(
        self, method: str, body: Any = None, headers: Mapping[str, str] | None = None, path: str = "/", **parameters: Any
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request on a connection of its own and offer the response with its body unread."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, self.target(parameters, path), body=body, headers={**self.login, **(headers or {})})
            yield connection.getresponse()
        finally:
            connection.close()

    def __call__(self, body: Any = b"", *, method: str = "POST", headers: Mapping[str, str] | None = None, path: str = "/", **parameters: Any) -> Reply:
        """Send a request and read the whole reply."""
        body = body.encode() if isinstance(body, str) else body
        with self.open(method, body if method == "POST" else None, headers, path, **parameters) as response:
            return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


@pytest.fixture(scope="session")
def ask(warehouse: Warehouse) -> Door:
    """Ask the session's server: `ask("SELECT 1", database="x")`."""
    return Door(warehouse)


@pytest.fixture
def door() -> Callable[[Warehouse], Door]:
    """Make a door to any server."""
    return Door


@pytest.fixture
def database(ask: Door) -> Iterator[str]:
    """A database of the test's own."""
    name = f"test_{secrets.token_hex(4)}"
    assert ask(f"CREATE DATABASE {name}").status == 200
    yield name
    ask(f"DROP DATABASE {name} SYNC")
