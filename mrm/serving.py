"""`./run up`, `down`, `status`: everything served from one home, by one supervisor."""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

from domain.errors import ConfigurationError, Conflict
from home.directory import Home
from home.servers import Lease, leased, locked, read_state, state_path, write_state
from mrm.jobs import close_dead_runs, dagster_home
from mrm.options import DEFAULT_HOME, DEFAULT_PORT, HomeOption, JsonOption, Language, LanguageOption, NothingYet, PortOption, TodayOption, existing
from mrm.processes import runs, stop_process
from mrm.sandboxing import move_clock, sandbox_of
from mrm.scheduling import describe, next_run
from mrm.supervisor import Supervisor, answers, free_port
from mrm.wording import say

if TYPE_CHECKING:
    from services.installation import Installation

SUPERVISOR = "supervisor"
SERVERS = {"clickhouse": "warehouse.embedded", "postgres": "store.embedded"}
QUOTAS, LONGEST = 2, 40
"""How many of an integration's quotas `status` names, and the longest of them in characters."""
KEEP_SECONDS = 2.0
"""How often the supervisor looks whether the databases live."""
ROOT = Path(__file__).resolve().parent.parent


def up(home: HomeOption = DEFAULT_HOME, port: PortOption = DEFAULT_PORT, today: TodayOption = None, lang: LanguageOption = Language.EN) -> None:
    """Serve API, dashboards, Dagster's webserver and daemon, with embedded ClickHouse and PostgreSQL, until Ctrl-C or ./run down.

    Example: ./run up --port 9000
    """
    opened = Home.open(home)
    move_clock(opened, today)
    _refuse_second(opened)
    from services.installation import Installation

    with Installation.open(opened.path) as installation:
        installation.start_servers()
        installation.ensure_organization()
        with sandbox_of(installation), Supervisor(opened) as supervisor:
            serve_until_stopped(installation, supervisor, port, language=str(lang), with_dagster=True)
    stop_idle_servers(opened)


def down(home: HomeOption = DEFAULT_HOME) -> None:
    """Stop what ./run up or ./run demo started in this home, embedded servers included.

    Example: ./run down --home .mrm
    """
    stopped = stop_everything(Home.open(home)) if Home.exists(home) else []
    typer.echo(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing ran.")


def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False, lang: LanguageOption = Language.EN) -> None:
    """Show what runs, its URLs, the login, and each integration's last sync.

    Example: ./run status --json
    """
    try:
        found = describe_home(existing(home))
    except NothingYet:
        found = {"home": str(home), "running": {}, "login": None, "integrations": []}
        typer.echo(json.dumps(found, ensure_ascii=False) if as_json else say("nothing_yet", str(lang), path=home))
        return
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    for name, url in found["running"].items():
        typer.echo(f"{name:<12} {url}")
    served = "dashboards" in found["running"]
    if served and found["login"]:
        typer.echo(say("login", str(lang), **found["login"]))
    if not served:
        typer.echo(say("not_served", str(lang)))
    for i in found["integrations"]:
        synced = f"{i['last_success_at']:%Y-%m-%d %H:%M} UTC" if i["last_success_at"] else "—"
        left = f" · {shortened(i['quota'])}" if i["quota"] else ""
        failed = f" · {i['failures']} failed in a row ({i['error_code']}): {i['last_error']}" if i["failures"] else ""
        typer.echo(f"{i['platform']:<14} {i['name']:<24} {i['status']:<8} last success {synced} · next run {next_run(i)}{left}{failed}")
    if not found["integrations"]:
        typer.echo(say("no_integrations", str(lang)))


def shortened(quota: Mapping[str, str]) -> str:
    """Say what is left of a quota in one line: the first few of what the platform counts; --json has all."""
    named = [f"{name}: {words}" for name, words in quota.items()]
    more = len(named) - QUOTAS
    return ", ".join(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in named[:QUOTAS]) + (f" and {more} more" if more > 0 else "")


def describe_home(home: Home) -> dict[str, Any]:
    """Return what runs in a home, its login and its integrations (asked only where PostgreSQL was set up before)."""
    running = {name: _without_password((read_state(home, name) or {}).get("url", "")) for name, module in SERVERS.items() if runs(home, name, module)}
    if leased(home, SUPERVISOR):
        running |= (read_state(home, SUPERVISOR) or {}).get("urls", {})
    settings = home.settings
    login = {"email": settings["demo_email"], "password": settings["demo_password"]} if "demo_email" in settings else None
    integrations: list[dict[str, Any]] = []
    if login:
        from services.installation import Installation

        with Installation.open(home.path) as installation:
            integrations = describe(installation)
    return {"home": str(home.path), "running": running, "login": login, "integrations": integrations}


