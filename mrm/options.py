"""Options that commands share."""

import os
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import ConfigurationError, UsageError
from domain.windows import DateWindow
from home.directory import Home
from mrm.wording import say

DAY = "%Y-%m-%d"


class Language(StrEnum):
    """The languages that people read."""

    RU = "ru"
    EN = "en"


def date_option(name: str, said: str) -> Any:  # noqa: ANN401 - what typer.Option returns
    """Return an option that takes a date; `said` is its help."""
    return typer.Option(name, formats=[DAY], metavar="YYYY-MM-DD", help=said)


HomeOption = Annotated[Path, typer.Option("--home", envvar="MRM_HOME", help="Directory of this installation: data, keys, logs, clock.", file_okay=False)]
LanguageOption = Annotated[Language, typer.Option("--lang", envvar="MRM_LANG", help="Language of screens and reports.")]
PortOption = Annotated[int, typer.Option("--port", min=1, max=65500, help="First port to try; a taken one moves to the next, and says so.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One line of JSON on stdout; progress and errors go to stderr.")]
TodayOption = Annotated[datetime | None, date_option("--today", "Pin the home's clock to this date; it only moves on.")]
SinceOption = Annotated[datetime, date_option("--since", "First date, inclusive.")]
UntilOption = Annotated[datetime, date_option("--until", "Last date, inclusive.")]
DEFAULT_HOME = Path(".mrm")
DEFAULT_PORT = 8750
ELSEWHERE = ("MRM_DATABASE_URL", "MRM_CLICKHOUSE_URL")
"""With one of these a new home may belong to data that are there already."""


class NothingYet(ConfigurationError):
    """A command that reads was given a home that nobody has made."""

    def __init__(self, path: Path) -> None:
        super().__init__(say("nothing_yet", "en", path=path))


def existing(path: Path) -> Home:
    """Open a home that is there. Raises NothingYet, and makes nothing, where it is not."""
    if not Home.exists(path) and not any(os.environ.get(name) for name in ELSEWHERE):
        raise NothingYet(path)
    return Home.open(path)


def require_dates(since: datetime | None, until: datetime | None, today: date) -> None:
    """Raise UsageError for a window that ends before it begins, or begins after today."""
    if since and until:
        DateWindow(since.date(), until.date())
    if since and since.date() > today:
        raise UsageError(f"{since.date()} is still to come", why=f"Today is {today}", fix="Pass an earlier --since")
