"""`./run doctor`: what this machine and this home need, said before it hurts."""

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import typer

from domain.errors import MrmError
from home.directory import Home
from home.servers import leased, read_state
from mrm.options import DEFAULT_HOME, DEFAULT_PORT, HomeOption, JsonOption, PortOption
from mrm.processes import command_of
from mrm.serving import SERVERS, SUPERVISOR
from mrm.supervisor import free_port

ENOUGH_DISK = 3 * 1024**3


@dataclass(frozen=True)
class Check:
    """One thing looked at: `level` is ok, warning or error."""

    name: str
    level: str
    found: str
    fix: str = ""


def doctor(home: HomeOption = DEFAULT_HOME, port: PortOption = DEFAULT_PORT, as_json: JsonOption = False) -> None:
    """Check Python, disk, ports, owners of the home and credentials. Exits 0 with warnings, 3 when something must be mended.

    Example: ./run doctor
    """
    opened = Home.open(home)
    checks = list(examine(opened, port))
    if as_json:
        typer.echo(json.dumps([asdict(c) for c in checks], ensure_ascii=False))
    else:
        for check in checks:
            typer.echo(f"{check.level:<8} {check.name:<14} {check.found}")
            if check.fix:
                typer.echo(f"{'':<8} {'':<14} fix: {check.fix}")
    if any(c.level == "error" for c in checks):
        raise typer.Exit(3)


def examine(home: Home, port: int) -> Iterator[Check]:
    """Yield every check of a home on this machine."""
    yield _python()
    yield _disk(home.path)
    yield _port(port)
    yield _owner(home)
    for name, module in SERVERS.items():
        yield _server(home, name, module)
    yield Check("clock", "ok", f"pinned to {home.settings['today']}" if "today" in home.settings else "the machine's")
    if outside := home.settings.get("outside"):
        yield Check("outside", "ok", f"data also in {outside} (PostgreSQL refuses to run as root); --reset removes it")
    yield _model_key()
    yield from _credentials(home)


def _python() -> Check:
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Check("python", "ok" if good else "error", version, "" if good else "Use Python 3.11, 3.12 or 3.13 (MRM_PYTHON names it)")


def _disk(path: Path) -> Check:
    free = shutil.disk_usage(path).free
    found = f"{free / 1024**3:.1f} GB free for {path}"
    return Check("disk", "ok", found) if free >= ENOUGH_DISK else Check("disk", "warning", found, "Free some space: a demo home takes about 0.5 GB")


def _port(port: int) -> Check:
    try:
        free = free_port(port)
    except MrmError as error:
        return Check("port", "error", error.what, error.fix)
    return Check("port", "ok", f"{port} is free") if free == port else Check("port", "warning", f"{port} is taken, {free} would be used", f"Pass --port {free}")


def _owner(home: Home) -> Check:
    owner = home.path.stat().st_uid
    if owner != os.getuid() and os.getuid() != 0:
        return Check("home", "error", f"{home.path} belongs to user {owner}", "Run as its owner, or pass another --home")
    state = read_state(home, SUPERVISOR)
    served = f", served by process {state['pid']}" if state and leased(home, SUPERVISOR) else ""
    return Check("home", "ok", f"{home.path}{served}")


def _server(home: Home, name: str, module: str) -> Check:
    if external := os.environ.get({"clickhouse": "MRM_CLICKHOUSE_URL", "postgres": "MRM_DATABASE_URL"}[name]):
        return Check(name, "ok", f"external: {urlsplit(external).hostname}:{urlsplit(external).port or 'default port'}")
    state = read_state(home, name)
    if state is None:
        return Check(name, "ok", "embedded, not started yet")
    if module in command_of(int(state["pid"])):
        return Check(name, "ok", f"embedded, process {state['pid']}")
    return Check(name, "ok", "embedded, stopped; it starts when it is needed")


def _model_key() -> Check:
    if os.environ.get("OPENAI_API_KEY"):
        return Check("model", "ok", f"reports are worded by a model at {os.environ.get('OPENAI_BASE_URL', 'the default address')}")
    return Check("model", "warning", "no OPENAI_API_KEY: reports use template text, with the same proved numbers", "Set OPENAI_API_KEY (and OPENAI_BASE_URL)")


def _credentials(home: Home) -> Iterator[Check]:
    if "demo_email" not in home.settings:
        yield Check("integrations", "warning", "none yet", "./run demo makes an agency to look at; README.md shows how to connect a real account")
        return
    from services.installation import Installation

    with Installation.open(home.path) as installation:
        for i in installation.integration_states():
            level = "warning" if i.last_error else "ok"
            yield Check(
                i.platform,
                level,
                i.last_error or (f"last sync {i.last_sync_at:%Y-%m-%d %H:%M} UTC" if i.last_sync_at else "never pulled"),
                "./run sync pulls again" if i.last_error else "",
            )
