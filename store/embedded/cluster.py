"""One data directory: initialised once, started on a free port of 127.0.0.1, asked to stop. Nothing here trusts a process id."""

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from domain.errors import ConfigurationError, DirectoryTaken, DiskFull
from home.directory import Home
from store.embedded.place import Place, process_in

PATIENCE = 30.0
"""Seconds that a server gets to come up, to recover, or to let go of its directory."""
SUPERUSER, OWNER, DATABASE = "postgres", "mrm", "mrm"
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "10MB",
    "log_truncate_on_rotation": "on",
}
_PDEATHSIG = 1
_FULL = ("No space left on device", "Disk quota exceeded", "Check free disk space")
_LEAST = 1 << 20
"""Bytes: with less left a failure is the disk's, whatever was printed."""


@dataclass(frozen=True)
class Passwords:
    """The passwords of the superuser and of the owner of our tables, kept in home/keys."""

    superuser: str
    owner: str

    @classmethod
    def of(cls, home: Home, *, initialised: bool) -> "Passwords":
        """Read the passwords, or make them before the data directory is initialised.

        Raises ConfigurationError where data exist and the passwords are lost.
        """
        path = home.directory("keys") / "postgres.json"
        if path.exists():
            return cls(**json.loads(path.read_text()))
        if initialised:
            raise ConfigurationError(
                "The password of the embedded PostgreSQL is lost", why=f"{path} is absent", fix="Put the file back, or start anew with --reset"
            )
        made = cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24))
        temporary = path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"superuser": made.superuser, "owner": made.owner}, file)
        temporary.replace(path)
        return made


