"""Start processes, watch them, and leave none behind."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from domain.errors import ConfigurationError, MrmError
from home.directory import Home


@dataclass
class Child:
    """A supervised process: its guard, and where it answers."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    url: str = ""


@dataclass
class Supervisor:
    """Children of one home. Each stands behind a guard that ends its group when this process dies."""

    home: Home
    children: list[Child] = field(default_factory=list)
    _scratch: "tempfile.TemporaryDirectory[str] | None" = None

    def scratch(self) -> str:
        """Return a directory with a short path that only its owner reads; it goes with the children."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="mrm-")
        return self._scratch.name

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        """Start a command, its output appended to the home's log of that name."""
        log = self.home.directory("logs") / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "mrm.guard", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def wait_until(self, child: Child, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until a child is ready. Raises ConfigurationError with the end of its log when it dies or takes too long."""
        deadline = time.monotonic() + timeout
        while not ready():
            if child.process.poll() is not None or time.monotonic() > deadline:
                tail = child.log.read_text(errors="replace").strip().splitlines()[-1:] or ["it printed nothing"]
                raise ConfigurationError(f"{child.name} did not start", why=tail[0], fix=f"Read {child.log}, then run ./run doctor")
            time.sleep(0.05)

    def dead(self) -> Child | None:
        """Return a child that ended by itself, None while all live."""
        return next((c for c in self.children if c.process.poll() is not None), None)

    def stop(self) -> None:
        """End all children, last started first, and wait for them."""
        for child in reversed(self.children):
            if child.process.stdin:
                child.process.stdin.close()
        for child in reversed(self.children):
            child.process.wait()
        self.children.clear()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def free_port(wanted: int, host: str = "127.0.0.1") -> int:
    """Return the wanted port, or the next free one of the twenty after it."""
    for port in range(wanted, wanted + 20):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise ConfigurationError(f"The ports {wanted} to {wanted + 19} are all taken", fix="Pass another --port")


def answers(url: str) -> bool:
    """Tell whether a URL answers with a success."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310
            return bool(response.status < 400)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def describe(error: MrmError) -> dict[str, str]:
    """Return an error as the command line prints it."""
    return {"code": error.code, "what": error.what, "why": error.why, "fix": error.fix}
