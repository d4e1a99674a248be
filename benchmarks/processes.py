"""What the benchmarks share of processes: a sandbox that serves, and the processor time that a process has used."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLATFORMS = ("google_ads", "meta_ads", "yandex_direct", "ga4", "yandex_metrica")


@dataclass
class SandboxProcess:
    """The sandbox as a process of its own, which may be killed and started again behind the same ports."""

    directory: Path
    datasets: Sequence[Path]
    today: date
    port: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it and wait until everything answers."""
        path = self.directory / "state.json"
        path.unlink(missing_ok=True)
        command = [sys.executable, "-m", "sandbox", "--quiet", "--state", str(path), "--dir", str(self.directory), "--today", self.today.isoformat()]
        command += ["--port", str(self.port), *(part for name in self.datasets for part in ("--dataset", str(name)))]
        self.directory.mkdir(exist_ok=True)
        self.process = subprocess.Popen(command, cwd=ROOT)
        while not path.exists():
            if self.process.poll() is not None:
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.05)
        self.state = json.loads(path.read_text())
        self.port = self.port or int(self.state["control"].rsplit(":", 1)[1])

    def ask(self, what: str, body: object, method: str = "POST") -> None:
        """Ask something of the control plane."""
        url = f"{self.state['control']}/__sandbox__/{what}"
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method), timeout=60).close()

    def move(self, today: date) -> None:
        """Move its clock."""
        self.today = today
        self.ask("clock", {"today": today.isoformat()})

    def keep(self) -> None:
        """Start it again behind its ports where it was killed; a port that somebody's connection holds is waited for."""
        if self.process is None or self.process.poll() is None:
            return
        before = {name: self.state[name] for name in PLATFORMS}
        for _ in range(60):
            self.start()
            if {name: self.state[name] for name in PLATFORMS} == before:
                return
            self.stop()
            time.sleep(1)
        raise RuntimeError(f"the sandbox does not get its ports back: {before}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send it a signal and wait for its end."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()


def children(pid: int) -> list[int]:
    """List the processes below one, however deep (Linux)."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            below.setdefault(parent, []).append(int(entry.name))
    found = list(below.get(pid, ()))
    for child in found:
        found += below.get(child, ())
    return found


def processor_seconds(pid: int) -> float:
    """Return the processor seconds of a process, its children that live, and those that it has taken leave of (Linux)."""
    total = 0.0
    for one in (pid, *children(pid)):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total