class Cluster:
    """The embedded server's data directory and its postgres process."""

    locale: Sequence[str] = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    """Made of PostgreSQL itself, so that an upgrade of the system never changes an index; lower() knows Cyrillic."""

    def __init__(self, place: Place, passwords: Passwords, log: Path) -> None:
        self.place = place
        self.log = log
        self.passwords = passwords
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, user: str = OWNER, database: str = DATABASE) -> str:
        """Return the address for a user, its password included."""
        password = self.passwords.superuser if user == SUPERUSER else self.passwords.owner
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def initialise(self) -> None:
        """Run initdb beside the final name, then rename: a half-made directory is never taken for a whole one."""
        data, fresh = self.place.data, self.place.data.with_name("data.new")
        if (data / "PG_VERSION").exists():
            return
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        if self.place.uid is not None and self.place.gid is not None:
            os.chown(fresh, self.place.uid, self.place.gid)
        command = [str(self.place.binaries.program("initdb")), "-D", str(fresh), "-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8"]
        command += [*self.locale, "--no-instructions"]
        with self._password_file() as path:
            done = subprocess.run([*command, f"--pwfile={path}"], capture_output=True, check=False, **self._as_user())  # noqa: S603
        if done.returncode != 0:
            raise _explained("The embedded PostgreSQL could not be initialised", (done.stdout + done.stderr).decode(errors="replace"), data)
        fresh.rename(data)

    def start(self, preferred_port: int = 0) -> None:
        """Start postgres and wait until it takes a connection; a taken port makes way for the next one.

        Raises DirectoryTaken, DiskFull, or ConfigurationError with what postgres printed.
        """
        self._wait_for_directory()
        deadline = time.monotonic() + PATIENCE
        port = preferred_port
        while True:
            self.port = _free_port(port)
            printed = self._launch()
            if printed is None:
                break
            if time.monotonic() > deadline or not _passes(printed):
                raise _explained("The embedded PostgreSQL did not start", printed, self.place.data)
            port = 0 if "could not bind" in printed else port
            time.sleep(0.2)
        self._make_owner()

    def stop(self) -> None:
        """Stop postgres: sessions are cut, everything is written; after 30 seconds it is ended hard, which loses nothing acknowledged."""
        if self.process is None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
        self.process = None

    def answers(self) -> bool:
        """Tell by a connection whether the server works."""
        try:
            with psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _launch(self) -> str | None:
        """Start one postgres process; None once it answers, else what it printed before it ended."""
        options = [f"-c{name}={value}" for name, value in {**_SETTINGS, "port": str(self.port)}.items()]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603
                [str(self.place.binaries.program("postgres")), "-D", str(self.place.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent(),
                **self._as_user(),
            )
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if self.answers():
                return None
            if time.monotonic() > deadline:
                self.stop()
                break
            time.sleep(0.02)
        return self.log.read_text(errors="replace") + _newest_log(self.place.data)

    def _wait_for_directory(self) -> None:
        """Wait until no live postgres has the directory, asking one that answers as ours to stop; drop a stale postmaster.pid.

        The file goes only when its process is not a postgres of this directory; should children of a killed one still live,
        postgres finds their shared memory by itself and is tried again.
        """
        pid_file = self.place.data / "postmaster.pid"
        deadline = time.monotonic() + PATIENCE
        asked = False
        while (pid := process_in(self.place.data)) is not None:
            if time.monotonic() > deadline:
                raise DirectoryTaken(
                    f"Another PostgreSQL owns {self.place.data}", why=f"Process {pid} has it open", fix=f"Stop process {pid}, or pass another --home"
                )
            if not asked and self._is_ours(pid_file):
                os.kill(pid, signal.SIGINT)
                asked = True
            time.sleep(0.05)
        pid_file.unlink(missing_ok=True)

    def _is_ours(self, pid_file: Path) -> bool:
        """Tell whether the server at the recorded port takes our password and has our directory."""
        try:
            port = pid_file.read_text().splitlines()[3]
            with psycopg.connect(f"postgresql://{SUPERUSER}:{self.passwords.superuser}@127.0.0.1:{port}/postgres", connect_timeout=2) as connection:
                row = connection.execute("show data_directory").fetchone()
        except (FileNotFoundError, IndexError, psycopg.OperationalError):
            return False
        return row is not None and Path(row[0]).resolve() == self.place.data.resolve()

    def _make_owner(self) -> None:
        """Make the owner of our tables, an ordinary role, and its database; a no-op on every later start."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            known = connection.execute("select 1 from pg_roles where rolname = %s", [OWNER]).fetchone()
            if known is None:
                verifier = connection.pgconn.encrypt_password(self.passwords.owner.encode(), OWNER.encode(), b"scram-sha-256").decode()
                statement = sql.SQL("create role {} login createdb createrole nosuperuser nobypassrls password {}")
                connection.execute(statement.format(sql.Identifier(OWNER), sql.Literal(verifier)))
            if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))

    @contextlib.contextmanager
    def _password_file(self) -> Iterator[Path]:
        """Hold the superuser's password in a file that only the server's user reads, for as long as initdb runs."""
        path = self.place.data.with_name("password")
        path.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(self.passwords.superuser)
                if self.place.uid is not None and self.place.gid is not None:
                    os.fchown(file.fileno(), self.place.uid, self.place.gid)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _as_user(self) -> dict[str, Any]:
        """Return the arguments that run a program as the place's user, from a directory that it can reach."""
        arguments: dict[str, Any] = {"cwd": self.place.data.parent, "env": {"LC_ALL": "C", "PATH": os.defpath}, "umask": 0o077}
        if self.place.uid is not None:
            arguments |= {"user": self.place.uid, "group": self.place.gid, "extra_groups": []}
        return arguments


def _end_with_parent() -> Callable[[], None] | None:
    """Return what makes Linux stop postgres (fast) when its supervisor dies; elsewhere the next supervisor stops it."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PDEATHSIG, signal.SIGINT)


def _free_port(preferred: int) -> int:
    """Return the preferred port where it is free on 127.0.0.1, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise ConfigurationError("No port of 127.0.0.1 is free", fix="Stop a server, then try again")


def _passes(printed: str) -> bool:
    """Tell whether a failed start is worth another try: a port just taken, or children of a killed server still leaving."""
    return any(sign in printed for sign in ("could not bind", "pre-existing shared memory block", "shared memory segment"))


def _explained(what: str, printed: str, data: Path) -> ConfigurationError:
    """Turn what initdb or postgres printed into the error that a person can act on."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    telling = [line for line in lines if any(sign in line for sign in ("FATAL", "PANIC", "error:", "could not"))]
    why = (telling or lines or ["it printed nothing"])[-1]
    if any(sign in printed for sign in _FULL) or shutil.disk_usage(data.parent).free < _LEAST:
        return DiskFull(what, why=why, fix=f"Free space on the disk of {data}, then start again: nothing written is lost")
    if "postmaster.pid" in why and "already exists" in why:
        return DirectoryTaken(what, why=why, fix="Stop that server, or pass another --home")
    return ConfigurationError(what, why=why, fix=f"Read {data / 'log'}, run ./run doctor, or set MRM_DATABASE_URL")


def _newest_log(data: Path) -> str:
    """Return the end of the server's newest own log, since the collector takes over from standard error."""
    logs = sorted((data / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
    return logs[-1].read_text(errors="replace")[-3000:] if logs else ""
