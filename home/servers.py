"""Local servers that processes share: started once under a lock, kept by leases, gone a minute after the last user.

A lease is a file that its holder keeps locked with flock: the kernel frees it however the holder dies.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from domain.errors import ConfigurationError
from home.directory import Home

State = Mapping[str, Any]
"""What a server writes into its state file: at least pid and url; passwords too (the file is 0600)."""


class Lease:
    """A hold on a named server; closing it, or dying, gives it up."""

    def __init__(self, home: Home, server: str) -> None:
        directory = _leases(home, server)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            self._path = directory / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
            self._file = self._path.open("w")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if os.fstat(self._file.fileno()).st_nlink:  # the server may have swept the file before it was locked
                break
            self._file.close()

    def close(self) -> None:
        """Give the lease up; twice is harmless."""
        if not self._file.closed:
            self._path.unlink(missing_ok=True)
            self._file.close()

    def __enter__(self) -> "Lease":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def leased(home: Home, server: str) -> bool:
    """Tell whether any living process holds a lease on the server; dead holders' files are removed."""
    directory = _leases(home, server)
    found = False
    for path in directory.iterdir() if directory.exists() else ():
        try:
            with path.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except BlockingIOError:
            found = True
        except FileNotFoundError:
            continue
    return found


def read_state(home: Home, server: str) -> State | None:
    """Read a server's state file, None where there is none."""
    try:
        state: State = json.loads(state_path(home, server).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return state


def write_state(home: Home, server: str, state: State) -> None:
    """Replace a server's state file in one step, readable by its owner only."""
    path = state_path(home, server)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(dict(state), file)
    os.replace(temporary, path)


def state_path(home: Home, server: str) -> Path:
    """Name the state file of a server."""
    return home.directory("state") / f"{server}.json"


@contextmanager
def locked(home: Home, name: str) -> Iterator[None]:
    """Hold a lock of the home for a block; waits for its holder."""
    with (home.directory("state") / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def attach(home: Home, server: str, *, alive: Callable[[State], bool], command: Sequence[str], timeout: float = 60.0) -> tuple[State, Lease]:
    """Use a running server, or start it with `python -m <command>` under the server's lock and wait until it answers.

    The child is detached (own session), logs into the home, and watches its leases itself.
    Raises ConfigurationError with the end of its log when it does not come up within `timeout` seconds.
    """
    lease = Lease(home, server)
    try:
        with locked(home, server):
            state = read_state(home, server)
            if state is None or not alive(state):
                state = _start(home, server, alive, command, timeout, stale=state)
    except BaseException:
        lease.close()
        raise
    return state, lease


def _start(home: Home, server: str, alive: Callable[[State], bool], command: Sequence[str], timeout: float, *, stale: State | None) -> State:
    """Start the server; what a dead one said of itself goes first, but not what one says that somebody else has just started."""
    if stale is not None and read_state(home, server) == stale:
        state_path(home, server).unlink(missing_ok=True)
    log = home.directory("logs") / f"{server}.log"
    with log.open("ab") as output:
        child = subprocess.Popen([sys.executable, "-m", *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)  # noqa: S603
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        state = read_state(home, server)
        if state is not None and alive(state):
            return state
        if child.poll() is not None:
            break
        time.sleep(0.02)
    tail = log.read_text(errors="replace")[-1500:].strip()
    if child.poll() is None:
        child.terminate()
    why = tail.splitlines()[-1] if tail else "it printed nothing"
    raise ConfigurationError(f"The {server} server did not start", why=why, fix=f"Read {log}, then run ./run doctor")


def _leases(home: Home, server: str) -> Path:
    return home.directory("state") / f"{server}.leases"
