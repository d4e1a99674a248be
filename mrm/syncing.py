"""`./run sync`: pull now, build what changed."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from domain.clock import FARTHEST
from domain.errors import Conflict, NotFound, PartialResult, SourceError
from home.directory import Home
from home.servers import locked
from mrm import screens
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, Language, LanguageOption, TodayOption, require_dates
from mrm.sandboxing import move_clock, sandbox_of

if TYPE_CHECKING:
    from services.installation import Installation


def sync(
    integration: Annotated[list[str] | None, typer.Option("--integration", help="Only this integration: its id or its platform (repeatable).")] = None,
    home: HomeOption = DEFAULT_HOME,
    since: Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="First date, inclusive; default: the report's lookback.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Last date, inclusive; default: the account's today.")] = None,
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

    opened = Home.open(home)
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
        typer.echo(f"{len(ids)} integrations, data version {summary['data_version']}")
    if failing:
        raise PartialResult(
            f"{len(failing)} of {len(ids)} integrations failed in part", [SourceError(i.last_error or "", platform=i.platform) for i in failing]
        )


def choose(installation: "Installation", wanted: list[str], of_files: str = "Nothing pulls it") -> list[str]:
    """Return the ids of the integrations that are pulled and named by id or platform; all of them where none is named.

    Raises NotFound for a name that fits none, Conflict for one that is stopped or comes from files: `of_files` says why not then.
    """
    from services.integrations import import_again

    known = installation.integrations()
    if not wanted:
        return [i.id for i in known]
    chosen = [i.id for i in known if i.id in wanted or i.platform in wanted]
    missing = [w for w in wanted if not any(w in (i.id, i.platform) for i in known)]
    if missing:
        stopped = [i for i in installation.integration_states() if i.id in missing or i.platform in missing]
        if files := [i for i in stopped if i.from_files]:
            raise Conflict(f"{', '.join(i.name for i in files)} comes from files", why=of_files, fix=import_again(files[0]))
        if stopped:
            names = ", ".join(f"{i.name} ({i.status})" for i in stopped)
            raise Conflict(f"Nothing is pulled of {names}", fix="./run integrations resume, or ./run connect again under the same name")
        raise NotFound(f"There is no integration {', '.join(missing)}", fix="./run status lists them")
    return chosen
