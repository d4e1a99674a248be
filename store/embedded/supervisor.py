"""Keep the home's PostgreSQL alive while somebody holds a lease, and end it a minute after the last one."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from domain.errors import DirectoryTaken
from home.directory import MARKER, Home
from home.servers import State, leased, read_state, state_path, write_state
from store.embedded.cluster import PATIENCE, SUPERUSER, Cluster, Passwords
from store.embedded.place import place_of

SERVER = "postgres"
_LOCK = "postgres.supervisor"


class Supervisor:
    """The process that owns a home's embedded PostgreSQL."""

    def __init__(self, home: Home, *, outside: Path, keep: bool = False, idle: float = 60.0) -> None:
        self.home = home
        self.outside = outside
        self.keep = keep
        self.idle = idle
        self._stopping = False

    def run(self) -> None:
        """Start the server and watch over it until SIGTERM, SIGINT, a vanished home, or nobody's need."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        with self._only_one() as first:
            if not first:
                return
            place = place_of(self.home, self.outside)
            initialised = (place.data / "PG_VERSION").exists()
            cluster = Cluster(place, Passwords.of(self.home, initialised=initialised), self.home.directory("logs") / "postgres.start.log")
            cluster.initialise()
            try:
                cluster.start(self._last_port())
                self._announce(cluster)
                self._watch(cluster)
            finally:
                if self._home_lives():
                    state_path(self.home, SERVER).unlink(missing_ok=True)
                cluster.stop()

    def _watch(self, cluster: Cluster) -> None:
        """Restart the server when it dies, write the state file again when it is missing, and end when the time has come."""
        last_used = time.monotonic()
        while not self._stopping and self._home_lives():
            assert cluster.process is not None
            if cluster.process.poll() is not None:
                print(f"PostgreSQL ended with {cluster.process.returncode}; it is started again", file=sys.stderr, flush=True)  # noqa: T201
                cluster.start(cluster.port)
                self._announce(cluster)
            elif read_state(self.home, SERVER) is None:
                self._announce(cluster)
            if self.keep or leased(self.home, SERVER):
                last_used = time.monotonic()
            elif time.monotonic() - last_used > self.idle and self._nobody_comes():
                return
            time.sleep(0.2)

    def _nobody_comes(self) -> bool:
        """Take the server's lock, look for leases once more, and withdraw the state file: who comes later starts anew."""
        with (self.home.directory("state") / f"{SERVER}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if leased(self.home, SERVER):
                return False
            state_path(self.home, SERVER).unlink(missing_ok=True)
            return True

    def _announce(self, cluster: Cluster) -> None:
        state = {"pid": os.getpid(), "url": cluster.url(), "superuser_url": cluster.url(SUPERUSER, "postgres"), "host": "127.0.0.1", "port": cluster.port}
        write_state(self.home, SERVER, {**state, "data": str(cluster.place.data)})
        (self.home.directory("state") / "postgres.port").write_text(str(cluster.port))

    def _last_port(self) -> int:
        path = self.home.directory("state") / "postgres.port"
        return int(path.read_text() or "0") if path.exists() else 0

    def _home_lives(self) -> bool:
        return (self.home.path / MARKER).exists()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    @contextmanager
    def _only_one(self) -> Iterator[bool]:
        """Hold the supervisor's lock. False: another supervisor lives and its server answers, so that we are not needed.

        Raises DirectoryTaken when another one lives for 30 seconds without a server that we reach, e.g. in another container.
        """
        deadline = time.monotonic() + PATIENCE
        with _lock_file(self.home).open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    state = read_state(self.home, SERVER)
                    if state is not None and reached(state):
                        time.sleep(1)
                        yield False
                        return
                    if time.monotonic() > deadline:
                        raise DirectoryTaken(
                            f"Another process owns the PostgreSQL of {self.home.path}",
                            why=f"Supervisor {state['pid'] if state else 'of unknown id'} lives, and its server does not answer here",
                            fix="Stop it with ./run down where it runs, or pass another --home",
                        ) from None
                    time.sleep(0.05)
                else:
                    yield True
                    return


def reached(state: State) -> bool:
    """Tell by a connection, never by a process id, whether a server works."""
    try:
        with psycopg.connect(state["url"], connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def supervised(home: Home) -> bool:
    """Tell whether a living process supervises the home's server: the kernel frees its lock however it dies."""
    try:
        with _lock_file(home).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def failure_path(home: Home) -> Path:
    """Name the file in which a server that could not start leaves its reason."""
    return home.directory("state") / f"{SERVER}.failure.json"


def _lock_file(home: Home) -> Path:
    return home.directory("state") / f"{_LOCK}.lock"


__all__ = ["PATIENCE", "SERVER", "Supervisor", "failure_path", "supervised"]
