"""The engine: one chDB directory owned by this process, and handles on it, one per request or session."""

import hashlib
import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol
from xml.sax.saxutils import escape

from warehouse.embedded.exceptions import QueryFailed

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_CONFIGURATION = """<clickhouse>
    <default_database></default_database>
    <database>default</database>
    <timezone>UTC</timezone>
    <display_name>{display_name}</display_name>
    <logger><level>none</level></logger>
    <users_config>{users}</users_config>
    <query_log>
        <database>system</database>
        <table>query_log</table>
        <partition_by>toYYYYMM(event_date)</partition_by>
        <ttl>event_date + INTERVAL 30 DAY</ttl>
    </query_log>
    <backups><allowed_path>{backups}</allowed_path></backups>
</clickhouse>
"""
_USERS = """<clickhouse>
    <profiles><default></default></profiles>
    <users>
        <default>
            <auth_methods>
                <own><password></password></own>
                <clients><password_sha256_hex>{password}</password_sha256_hex></clients>
            </auth_methods>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
            <named_collection_control>1</named_collection_control>
        </default>
    </users>
    <quotas><default></default></quotas>
</clickhouse>
"""
_ADMIN = "mrm-admin"
_SEPARATORS = re.compile(r"[&\x00\n\r]")
CARRIER = "chdb_client_name"
"""The setting in which a handle carries its query id: chDB gives no way to choose the id itself."""


@dataclass(frozen=True)
class Outcome:
    """What a finished query says of itself: its answer (empty where it went into a pipe), counts and seconds."""

    body: bytes = b""
    result_rows: int = 0
    result_bytes: int = 0
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed: float = 0.0
    total_rows: int = 0


class _Result(Protocol):
    """What chDB returns for a query; for an insert it has the counts of writing alone."""

    def bytes(self) -> bytes: ...
    def rows_read(self) -> int: ...
    def bytes_read(self) -> int: ...
    def storage_rows_read(self) -> int: ...
    def storage_bytes_read(self) -> int: ...
    def rows_written(self) -> int: ...
    def bytes_written(self) -> int: ...
    def elapsed(self) -> float: ...


class _Connection(Protocol):
    """chDB's connection, as far as it is used here."""

    def query(self, query_str: bytes | str, format: str, *, params: dict[str, str]) -> _Result: ...  # noqa: A002 chDB's name
    def send_insert(self, query_str: bytes, format: str) -> object: ...  # noqa: A002 chDB's name
    def insert_append(self, stream: object, data: bytes) -> None: ...
    def insert_done(self, stream: object) -> _Result: ...
    def insert_cancel(self, stream: object) -> None: ...
    def classify_query(self, sql: bytes) -> Mapping[str, Enum]: ...
    def send_query(self, query_str: bytes | str, format: str, *, params: dict[str, str]) -> object: ...  # noqa: A002 chDB's name
    def streaming_fetch_result(self, stream: object) -> _Result: ...
    def streaming_cancel_query(self, stream: object) -> None: ...
    def set_progress_callback(self, callback: Callable[[Mapping[str, int]], None] | None) -> None: ...
    def close(self) -> None: ...


