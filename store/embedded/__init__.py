"""A PostgreSQL of the home's own: the binaries that a wheel carries, started on 127.0.0.1 and supervised by us.

`attach` uses the running server or starts one (`python -m store.embedded --home DIR`); a lease keeps it, and a minute
after the last lease it stops. As root it runs as an unprivileged user, in a directory of ours outside the home.
"""

import json
import shutil
import time
from dataclasses import dataclass

from domain.errors import ConfigurationError, DirectoryTaken, DiskFull
from home.directory import Home
from home.servers import Lease, State
from home.servers import attach as attach_server
from store.embedded.supervisor import PATIENCE, SERVER, failure_path, reached, supervised
from store.settings import StoreSettings

_LEAST = 1 << 20
_KINDS = {error.__name__: error for error in (ConfigurationError, DirectoryTaken, DiskFull)}


@dataclass(frozen=True)
class EmbeddedServer:
    """A running embedded PostgreSQL. `url` is for the owner of the tables; `superuser_url` for backup and tests."""

    url: str
    superuser_url: str
    port: int
    pid: int
    data: str


def attach(home: Home, settings: StoreSettings | None = None, *, keep: bool = False) -> tuple[EmbeddedServer, Lease]:
    """Use or start the home's PostgreSQL, and hold it until the lease is closed.

    Raises DirectoryTaken, DiskFull or ConfigurationError with the reason that the server gave.
    """
    settings = settings or StoreSettings()
    command = ["store.embedded", "--home", str(home.path), "--outside", str(settings.outside), *(["--keep"] if keep else [])]
    failure_path(home).unlink(missing_ok=True)
    try:
        state, lease = attach_server(home, SERVER, alive=lambda s: answers(home, s), command=command, timeout=2 * PATIENCE)
    except ConfigurationError as error:
        raise _told(home) or _full(home) or error from None
    return EmbeddedServer(url=state["url"], superuser_url=state["superuser_url"], port=state["port"], pid=state["pid"], data=state["data"]), lease


def answers(home: Home, state: State) -> bool:
    """Tell by a connection, never by a process id, whether the server works; one that restarts gets 30 seconds."""
    deadline = time.monotonic() + PATIENCE
    while supervised(home):
        if reached(state):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return False


def _told(home: Home) -> ConfigurationError | None:
    """Read the error that the server's process left before it ended."""
    try:
        told = json.loads(failure_path(home).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return _KINDS.get(told["kind"], ConfigurationError)(told["what"], why=told["why"], fix=told["fix"])


def _full(home: Home) -> DiskFull | None:
    """Tell a disk on which not even a reason could be written."""
    if shutil.disk_usage(home.path).free > _LEAST:
        return None
    return DiskFull(f"No space is left on the disk of {home.path}", fix="Free space there, then start again: nothing written is lost")


__all__ = ["SERVER", "EmbeddedServer", "answers", "attach", "supervised"]
