"""The server process: owns the directory, listens on loopback, watches its leases, stops cleanly."""

import errno
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httptools

from domain.errors import ConfigurationError, DiskFull
from home.directory import Home
from home.servers import State, leased, locked, state_path, write_state
from warehouse.embedded.engine import Engine
from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.handler import Handler
from warehouse.embedded.http import Connection, Disconnected
from warehouse.embedded.ownership import Ownership, foreign_owner, taken
from warehouse.embedded.sessions import Sessions
from warehouse.embedded.waiting import readable

NAME = "clickhouse"
USER = "default"
HOST = "127.0.0.1"
DISPLAY_NAME = "mrm-embedded"
LINGER = 60.0
"""Seconds that the server stays after its last lease."""
_QUERIES = 256
_PORTS = 20


class Server:
    """One engine behind one listening socket."""

    def __init__(self, home: Home, port: int = 0, *, keep: bool = False, linger: float = LINGER) -> None:
        self._home = home
        self._port = port
        self._keep = keep
        self._linger = linger
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake_reader, self._wake_writer = os.pipe()
        self._state: State = {}

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT, or a minute without leases. Raises DirectoryTaken, ConfigurationError."""
        directory = self._home.directory(NAME)
        with Ownership(directory) as ownership:
            password = _password(self._home)
            engine = Engine(directory, DISPLAY_NAME, password)
            if (holder := foreign_owner(engine.data)) is not None:
                raise taken(directory, holder)
            try:
                engine.open()
            except (QueryFailed, OSError) as error:
                raise _cannot_open(directory, error) from error
            listener = self._listen()
            pool = ThreadPoolExecutor(_QUERIES, "query")
            sessions = Sessions(engine)
            handler = Handler(engine, sessions, pool, self._home.directory("spool"), (USER, password), self._stopping.is_set)
            port = listener.getsockname()[1]
            state = {"pid": os.getpid(), "url": f"http://{HOST}:{port}", "host": HOST, "port": port, "user": USER, "password": password}
            self._catch_signals()
            write_state(self._home, NAME, state)
            ownership.ready()
            print(f"ClickHouse {engine.version} (embedded) serves {directory} at {state['url']}", file=sys.stderr, flush=True)  # noqa: T201
            self._state = state
            try:
                self._accept(listener, handler, sessions)
            finally:
                ownership.stopping()
                self._forget_state()
                listener.close()
                self._end_connections(engine)
                sessions.close_all()
                pool.shutdown(wait=True, cancel_futures=True)
                engine.close()

    def stop(self) -> None:
        """Ask the server to stop; safe in a signal handler."""
        self._stopping.set()
        with suppress(OSError):
            os.write(self._wake_writer, b"x")

    def _catch_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def _listen(self) -> socket.socket:
        """Listen on the asked port, or on the next free one; 0 lets the system choose."""
        tried = [self._port] if self._port == 0 else range(self._port, self._port + _PORTS)
        for port in tried:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
            except OSError:
                listener.close()
                continue
            if port != self._port:
                print(f"Port {self._port} is taken, {port} is used instead", file=sys.stderr, flush=True)  # noqa: T201
            listener.listen(128)
            return listener
        raise ConfigurationError(f"No port from {self._port} to {self._port + _PORTS - 1} is free", fix="Pass another --port")

    def _accept(self, listener: socket.socket, handler: Handler, sessions: Sessions) -> None:
        last_lease = time.monotonic()
        while not self._stopping.is_set():
            if listener.fileno() in readable(listener.fileno(), self._wake_reader, seconds=1.0):
                with suppress(OSError):
                    connection = Connection(listener.accept()[0])
                    threading.Thread(target=self._serve, args=(connection, handler), daemon=True).start()
                if time.monotonic() - last_lease < 1.0:
                    continue
            sessions.sweep()
            if not state_path(self._home, NAME).exists():  # somebody who thought nobody was here took it away
                write_state(self._home, NAME, self._state)
            if self._keep or leased(self._home, NAME):
                last_lease = time.monotonic()
            elif time.monotonic() - last_lease > self._linger and self._leave():
                return

    def _leave(self) -> bool:
        """Give up the state file, unless somebody has attached meanwhile."""
        with locked(self._home, NAME):
            if leased(self._home, NAME):
                return False
            self._forget_state()
            return True

    def _forget_state(self) -> None:
        path = state_path(self._home, NAME)
        with suppress(OSError, ValueError):
            if json.loads(path.read_text()).get("pid") == os.getpid():
                path.unlink()

    def _serve(self, connection: Connection, handler: Handler) -> None:
        with self._lock:
            self._connections.add(connection)
        try:
            for request in connection.requests():
                handler.handle(connection, request)
        except Disconnected:
            pass
        except httptools.HttpParserError as error:
            _bad_request(connection, str(error))
        except Exception:  # noqa: BLE001 # house: the last line of a connection's thread; what happened is in the log, the others go on
            if not self._stopping.is_set():
                traceback.print_exc(file=sys.stderr)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _end_connections(self, engine: Engine) -> None:
        """Break off what still runs, so that the engine can close."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 10
        while self._connections and time.monotonic() < deadline:
            engine.kill_all()
            time.sleep(0.02)


def _bad_request(connection: Connection, why: str) -> None:
    with suppress(Disconnected):
        connection.send(f"HTTP/1.1 400 Bad Request\r\nConnection: Close\r\nContent-Length: {len(why) + 1}\r\n\r\n{why}\n".encode())


def _cannot_open(directory: Path, error: QueryFailed | OSError) -> ConfigurationError:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DiskFull(f"There is no space left for {directory}", why=str(error), fix="Free some disk space, then start it again")
    return ConfigurationError(
        f"The ClickHouse directory {directory} cannot be opened", why=str(error), fix="Read the lines above; restore a backup, or pass --reset"
    )


def _password(home: Home) -> str:
    """Read the password of this home, made on first use and kept, so that a restart changes nothing for clients."""
    path = home.directory("keys") / "clickhouse.password"
    if not path.exists():
        temporary = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
        os.replace(temporary, path)
    return path.read_text().strip()
