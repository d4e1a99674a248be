"""The command line: `python -m mrm COMMAND`, usually through `./run COMMAND`.

Exit codes: 0 ok, 1 failed, 2 usage, 3 configuration, 4 authorisation, 5 source or quota, 6 partial, 7 data quality, 130 interrupted.
"""

import json
import logging
import re
import sys
import traceback
from typing import Any, NoReturn

import typer
from rich.console import Console
from typer.main import get_command

from domain.errors import MrmError, disk_full
from mrm import (
    alerting,
    backfilling,
    connecting,
    demo,
    doctor,
    importing,
    query,
    replaying,
    reporting,
    sandboxing,
    scheduling,
    serving,
    storing,
    syncing,
    warehousing,
)
from mrm.options import DAY
from mrm.supervisor import describe

OF_VARIABLE = re.compile(r"'(--[\w-]+)'( \(env var: '\w+'\))")
"""How the parser names an option that a variable may give."""

app = typer.Typer(
    name="mrm",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From ad platforms to numbers that can be traced, asked as of any day, and reported. Add --debug for tracebacks.",
    epilog="Exit codes: 0 ok, 1 failed, 2 usage, 3 configuration, 4 authorisation, 5 source or quota, 6 partial, 7 data quality.",
)
app.command("demo")(demo.demo)
app.command("up")(serving.up)
app.command("down")(serving.down)
app.command("status")(serving.status)
app.command("connect")(connecting.connect)
app.command("disconnect")(connecting.disconnect)
app.command("sync")(syncing.sync)
app.command("backfill")(backfilling.backfill)
app.command("gaps")(backfilling.gaps)
app.command("replay")(replaying.replay)
app.command("import")(importing.import_file)
app.command("query")(query.query)
app.command("metrics")(query.metrics)
app.command("currency")(query.currency)
app.command("report")(reporting.report)
app.command("doctor")(doctor.doctor)
app.add_typer(alerting.app, name="alerts")
app.add_typer(scheduling.app, name="integrations")
app.add_typer(sandboxing.app, name="sandbox")
app.add_typer(warehousing.app, name="warehouse")
app.add_typer(storing.app, name="store")


def main() -> NoReturn:
    """Run a command, print what went wrong in one block, and exit with its documented code."""
    debug = "--debug" in sys.argv
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())  # it would print a line of its own above our error
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    try:
        code = get_command(app).main(args=arguments, prog_name="./run", standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except MrmError as error:
        _fail(error, arguments, debug)
    except Exception as error:  # noqa: BLE001  # house: the outermost door, where whatever nobody foresaw becomes one printed error
        _fail(_known(error), arguments, debug)
    sys.exit(code if isinstance(code, int) else 0)


def _known(error: Exception) -> MrmError:
    """Turn a foreign exception into an error that a person can act on."""
    if hasattr(error, "format_message"):
        return MrmUsage(error)
    return disk_full(str(error)) or Unexpected(error)


class MrmUsage(MrmError):
    """A command line that the parser refuses: unknown option, missing argument, value out of range."""

    exit_code = 2

    def __init__(self, error: Any) -> None:  # noqa: ANN401
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "./run"
        super().__init__(_plain(error.format_message()) or "A command is missing", fix=f"{command} --help shows the options")

    @property
    def code(self) -> str:
        """Name the kind of error."""
        return "usage_error"


def _plain(said: str) -> str:
    """Say in plain words what the parser says of a value: how a date is written, and the variable only where the value comes from it."""
    said = said.replace("Value error, ", "").replace(f"does not match the formats '{DAY}'", "is not a date: write YYYY-MM-DD, e.g. 2026-11-30")
    option = OF_VARIABLE.search(said)
    given = option and any(a == option[1] or a.startswith(f"{option[1]}=") for a in sys.argv)
    return said.replace(option[2], "") if option and given else said


class Unexpected(MrmError):
    """A fault of ours that nobody foresaw."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"{type(error).__name__}: {error}".strip().rstrip(":"),
            why="This is a fault in the program, not in your input",
            fix="Run it again with --debug and report what it prints",
        )


def _fail(error: MrmError, arguments: list[str], debug: bool) -> NoReturn:
    """Print the error on stderr, as JSON under --json, and exit with its code."""
    if debug:
        traceback.print_exc()
    if "--json" in arguments:
        print(json.dumps({"error": describe(error)}, ensure_ascii=False), file=sys.stderr)  # noqa: T201
    else:
        screen = Console(stderr=True, highlight=False, soft_wrap=True)
        screen.print(f"error: {error.what}", style="bold red", markup=False)
        for label, text in (("why", error.why), ("fix", error.fix), ("code", error.code)):
            if text:
                screen.print(f"{label:>5}: {text}", markup=False)
    sys.exit(error.exit_code)
