"""`python -m platform_api --home DIR --port N`: serve the API, and the dashboards under /app."""

import argparse
import importlib
import logging
import os
import sys
from pathlib import Path

import structlog

from domain.errors import MrmError
from home.directory import Home
from platform_api.app import Mountable, create_app
from platform_api.composition import opened
from platform_api.serving import address, bind, serve
from platform_api.settings import ApiSettings

DASHBOARDS = "dashboards.mount"
"""The module whose `build(api_url)` gives the application under /app. A name, not an import: the API stands below the dashboards."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m platform_api", description="Serve the API, and the dashboards under /app.")
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("MRM_HOME", ".mrm")), help="the home directory (default: MRM_HOME or .mrm)")
    parser.add_argument("--port", type=int, default=8000, help="the port; where it is taken, the next free one (default: 8000; 0: any)")
    parser.add_argument("--no-dashboards", action="store_true", help="serve the API alone")
    given = parser.parse_args(arguments)
    _log_to_stderr()
    try:
        _serve(Home.open(given.home), given.port, dashboards=not given.no_dashboards)
    except MrmError as error:
        sys.stderr.write(f"error ({error.code}): {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _serve(home: Home, port: int, *, dashboards: bool) -> None:
    settings = ApiSettings()
    with bind(settings.host, port) as listener, opened(home, settings) as dependencies:
        mounts: dict[str, Mountable] = {}
        if dashboards:
            mounts["/app"] = importlib.import_module(DASHBOARDS).build(address(listener))
        serve(create_app(dependencies, mounts), home, listener, settings, dashboards=dashboards)


def _log_to_stderr() -> None:
    """Write one JSON object a line to stderr: time, level, event and its fields."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")


if __name__ == "__main__":
    sys.exit(main())
