"""Sessions: handles that outlive a request, with their temporary tables and SETs; one request at a time in each.

Most clients name a session and never put anything into it: such a session has no handle, and each of its requests gets a fresh one.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from warehouse.embedded.engine import Engine, Handle, quote, quote_name
from warehouse.embedded.exceptions import QueryFailed


class Session:
    """One session. Its handle is made when a statement first leaves something behind."""

    def __init__(self, engine: Engine, timeout: float) -> None:
        self._engine = engine
        self.timeout = timeout
        self.handle: Handle | None = None
        self._database: str | None = None
        self.lock = threading.Lock()
        self.last_used = time.monotonic()
        self._overlay: dict[str, str] = {}
        self._own: dict[str, str | None] = {}

    def prepare(self, query_id: str, settings: Mapping[str, str], database: str, keyword: bytes) -> Handle:
        """Return the session's handle with a request's id, settings and database, which hold for that request only."""
        if self.handle is None:
            self.handle = self._engine.handle(carrier=query_id)
        else:
            self.handle.identify(query_id)
        if database and database != self._database:
            self.handle.run("USE " + quote_name(database))
        self._database = None if keyword == b"USE" or not database else database
        self._lay_over(self.handle, {} if keyword == b"SET" else settings)
        return self.handle

    def _lay_over(self, handle: Handle, settings: Mapping[str, str]) -> None:
        """Apply settings; what an earlier request laid over is taken back."""
        if dict(settings) == self._overlay:
            return
        back = {name: self._own[name] for name in self._overlay if name not in settings}
        new = {name: value for name, value in settings.items() if self._overlay.get(name) != value}
        for name in new:
            if name not in self._overlay:
                self._own[name] = self._current(handle, name)
        changes = [f"{name} = {'DEFAULT' if value is None else quote(value)}" for name, value in back.items()]
        if changes:
            handle.run("SET " + ", ".join(changes))
            self._overlay = {name: value for name, value in self._overlay.items() if name in settings}
        handle.apply(new)
        self._overlay = dict(settings)

    def close(self) -> None:
        """Let the handle go, and with it temporary tables and settings."""
        if self.handle is not None:
            self.handle.close()
            self.handle = None

    def _current(self, handle: Handle, name: str) -> str | None:
        """Read the session's own value of a setting; None for the default."""
        rows = handle.run("SELECT value, changed FROM system.settings WHERE name = {n:String}", "TabSeparatedRaw", {"n": name}).body.decode()
        value, _, changed = rows.rstrip("\n").rpartition("\t")
        return value if changed == "1" else None


class Sessions:
    """The sessions of a server; silent ones are closed after their timeout."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    @contextmanager
    def use(self, session_id: str, *, timeout: int, check: bool) -> Iterator[Session]:
        """Hold a session for a request, made on first use unless `check`.

        Raises QueryFailed: SESSION_NOT_FOUND, or SESSION_IS_LOCKED while another request runs in it.
        """
        session = self._take(session_id, timeout, check)
        try:
            yield session
        finally:
            session.last_used = time.monotonic()
            session.timeout = timeout
            session.lock.release()

    def _take(self, session_id: str, timeout: int, check: bool) -> Session:
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                if check:
                    raise QueryFailed.named("SESSION_NOT_FOUND", f"Session {session_id} not found")
                session = self._sessions[session_id] = Session(self._engine, timeout)
            if not session.lock.acquire(blocking=False):
                raise QueryFailed.named("SESSION_IS_LOCKED", f"Session {session_id} is locked by a concurrent client")
            return session

    def close(self, session_id: str) -> None:
        """End a session that nobody uses."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None or not session.lock.acquire(blocking=False):
                return
            del self._sessions[session_id]
        session.close()

    def sweep(self) -> None:
        """Close the sessions that were silent for longer than their timeout."""
        now = time.monotonic()
        with self._lock:
            names = [name for name, session in self._sessions.items() if now - session.last_used > session.timeout]
        for name in names:
            self.close(name)

    def close_all(self) -> None:
        """Close every session, for the end of the server."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            with session.lock:
                session.close()
