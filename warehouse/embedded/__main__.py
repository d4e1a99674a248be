"""Run the embedded ClickHouse server: `python -m warehouse.embedded --home DIR [--port N] [--keep]`."""

import argparse
import os
import sys
from pathlib import Path

from domain.errors import MrmError
from home.directory import Home
from warehouse.embedded.server import LINGER, Server


def main() -> int:
    """Serve until told to stop; 3 where the directory is taken or cannot be opened."""
    parser = argparse.ArgumentParser("python -m warehouse.embedded", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("MRM_HOME", ".mrm")), help="the home directory (default .mrm)")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; the next free one where it is taken (default: any)")
    parser.add_argument("--keep", action="store_true", help="stay without leases, for a supervised server")
    parser.add_argument("--linger", type=float, default=LINGER, help=argparse.SUPPRESS)
    given = parser.parse_args()
    try:
        Server(Home.open(given.home), given.port, keep=given.keep, linger=given.linger).run()
    except MrmError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the engine is closed; its static teardown under a dying interpreter is not worth a crash
