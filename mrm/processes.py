"""Processes by id: what a pid runs, and how to stop it. A pid whose command is another's is left alone."""

import os
import shutil
import signal
import subprocess
import time

from domain.errors import ConfigurationError
from home.directory import Home
from home.servers import read_state


def command_of(pid: int) -> str:
    """Return a living process's command line, empty where there is none."""
    ps = shutil.which("ps") or "/bin/ps"
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except FileNotFoundError:
        if os.path.isdir("/proc/self"):  # noqa: PTH112
            return ""
    return subprocess.run([ps, "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def runs(home: Home, name: str, command: str) -> bool:
    """Tell whether what the home noted as a server's process lives and is that server's."""
    state = read_state(home, name)
    return state is not None and command in command_of(int(state["pid"]))


def stop_process(pid: int, expected: str, patience: float) -> None:
    """Ask a process to stop and wait until it is gone. Does nothing where the pid no longer runs what is expected.

    Raises ConfigurationError when it is still there after `patience` seconds.
    """
    if expected not in command_of(pid):
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while expected in command_of(pid):
        if time.monotonic() > deadline:
            raise ConfigurationError(f"Process {pid} ({expected}) does not stop", fix=f"kill -9 {pid}, then run the command again: nothing committed is lost")
        time.sleep(0.05)
