"""Who owns a ClickHouse directory: a lock that the kernel frees, and the owner's name beside it."""

import fcntl
import json
import os
import time
from pathlib import Path

from domain.errors import DirectoryTaken

_PATIENCE = 15.0
"""Seconds to wait for an owner that says it is stopping."""


def owner(directory: Path) -> int | None:
    """Return the pid of the living process that owns the directory, None where nobody does."""
    path = directory / "owner.json"
    if not path.exists():
        return None
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(_read(path).get("pid", 0))
    return None


def starting(directory: Path) -> bool:
    """Tell whether the directory's owner is on its way up: it will answer in a moment."""
    known = _read(directory / "owner.json")
    return owner(directory) is not None and not known.get("ready") and not known.get("stopping")


def foreign_owner(data: Path) -> int | None:
    """Return the pid of another ClickHouse engine (a chDB session, say) that holds a data directory, by the engine's own lock."""
    path = data / "status"
    if not path.exists():
        return None
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            first = path.read_text().partition("\n")[0]
            return int(first.removeprefix("PID: ")) if first.startswith("PID: ") else 0
    return None


class Ownership:
    """Hold a directory for the life of this process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "owner.json"

    def __enter__(self) -> "Ownership":
        self._file = self._path.open("a+")
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                known = _read(self._path)
                leaving = known.get("stopping") or not _alive(int(known.get("pid", 0)))
                if not leaving or time.monotonic() > deadline:
                    self._file.close()
                    raise taken(self._directory, int(known.get("pid", 0))) from None
                time.sleep(0.05)
        self._say()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def ready(self) -> None:
        """Say that the server answers and has told where."""
        self._say(ready=True)

    def stopping(self) -> None:
        """Say that the directory will be free in a moment, so that a successor waits for it."""
        self._say(stopping=True)

    def _say(self, *, ready: bool = False, stopping: bool = False) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"pid": os.getpid(), "ready": ready, "stopping": stopping}))
        self._file.flush()


def taken(directory: Path, pid: int) -> DirectoryTaken:
    """Make the error that names the owner."""
    return DirectoryTaken(
        f"The ClickHouse directory {directory} is owned by process {pid}",
        why="a chDB directory can be open in one process only",
        fix=f"Use that server, stop it (kill {pid}), or pass another --home",
    )


def _alive(pid: int) -> bool:
    """Tell whether a process lives; a lock that a dead one left is somebody's look at it, and gone in a moment."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _read(path: Path) -> dict[str, int | bool]:
    try:
        known: dict[str, int | bool] = json.loads(path.read_text() or "{}")
    except (OSError, ValueError):
        return {}
    return known
