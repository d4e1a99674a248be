"""One ClickHouse endpoint: the home's embedded server, or any server by MRM_CLICKHOUSE_URL."""

import http.client
import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import ConfigurationError, Unreachable
from home.directory import Home
from home.servers import Lease, State, attach, read_state
from warehouse.embedded.ownership import owner, starting, taken
from warehouse.failures import reason

SERVER = "clickhouse"
_PATIENCE = 30.0
"""Seconds to wait for a server that another process is starting."""
_PING = 5.0
"""Seconds in which a server answers /ping; one that does not is asked anew, which says why."""


class WarehouseSettings(BaseSettings):
    """Where ClickHouse is. `clickhouse_url` (MRM_CLICKHOUSE_URL): http(s)://user:password@host:port/database; unset: embedded."""

    model_config = SettingsConfigDict(env_prefix="MRM_", extra="ignore")

    clickhouse_url: str | None = None


class Warehouse:
    """A ClickHouse endpoint, held open by a lease where it is the home's embedded server. Thread-safe."""

    def __init__(self, *, host: str, port: int, user: str, password: str, database: str = "default", secure: bool = False) -> None:
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self.secure = secure
        self.backups: Path | None = None
        """Where the embedded server may write and read archives; None for any other server."""
        self._clients: dict[tuple[bool, int, str], Client] = {}
        self._lease: Lease | None = None
        self._home: Home | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(cls, home: Home, settings: WarehouseSettings | None = None) -> "Warehouse":
        """Attach to the home's embedded server, starting it where none runs, or use the server that the settings name.

        Raises DirectoryTaken, ConfigurationError where the embedded server cannot start, Unreachable where the named one does not answer.
        """
        settings = settings or WarehouseSettings()
        if settings.clickhouse_url:
            return cls._at(settings.clickhouse_url)
        state, lease = cls._attach(home)
        warehouse = cls(host=state["host"], port=state["port"], user=state["user"], password=state["password"])
        warehouse.backups = home.directory(SERVER) / "backups"
        warehouse._lease, warehouse._home = lease, home
        return warehouse

    @staticmethod
    def _attach(home: Home) -> tuple[State, Lease]:
        """Attach to the running server, to one that somebody is just starting, or to a new one."""
        directory = home.directory(SERVER)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return attach(home, SERVER, alive=partial(_alive, home), command=("warehouse.embedded", "--home", str(home.path)))
            except ConfigurationError:
                pid = owner(directory)
                if not pid:
                    raise
                while starting(directory) and time.monotonic() < deadline:
                    time.sleep(0.02)
                state = read_state(home, SERVER)
                if state is None or not _alive(home, state):
                    raise taken(directory, pid) from None

    @staticmethod
    def stop(home: Home, timeout: float = 30.0) -> bool:
        """Stop the home's embedded server now, leases or not, and wait for its end; False where none runs."""
        pid = owner(home.directory(SERVER))
        if not pid:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while owner(home.directory(SERVER)) == pid:
            if time.monotonic() > deadline:
                raise ConfigurationError(f"The ClickHouse server (process {pid}) does not stop", fix=f"kill -9 {pid}; what was committed is safe")
            time.sleep(0.02)
        _await_end(pid, seconds=5.0)
        return True

    @classmethod
    def _at(cls, url: str) -> "Warehouse":
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "clickhouse", "clickhouses") or not parts.hostname:
            raise ConfigurationError(
                f"MRM_CLICKHOUSE_URL {parts.scheme}://… is not a ClickHouse HTTP address", fix="Give http(s)://user:password@host:port/database"
            )
        secure = parts.scheme in ("https", "clickhouses")
        warehouse = cls(
            host=parts.hostname,
            port=parts.port or (8443 if secure else 8123),
            user=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=parts.path.strip("/") or "default",
            secure=secure,
        )
        warehouse.client().close()
        return warehouse

    @property
    def url(self) -> str:
        """Return the address without credentials."""
        return f"http{'s' if self.secure else ''}://{self.host}:{self.port}"

    def client(self, readonly: bool = False) -> Client:
        """Return a client (a context manager) of a server that answers now. `readonly` ones cannot write, whatever they are asked.

        It has no session, so threads share it: what a server says of itself is asked once. Its own settings must not be changed.
        Decimals, dates and integers arrive exact; nothing is compressed on loopback. Raises Unreachable.
        """
        key = (readonly, self.port, self.password)
        known = self._clients.get(key)
        if known is None or not known.ping(_PING):
            known = self._clients[key] = self._connect(readonly)
        return known

    def _connect(self, readonly: bool) -> Client:
        local = self.host in ("127.0.0.1", "localhost", "::1")
        settings = {"readonly": "1"} if readonly else None
        try:
            return clickhouse_connect.get_client(
                host=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                database=self.database,
                secure=self.secure,
                compress=not local,
                settings=settings,
                autogenerate_session_id=False,
                query_limit=0,
                send_receive_timeout=1800,
                client_name="mrm",
            )
        except (ClickHouseError, OSError) as error:
            raise Unreachable(f"ClickHouse at {self.url} does not answer", why=reason(error), fix="Start it, or correct MRM_CLICKHOUSE_URL") from error

    def dbt_environment(self) -> dict[str, str]:
        """Return the environment that dbt/profiles.yml reads."""
        return {
            "MRM_DBT_HOST": self.host,
            "MRM_DBT_PORT": str(self.port),
            "MRM_DBT_USER": self.user,
            "MRM_DBT_PASSWORD": self.password,
            "MRM_DBT_SECURE": str(self.secure).lower(),
        }

    def keep(self) -> None:
        """Start the embedded server again, on the same port, when it was killed; a no-op while it answers, and with a URL."""
        with self._lock:
            if self._lease is None or self._home is None or answers({"host": self.host, "port": self.port}, timeout=2.0):
                return
            command = ("warehouse.embedded", "--home", str(self._home.path), "--port", str(self.port))
            state, lease = attach(self._home, SERVER, alive=partial(_alive, self._home), command=command)
            self.port, self.user, self.password = state["port"], state["user"], state["password"]
            self._lease.close()
            self._lease = lease

    def close(self) -> None:
        """Give the lease up; the embedded server stops a minute after the last one. Twice is harmless."""
        with self._lock:
            if self._lease is not None:
                self._lease.close()
                self._lease = None

    def __enter__(self) -> "Warehouse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _alive(home: Home, state: State) -> bool:
    """Tell whether the server of a state file owns the home's directory (and not just the port) and answers."""
    return owner(home.directory(SERVER)) == state["pid"] and answers(state, timeout=5.0)


def _await_end(pid: int, seconds: float) -> None:
    """Wait until a process has ended; one that another parent has not taken leave of counts as there, so not for ever."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return
        except ChildProcessError:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
        time.sleep(0.01)


def answers(state: Mapping[str, object], timeout: float) -> bool:
    """Ask /ping of the server that a state file names."""
    connection = http.client.HTTPConnection(str(state["host"]), int(str(state["port"])), timeout=timeout)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().read() == b"Ok.\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
