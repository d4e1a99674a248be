"""Run a command in its own process group and end the whole group when the parent goes, however it goes.

Used as `python -m mrm.guard COMMAND…` with a pipe on stdin: its end of file means that the supervisor is gone.
Imports only the standard library, so that it costs little beside each child.
"""

import os
import select
import signal
import subprocess
import sys
import time
from types import FrameType

GRACE_SECONDS = 12.0


def main(command: list[str]) -> int:
    """Run the command until it ends, a signal comes, or stdin closes; return its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    while child.poll() is None and not asked:
        readable, _, _ = select.select([sys.stdin], [], [], 0.25)
        if readable and not os.read(sys.stdin.fileno(), 1):
            break
    return _end(child)


def _end(child: "subprocess.Popen[bytes]") -> int:
    """Ask the group to stop, insist after the grace period, and sweep what it left behind."""
    code = child.poll()
    _signal_group(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and (child.poll() is None or _group_lives(child.pid)):
        time.sleep(0.05)
    _signal_group(child.pid, signal.SIGKILL)
    return code if code is not None else child.wait()


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
