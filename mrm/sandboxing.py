"""The sandbox ad platforms of a home: started with what the home remembers, and as a command of its own."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domain.errors import ConfigurationError, UsageError, disk_full
from home.directory import Home
from mrm.options import DEFAULT_HOME, HomeOption, TodayOption
from mrm.supervisor import Child, Supervisor, answers

if TYPE_CHECKING:
    from services.installation import Installation

app = typer.Typer(no_args_is_help=True, help="The ad platforms' emulation: the same wire protocols on loopback, from a dataset.")

DatasetOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--dataset",
        exists=False,
        help="Load the sandbox from this CSV file (repeatable); the format stands in docs/sandbox.md. Without it: a generated agency.",
    ),
]


def remember_datasets(home: Home, datasets: list[Path] | None) -> list[Path]:
    """Keep the dataset files that a home's sandbox is loaded from; without new ones return those known.

    Raises ConfigurationError for a file that does not exist, and in a home that holds the generated agency.
    """
    if datasets:
        if "sandbox_port" in home.settings and "datasets" not in home.settings:
            raise ConfigurationError(
                f"The home {home.path} holds the generated agency", why="A dataset's accounts would mix with it", fix="Pass another --home DIR, or --reset"
            )
        for path in datasets:
            if not path.is_file():
                raise ConfigurationError(f"The dataset {path} does not exist", fix="Pass the path of a CSV file; the format stands in docs/sandbox.md")
        home.remember(datasets=json.dumps([str(p.resolve()) for p in datasets]))
    return [Path(p) for p in json.loads(home.settings.get("datasets", "[]"))]


def move_clock(home: Home, today: datetime | None) -> None:
    """Move the home's clock on to a date, and the platforms of its running sandbox with it; nothing for None. An earlier date is refused."""
    if today:
        home.move_clock(today.date())
        if "sandbox_port" in home.settings:
            running_sandbox(home)


def running_sandbox(home: Home) -> dict[str, Any] | None:
    """Return the state of the home's sandbox where one answers, its clock moved to the home's."""
    try:
        state: dict[str, Any] = json.loads((home.directory("sandbox") / "state.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    control = f"{state['control']}/__sandbox__"
    if not answers(f"{control}/health"):
        return None
    if "today" in home.settings:
        body = json.dumps({"today": home.settings["today"]}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{control}/clock", body, {"Content-Type": "application/json"}), timeout=10).close()  # noqa: S310
    return state


def start_sandbox(supervisor: Supervisor, datasets: list[Path]) -> dict[str, Any]:
    """Use the home's running sandbox, or start it behind a guard; return its state: URLs per platform, CA bundle, accounts.

    Its clock is the home's: pinned where the home's is, else the wall's. Raises what it says about a malformed dataset.
    """
    home = supervisor.home
    if running := running_sandbox(home):
        return running
    directory = home.directory("sandbox")
    state = directory / "state.json"
    state.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox", "--state", str(state), "--dir", str(directory)]
    command += ["--today", home.settings["today"]] if "today" in home.settings else []
    command += [part for path in datasets for part in ("--dataset", str(path))]
    child = supervisor.start("sandbox", [*command, "--port", home.settings.get("sandbox_port", "0")])
    _wait_for(supervisor, child, state)
    loaded: dict[str, Any] = json.loads(state.read_text())
    home.remember(sandbox_port=loaded["control"].rsplit(":", 1)[1])
    return loaded


def _wait_for(supervisor: Supervisor, child: Child, state: Path) -> None:
    start = child.log.stat().st_size
    try:
        supervisor.wait_until(child, state.exists, timeout=60)
    except ConfigurationError as error:
        said = child.log.read_bytes()[start:].decode(errors="replace").strip().splitlines()
        if said and (full := disk_full(said[-1])):
            raise full from error
        kind = UsageError if child.process.poll() == UsageError.exit_code else ConfigurationError
        raise kind(said[-1].removeprefix("sandbox: ") if said else error.what, fix="Correct what is named and run the same command again") from error


@app.command()
def serve(
    dataset: DatasetOption = None,
    home: HomeOption = DEFAULT_HOME,
    port: Annotated[int, typer.Option("--port", min=0, max=65500, help="First of nine ports: control, platforms, a proxy. 0: any free ones.")] = 0,
    today: TodayOption = None,
) -> None:
    """Serve the sandbox platforms until Ctrl-C, and print each platform's URL and how to point its official client at it.

    Example: ./run sandbox serve --dataset ads.csv --today 2026-03-01
    """
    from sandbox.command import main

    arguments = ["--dir", str(Home.open(home).directory("sandbox")), "--port", str(port)]
    arguments += ["--today", today.date().isoformat()] if today else []
    raise typer.Exit(main([*arguments, *(part for path in dataset or [] for part in ("--dataset", str(path)))]))


@contextmanager
def sandbox_of(installation: "Installation") -> Iterator[None]:
    """Run the sandbox for a block where the home's integrations point to one, with its datasets, its clock and its port."""
    home = installation.home
    if "sandbox_port" not in home.settings:
        yield
        return
    with Supervisor(home) as supervisor:
        state = start_sandbox(supervisor, remember_datasets(home, None))
        installation.seed_demo(state)
        yield
