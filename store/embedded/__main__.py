"""Run the home's PostgreSQL until nobody needs it: `python -m store.embedded --home DIR`."""

import argparse
import contextlib
import json
import sys
from pathlib import Path

from domain.errors import MrmError
from home.directory import Home
from store.embedded.supervisor import Supervisor, failure_path


def main() -> int:
    """Supervise the server; a failure is printed, and left for the process that waits for us."""
    parser = argparse.ArgumentParser(prog="python -m store.embedded", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the home directory, e.g. .mrm")
    parser.add_argument("--outside", type=Path, default=Path("/var/lib/mrm"), help="where the server lives when we are root")
    parser.add_argument("--keep", action="store_true", help="stay until SIGTERM, with or without users")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds to stay after the last user")
    options = parser.parse_args()
    try:
        home = Home.open(options.home)
        Supervisor(home, outside=options.outside, keep=options.keep, idle=options.idle).run()
    except MrmError as error:
        told = {"kind": type(error).__name__, "what": error.what, "why": error.why, "fix": error.fix}
        with contextlib.suppress(OSError, MrmError):
            failure_path(Home.open(options.home)).write_text(json.dumps(told))
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
