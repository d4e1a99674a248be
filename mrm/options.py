"""Options that commands share."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    """The languages that people read."""

    RU = "ru"
    EN = "en"


HomeOption = Annotated[Path, typer.Option("--home", envvar="MRM_HOME", help="Directory of this installation: data, keys, logs, clock.", file_okay=False)]
LanguageOption = Annotated[Language, typer.Option("--lang", envvar="MRM_LANG", help="Language of screens and reports.")]
PortOption = Annotated[int, typer.Option("--port", min=1, max=65500, help="First port to try; a taken one moves to the next, and says so.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One line of JSON on stdout; progress and errors go to stderr.")]
TodayOption = Annotated[datetime | None, typer.Option("--today", formats=["%Y-%m-%d"], help="Pin the home's clock to this date; it only moves on.")]
SinceOption = Annotated[datetime, typer.Option("--since", formats=["%Y-%m-%d"], help="First date, inclusive.")]
UntilOption = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Last date, inclusive.")]
DEFAULT_HOME = Path(".mrm")
DEFAULT_PORT = 8750