def serve_until_stopped(installation: "Installation", supervisor: Supervisor, port: int, *, language: str, with_dagster: bool = False) -> None:
    """Start API and dashboards, Dagster too where asked, print the URLs, and wait for Ctrl-C, SIGTERM or a dead child."""
    home = supervisor.home
    environment = {**installation.environment(), "DAGSTER_HOME": dagster_home(home)}
    with ExitStack() as stack:
        with locked(home, SUPERVISOR):
            _refuse_second(home)
            stack.enter_context(Lease(home, SUPERVISOR))
            write_state(home, SUPERVISOR, {"pid": os.getpid(), "urls": {}})
        for name in (SUPERVISOR, "dagster"):
            stack.callback(state_path(home, name).unlink, missing_ok=True)
        chosen = free_port(port)
        if chosen != port:
            typer.echo(say("moved", language, wanted=port, port=chosen), err=True)
        urls = _start_api(supervisor, chosen, environment)
        if with_dagster:
            urls["dagster"] = _start_dagster(supervisor, free_port(chosen + 1), environment)
        write_state(home, SUPERVISOR, {"pid": os.getpid(), "urls": urls})
        for name, url in urls.items():
            typer.echo(f"{name:<12} {url}")
        if "demo_email" in home.settings:
            typer.echo(say("login", language, email=home.settings["demo_email"], password=home.settings["demo_password"]))
        typer.echo(say("stop", language))
        _wait(supervisor, installation)


def stop_everything(home: Home) -> list[str]:
    """Stop the supervisor of a home, then its embedded servers; return what was stopped."""
    stopped = []
    state = read_state(home, SUPERVISOR)
    if state and leased(home, SUPERVISOR):
        stop_process(int(state["pid"]), "mrm", patience=40)
        stopped.append(SUPERVISOR)
    return stopped + stop_idle_servers(home)


def stop_idle_servers(home: Home) -> list[str]:
    """Stop the embedded servers that nobody holds a lease on; return their names."""
    stopped = []
    for name, module in SERVERS.items():
        if runs(home, name, module) and not leased(home, name):
            stop_process(int((read_state(home, name) or {})["pid"]), module, patience=30)
            stopped.append(name)
    return stopped


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.hostname}:{parts.port}").geturl()


def _refuse_second(home: Home) -> None:
    """Raise Conflict where the home is served already."""
    if leased(home, SUPERVISOR):
        why = f"process {(read_state(home, SUPERVISOR) or {}).get('pid', '?')} serves it"
        raise Conflict(f"The home {home.path} is served already", why=why, fix="./run status shows its URLs; ./run down stops it")


def _start_api(supervisor: Supervisor, port: int, environment: dict[str, str]) -> dict[str, str]:
    """Start the API with the dashboards in it; return their URLs as the API itself names them."""
    home = supervisor.home
    state_path(home, "api").unlink(missing_ok=True)
    child = supervisor.start("api", [sys.executable, "-m", "platform_api", "--home", str(home.path), "--port", str(port)], environment)
    supervisor.wait_until(child, lambda: answers(f"{(read_state(home, 'api') or {}).get('url', '')}/ready"), timeout=90)
    url = (read_state(home, "api") or {})["url"]
    return {"dashboards": f"{url}/app/", "api": f"{url}/docs"}


def _start_dagster(supervisor: Supervisor, port: int, environment: dict[str, str]) -> str:
    """Start Dagster's code server, daemon and webserver; return the webserver's URL.

    The code server is ours: a daemon that starts its own starts another one every minute, and loads the definitions each time.
    """
    home = supervisor.home
    _close_dead_runs(environment["DAGSTER_HOME"])
    socket = Path(supervisor.scratch()) / "code"  # a socket's path may have a hundred characters, a home's more
    code = ["-m", "dagster", "api", "grpc", "--socket", str(socket), "-m", "pipelines.definitions", "-d", str(ROOT), "--location-name", "mrm"]
    served = supervisor.start("dagster-code", [sys.executable, *code], environment)
    supervisor.wait_until(served, lambda: socket.exists(), timeout=120)
    workspace = home.directory("dagster") / "workspace.yaml"
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": {"socket": str(socket), "location_name": "mrm"}}]}))
    daemon = supervisor.start("dagster-daemon", [sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace)], environment)
    child = supervisor.start("dagster", [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)], environment)
    url = f"http://127.0.0.1:{port}"
    supervisor.wait_until(child, lambda: answers(f"{url}/server_info"), timeout=120)
    write_state(home, "dagster", {"pid": daemon.process.pid, "url": url})
    return url


def _close_dead_runs(directory: str) -> None:
    """Close what was under way when the last daemon of this home died: nothing else would, and builds wait for it."""
    from dagster import DagsterInstance

    with DagsterInstance.from_config(directory) as instance:
        close_dead_runs(instance)


def _wait(supervisor: Supervisor, installation: "Installation") -> None:
    """Wait for a stop signal; raise ConfigurationError when a child ends by itself. A killed database is started again."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, _: asked.append(n))
    looked = 0.0
    while not asked:
        dead = supervisor.dead()
        if dead:
            raise ConfigurationError(f"{dead.name} ended by itself", fix=f"Read {dead.log}, then start it again")
        if time.monotonic() > looked + KEEP_SECONDS:
            installation.keep_servers()
            looked = time.monotonic()
        time.sleep(0.5)
