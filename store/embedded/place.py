"""Where the server lives and as whom it runs: the home for an ordinary user, a directory of ours outside it for root."""

import json
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigurationError, DiskFull
from home.directory import MARKER, Home
from store.embedded.binaries import Binaries, copied, wheel

USERS = ("postgres", "nobody", "daemon")
"""Unprivileged users that usual systems have, first choice first; we never make one."""
_RECORD = "home.json"


@dataclass(frozen=True)
class Place:
    """A data directory, the binaries that run it, and the user's ids (None: our own)."""

    data: Path
    binaries: Binaries
    uid: int | None = None
    gid: int | None = None


def place_of(home: Home, outside: Path) -> Place:
    """Return the home's place, made on first use; as root also sweep the places whose home is gone.

    Raises ConfigurationError where root has no unprivileged user or cannot write `outside`.
    """
    if os.geteuid() != 0:
        return Place(home.directory("postgres") / "data", wheel())
    user = _unprivileged_user()
    try:
        sweep(outside)
        directory = _claim(home, outside)
        binaries = copied(directory / "binaries")
        subprocess.run(  # noqa: S603
            [str(binaries.program("postgres")), "--version"],
            cwd=directory,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        if "No space left on device" in str(error) or "Disk quota exceeded" in str(error):
            raise DiskFull(f"The embedded PostgreSQL does not fit into {outside}", why=str(error), fix="Free 100 MB there, then start again") from error
        raise ConfigurationError(
            f"The embedded PostgreSQL cannot run as {user.pw_name} in {outside}",
            why=f"PostgreSQL refuses to run as root, and {error}",
            fix="Set MRM_STORE_OUTSIDE to a directory that every user can reach, run as an ordinary user, or set MRM_DATABASE_URL",
        ) from error
    return Place(directory / "data", binaries, user.pw_uid, user.pw_gid)


def sweep(outside: Path) -> list[Path]:
    """Delete our directories whose home is gone, and return them; one whose disk is not mounted is left alone."""
    swept = []
    for record in sorted(outside.glob(f"*/{_RECORD}")):
        try:
            told = json.loads(record.read_text())
            gone = _gone(Path(told["home"]), told["id"], told["device"])
        except (OSError, ValueError, KeyError):
            continue
        if gone and not _in_use(record.parent / "data"):
            shutil.rmtree(record.parent, ignore_errors=True)
            swept.append(record.parent)
    return swept


def process_in(data: Path) -> int | None:
    """Return the process id of a live postgres that has this data directory, or None.

    The number in postmaster.pid alone proves nothing, as numbers are given out again: the process must stand in the directory.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, IndexError, ProcessLookupError):
        return None
    except PermissionError:
        return pid
    proc = Path("/proc", str(pid), "cwd")
    if not Path("/proc/self").exists():
        return pid
    try:
        return pid if proc.readlink() == data.resolve() else None
    except FileNotFoundError:
        return None
    except PermissionError:
        return pid


def _gone(home: Path, home_id: str, device: int) -> bool:
    """Tell whether a home was deleted: its disk is there, and no marker with its id."""
    try:
        return bool(json.loads((home / MARKER).read_text())["id"] != home_id)
    except FileNotFoundError:
        nearest = next(p for p in (home, *home.parents) if p.exists())
        return nearest.stat().st_dev == device


def _in_use(data: Path) -> bool:
    return process_in(data) is not None


def _claim(home: Home, outside: Path) -> Path:
    """Make the home's directory outside it, record both ways, and touch no mode but of what we make."""
    if not outside.exists():
        outside.mkdir(parents=True, mode=0o755)
        outside.chmod(0o755)
    directory = outside / home.id
    if not directory.exists():
        directory.mkdir(mode=0o755)
        directory.chmod(0o755)
    _refuse_copies(home, directory / _RECORD)
    known = [p for p in home.settings.get("outside", "").split(os.pathsep) if p]
    if str(directory) not in known:
        home.remember(outside=os.pathsep.join([*known, str(directory)]))
    record = {"home": str(home.path), "id": home.id, "device": home.path.stat().st_dev}
    (directory / _RECORD).write_text(json.dumps(record))
    return directory


def _refuse_copies(home: Home, record: Path) -> None:
    """Raise ConfigurationError when another home with this id still stands where the record says."""
    if not record.exists():
        return
    other = Path(json.loads(record.read_text())["home"])
    if other != home.path and (other / MARKER).exists() and json.loads((other / MARKER).read_text()).get("id") == home.id:
        raise ConfigurationError(
            f"{home.path} is a copy of {other}, whose database lives in {record.parent}",
            why="Two homes cannot share one database directory",
            fix=f"Use {other}, or an empty directory and restore a backup into it",
        )


def _unprivileged_user() -> pwd.struct_passwd:
    for name in USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if user.pw_uid != 0:
            return user
    raise ConfigurationError(
        "The embedded PostgreSQL cannot run as root",
        why=f"None of the users {', '.join(USERS)} exists",
        fix="Run as an ordinary user, or set MRM_DATABASE_URL",
    )
