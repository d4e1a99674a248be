"""A home: where everything of one installation lives. Nothing else knows its layout."""

import fcntl
import json
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from domain.clock import Clock, PinnedClock, WallClock
from domain.errors import ConfigurationError

MARKER = "home.json"
OURS = ("clickhouse", "postgres", "landing", "reports", "state", "logs", "keys", "dbt", "dagster", "sandbox", "spool", MARKER)
"""The names that we make inside a home, and the only ones that `reset` deletes."""


@dataclass(frozen=True)
class Home:
    """An opened home directory. `id` is made once and names directories that live outside it."""

    path: Path
    id: str

    @staticmethod
    def exists(path: Path) -> bool:
        """Tell whether a home was made there."""
        return (path.expanduser() / MARKER).exists()

    @classmethod
    def open(cls, path: Path) -> "Home":
        """Open the home, making it (mode 0700) on first use.

        Raises ConfigurationError where the path is no directory or cannot be written.
        """
        path = path.expanduser().resolve()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            marker = path / MARKER
            if not marker.exists():
                _make_once(marker, {"id": uuid.uuid4().hex[:12], "created_at": datetime.now(UTC).isoformat()})
            settings = json.loads(marker.read_text())
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"The home {path} cannot be opened", why=str(error), fix="Pass another --home DIR, or make it writable") from error
        home = cls(path, settings["id"])
        for name in ("state", "logs", "keys", "spool"):
            (path / name).mkdir(mode=0o700, exist_ok=True)
        return home

    def directory(self, name: str) -> Path:
        """Return one of our subdirectories, made on first use."""
        if name not in OURS:
            raise ValueError(f"{name} is not a directory of the home")
        (self.path / name).mkdir(mode=0o700, exist_ok=True)
        return self.path / name

    @property
    def settings(self) -> dict[str, str]:
        """Read what the home remembers."""
        loaded: dict[str, str] = json.loads((self.path / MARKER).read_text())
        return loaded

    def remember(self, **values: str | None) -> None:
        """Change what the home remembers; None forgets a value. Processes wait for one another."""
        with (self.path / "state" / "home.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            merged: dict[str, str | None] = {**self.settings, **values}
            _write_json(self.path / MARKER, {k: v for k, v in merged.items() if v is not None})

    @property
    def clock(self) -> Clock:
        """Return the home's clock: the date that `--today` pinned, or the wall's."""
        settings = self.settings
        if "today" not in settings:
            return WallClock()
        return PinnedClock(date.fromisoformat(settings["today"]), datetime.fromisoformat(settings["pinned_at"]))

    def move_clock(self, today: date) -> None:
        """Pin the clock to a date. It only moves on, as `observed_at` must.

        Raises ConfigurationError for a date before the one already pinned.
        """
        settings = self.settings
        if settings.get("today") == today.isoformat():
            return
        known = settings.get("today") or (WallClock().today("UTC").isoformat() if "history_since" in settings else None)
        if known and date.fromisoformat(known) > today:
            raise ConfigurationError(
                f"The home's clock stands at {known} and cannot go back to {today}",
                fix="Pass a later --today, another --home, or --reset",
            )
        self.remember(today=today.isoformat(), pinned_at=datetime.now(UTC).isoformat())

    def reset(self) -> list[Path]:
        """Delete what we made in the home, and nothing else; return what was deleted. Servers must be stopped before."""
        outside = self.settings.get("outside", "")
        doomed = [self.path / name for name in OURS if (self.path / name).exists()]
        for path in [*doomed, *(Path(p) for p in outside.split(os.pathsep) if p)]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        return doomed


def _make_once(path: Path, values: dict[str, str]) -> None:
    """Make a file unless another process was first, so that all agree on what it says."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    _write_private(temporary, json.dumps(values, indent=2))
    with suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def _write_json(path: Path, values: dict[str, str | None]) -> None:
    """Replace a file in one step, so that a crash leaves the old or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    _write_private(temporary, json.dumps(values, indent=2))
    os.replace(temporary, path)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads: the home remembers the demo's password."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
