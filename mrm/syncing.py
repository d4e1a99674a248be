"""`./run sync`: pull now, build what changed."""

import json
from datetime import datetime
from typing import Annotated

import typer

from domain.clock import FARTHEST
from domain.errors import PartialResult
from home.servers import locked
from mrm import screens
from mrm.backfilling import Until
from mrm.naming import Chosen, choose, failures_of
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, Language, LanguageOption, TodayOption, date_option, existing, require_dates
from mrm.sandboxing import move_clock, sandbox_of
from mrm.wording import counted


def sync(
    integration: Chosen = None,
    home: HomeOption = DEFAULT_HOME,
    since: Annotated[datetime | None, date_option("--since", "First date, inclusive; default: the report's lookback.")] = None,
    until: Until = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = Language.EN,
) -> None:
    """Pull the integrations now, then build the marts where slices changed.

    Exit code 6 when some accounts failed: the others are complete, and the message names account and fix.

    Example: ./run sync --integration meta_ads
    """
    from mrm.jobs import run_job
    from services.installation import Installation

    opened = existing(home)
    move_clock(opened, today)
    require_dates(since, until, opened.clock.today(FARTHEST))
    progress = screens.Progress(quiet=as_json, language=str(lang))
    with locked(opened, "demo"), Installation.open(opened.path, progress=progress.report) as installation, sandbox_of(installation), progress:
        ids = choose(installation, integration or [])
        run_job(
            installation,
            integration_ids=ids,
            since=since.date() if since else None,
            until=until.date() if until else None,
        )
        failing = [i for i in installation.failing_integrations() if i.id in ids]
        build = installation.builds.last()
        summary = {
            "integrations": len(ids),
            "data_version": build.build_id if build else 0,
            "failed": [{"integration": i.id, "platform": i.platform, "error": i.last_error} for i in failing],
        }
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
    else:
        typer.echo(f"{counted(len(ids), 'integration')}, data version {summary['data_version']}")
    if failing:
        raise PartialResult(f"{len(failing)} of {counted(len(ids), 'integration')} failed in part", failures_of(failing))