class Handle:
    """A connection to the engine with settings of its own. One query at a time; another thread may kill it."""

    def __init__(self, engine: "Engine", connection: _Connection, carrier: str) -> None:
        self._engine = engine
        self._connection = connection
        self.carrier = carrier
        self.progress: Mapping[str, int] = {}
        """The counts of the running or last query, as the engine last told them."""
        connection.set_progress_callback(self._note)

    def _note(self, progress: Mapping[str, int]) -> None:
        self.progress = progress

    def run(self, sql: bytes | str, format_: str = "TabSeparated", parameters: Mapping[str, str] | None = None) -> Outcome:
        """Run one statement and hold its whole answer. Raises QueryFailed."""
        try:
            result = self._connection.query(sql, format_, params=dict(parameters or {}))
        except (RuntimeError, UnicodeDecodeError) as error:
            raise QueryFailed.parse(_words(error)) from None
        return _outcome(result)

    def stream(self, sql: bytes | str, format_: str, parameters: Mapping[str, str] | None = None) -> Generator[bytes, None, None]:
        """Run a SELECT and yield its blocks, each a document of the format, as they are made. Raises QueryFailed, also between blocks."""
        try:
            stream = self._connection.send_query(sql, format_, params=dict(parameters or {}))
        except (RuntimeError, UnicodeDecodeError) as error:
            raise QueryFailed.parse(_words(error)) from None
        ended = False
        try:
            while True:
                chunk = self._connection.streaming_fetch_result(stream)
                if not chunk.rows_read():
                    ended = True
                    return
                yield bytes(chunk.bytes())
        except (RuntimeError, UnicodeDecodeError) as error:
            ended = True
            raise QueryFailed.parse(_words(error)) from None
        finally:
            if not ended:
                self._connection.streaming_cancel_query(stream)

    def apply(self, settings: Mapping[str, str]) -> None:
        """SET settings for the rest of this handle's life."""
        for name in settings:
            if not _NAME.match(name):
                raise QueryFailed.named("UNKNOWN_SETTING", f"Unknown setting '{name}'")
        if settings:
            self.run("SET " + ", ".join(f"{name} = {quote(value)}" for name, value in settings.items()))

    def identify(self, query_id: str) -> None:
        """Carry another query's id from now on."""
        self.run(f"SET {CARRIER} = {quote(query_id)}")
        self.carrier = query_id

    def bind(self, parameters: Mapping[str, str]) -> None:
        """SET query parameters, for statements that the engine takes no parameters with."""
        self.apply({f"param_{name}": value for name, value in parameters.items()})

    def insert(self, statement: bytes, format_: str) -> "Insertion":
        """Begin an INSERT whose data follow in pieces; `statement` ends before FORMAT. Raises QueryFailed."""
        try:
            return Insertion(self._connection, self._connection.send_insert(statement, format_))
        except (RuntimeError, UnicodeDecodeError) as error:
            raise QueryFailed.parse(_words(error)) from None

    def changes(self, sql: bytes) -> bool:
        """Tell whether a statement would do anything but read, as the engine's own parser sees it."""
        return self._connection.classify_query(sql)["query_class"].name in ("MUTATING", "CONTROL")

    def kill(self) -> None:
        """Make the engine stop what this handle runs; from another thread, without waiting."""
        self._engine.kill(self.carrier)

    def close(self) -> None:
        """Give the handle back to the engine; temporary tables and settings go with it."""
        self._connection.close()


class Insertion:
    """An INSERT in progress: pieces of data in its format, then `finish` or `cancel`."""

    def __init__(self, connection: _Connection, stream: object) -> None:
        self._connection = connection
        self._stream = stream

    def append(self, data: bytes) -> None:
        """Hand over a piece; waits while the engine is busy. Raises QueryFailed where the data do not parse."""
        try:
            self._connection.insert_append(self._stream, data)
        except RuntimeError as error:
            raise QueryFailed.parse(_words(error)) from None

    def finish(self) -> Outcome:
        """Commit. Raises QueryFailed."""
        try:
            return _outcome(self._connection.insert_done(self._stream))
        except RuntimeError as error:
            raise QueryFailed.parse(_words(error)) from None

    def cancel(self) -> None:
        """Break off: what is not yet a part never becomes one."""
        try:
            self._connection.insert_cancel(self._stream)
        except RuntimeError as error:
            raise QueryFailed.parse(_words(error)) from None


