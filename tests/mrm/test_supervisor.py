"""Processes that the command line starts end with it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from home.directory import Home
from mrm.processes import command_of
from mrm.supervisor import Supervisor, free_port

NAP = "import time; time.sleep(600)"
SLEEPER = [sys.executable, "-c", f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {NAP!r}]); print('up', flush=True); {NAP}"]
PARENT = """
import sys, time
from pathlib import Path
from home.directory import Home
from mrm.supervisor import Supervisor
supervisor = Supervisor(Home.open(Path(sys.argv[1])))
print(supervisor.start("sleeper", sys.argv[2:]).process.pid, flush=True)
time.sleep(600)
"""


def wait_for(condition: object, seconds: float = 15) -> bool:
    """Poll a condition until it holds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def group_of(log: Path) -> bool:
    """Tell whether the child has come up."""
    return "up" in log.read_text()


def test_stopping_ends_the_child_and_its_own_children(home: Home) -> None:
    with Supervisor(home) as supervisor:
        child = supervisor.start("sleeper", SLEEPER)
        assert wait_for(lambda: group_of(child.log))
        members = descendants(child.process.pid)
        assert len(members) == 2
    assert not [pid for pid in members if command_of(pid)]


def test_a_killed_supervisor_leaves_no_child(home: Home) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(home.path), *SLEEPER], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    guard = int(parent.stdout.readline())
    assert wait_for(lambda: group_of(home.directory("logs") / "sleeper.log"))
    members = descendants(guard)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert wait_for(lambda: not [pid for pid in (guard, *members) if command_of(pid)])


def test_a_taken_port_moves_to_the_next() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def descendants(pid: int) -> list[int]:
    """List the processes below one, by /proc or ps."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(a): int(b) for a, b in (line.split() for line in listing.splitlines())}
    found: list[int] = []
    frontier = [pid]
    while frontier:
        frontier = [child for child, parent in parents.items() if parent in frontier]
        found += frontier
    return found