class Engine:
    """The ClickHouse engine over one directory. A process has at most one."""

    def __init__(self, directory: Path, display_name: str, password: str = "") -> None:
        self.directory = directory
        self.display_name = display_name
        self._password = password
        self._settings: frozenset[str] = frozenset()
        self.backups = directory / "backups"
        self.data = directory / "data"
        self._root: _Connection | None = None
        self._connect: Callable[[str], _Connection] | None = None
        self._admin: Handle | None = None
        self._admin_lock = threading.Lock()
        self.version = ""

    def open(self) -> None:
        """Load the directory; this process's time zone becomes UTC with the engine's.

        Raises QueryFailed; the engine's own words are on standard error by then.
        """
        os.environ["TZ"] = "UTC"
        time.tzset()
        from chdb import _chdb

        self._connect = getattr(_chdb, "connect")  # noqa: B009 the stubs do not know it
        self.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._prepare_databases()
        configuration = self.directory / "config.xml"
        users = self.directory / "users.xml"
        users.touch(mode=0o600)
        users.write_text(_USERS.format(password=hashlib.sha256(self._password.encode()).hexdigest()))
        values = {"display_name": self.display_name, "backups": str(self.backups), "users": str(users)}
        configuration.write_text(_CONFIGURATION.format(**{name: escape(value) for name, value in values.items()}))
        try:
            self._root = self._open_connection(f"{self.data}?config-file={configuration}")
        except RuntimeError as error:
            raise QueryFailed.parse(str(error)) from None
        self._admin = self.handle(carrier=_ADMIN, settings={"log_queries": "0"})
        self.version = self._admin.run("SELECT version()").body.decode().strip()
        self._settings = frozenset(self._admin.run("SELECT name FROM system.settings").body.decode().split())

    def _open_connection(self, address: str) -> _Connection:
        if self._connect is None:
            raise QueryFailed.named("ABORTED", "The engine is not open")
        return self._connect(address)

    def _prepare_databases(self) -> None:
        """Make `default` and `system` ordinary Atomic databases before the first start, as on a server.

        chDB's own default is an Overlay over the working directory, and its system database forgets the query log. The two lines
        are what ClickHouse itself writes for ATTACH; a directory that already has such a database keeps its tables.
        """
        metadata = self.data / "metadata"
        metadata.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("default", "system"):
            definition = metadata / f"{name}.sql"
            if not definition.exists():
                if name == "system":  # logs of a system database in memory, which the engine drops at its start anyway
                    shutil.rmtree(self.data / "data" / name, ignore_errors=True)
                link = metadata / name
                identity = link.readlink().name if link.is_symlink() else str(uuid.uuid4())
                temporary = definition.with_suffix(".tmp")
                temporary.write_text(f"ATTACH DATABASE _ UUID '{identity}'\nENGINE = Atomic\n")
                os.replace(temporary, definition)

    def handle(self, *, carrier: str, database: str = "", settings: Mapping[str, str] | None = None) -> Handle:
        """Open a fresh handle: a server's defaults, no settings of anybody else's, in a database.

        What chDB's address can carry is set there, without a statement in the query log; the rest by SET.
        Raises QueryFailed for an unknown setting, a malformed value or an unknown database.
        """
        wanted = {"implicit_select": "0", "allow_introspection_functions": "0", CARRIER: carrier, **(settings or {})}
        if database:
            wanted["database"] = database
        known = self._settings or wanted.keys()
        carried = {name: value for name, value in wanted.items() if name in known and value and not _SEPARATORS.search(value)}
        try:
            connection = self._open_connection(f"{self.data}?{'&'.join(f'{name}={value}' for name, value in carried.items())}")
        except RuntimeError as error:
            raise QueryFailed.parse(str(error)) from None
        handle = Handle(self, connection, carrier)
        try:
            handle.apply({name: value for name, value in wanted.items() if name not in carried and name != "database"})
            if database and "database" not in carried:
                handle.run("USE " + quote_name(database))
        except QueryFailed:
            handle.close()
            raise
        return handle

    def kill(self, carrier: str) -> None:
        """Stop every running query that carries this id."""
        with self._admin_lock:
            if self._admin:
                self._admin.run(f"KILL QUERY WHERE Settings['{CARRIER}'] = {quote(carrier)} ASYNC")

    def kill_all(self) -> None:
        """Stop every running query, for the end of the server."""
        with self._admin_lock:
            if self._admin:
                self._admin.run(f"KILL QUERY WHERE Settings['{CARRIER}'] != '{_ADMIN}' ASYNC")

    def close(self) -> None:
        """Stop the engine once every handle is closed; flushes the logs."""
        with self._admin_lock:
            if self._admin:
                self._admin.close()
                self._admin = None
        if self._root is not None:
            self._root.close()
            self._root = None


def quote(text: str) -> str:
    """Quote a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(text: str) -> str:
    """Quote an identifier."""
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _words(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return bytes(error.object).decode(errors="replace")
    return str(error)


def _outcome(result: _Result) -> Outcome:
    inserted = not hasattr(result, "bytes")
    return Outcome(
        body=b"" if inserted else bytes(result.bytes()),
        result_rows=0 if inserted else result.rows_read(),
        result_bytes=0 if inserted else result.bytes_read(),
        read_rows=0 if inserted else result.storage_rows_read(),
        read_bytes=0 if inserted else result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        elapsed=result.elapsed(),
    )
