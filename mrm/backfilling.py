"""`./run backfill` and `./run gaps`: history pulled anew, and what is missing or stale."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from domain.clock import FARTHEST
from domain.errors import Conflict, PartialResult, UsageError
from domain.windows import DateWindow
from home.directory import Home
from home.servers import locked
from mrm import screens
from mrm.naming import Chosen, choose, failures_of, way_on
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, Language, LanguageOption, TodayOption, date_option, existing, require_dates
from mrm.sandboxing import move_clock, sandbox_of
from mrm.wording import counted

if TYPE_CHECKING:
    from services.gaps import Gap
    from services.installation import Installation
    from store.records import Backfill, Integration

GONE = "gone"
SHOWN = 200
"""How many gaps the table shows; --json gives all."""

Since = Annotated[datetime | None, date_option("--since", "First date, inclusive.")]
Until = Annotated[datetime | None, date_option("--until", "Last date, inclusive; default: the account's today.")]


def backfill(
    home: HomeOption = DEFAULT_HOME,
    since: Since = None,
    until: Until = None,
    integration: Chosen = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest backfill that did not end.")] = False,
    today: TodayOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = Language.EN,
) -> None:
    """Pull a window of dates anew, newest month first, then build what changed. What the platform no longer keeps is cut, and said.

    A backfill that was cancelled or killed goes on with --resume: dates pulled since it began are not pulled again.
    Exit code 6 when some accounts failed, or an integration was paused: --resume pulls the missing part.

    Example: ./run backfill --since 2025-01-01 --until 2025-12-31 --integration google_ads
    """
    from services.installation import Installation

    opened = existing(home)
    move_clock(opened, today)
    progress = screens.Progress(quiet=as_json, language=str(lang))
    with locked(opened, "demo"), Installation.open(opened.path, progress=progress.report) as installation, sandbox_of(installation), progress:
        work = _resumed(installation) if resume else _begun(installation, since, until, integration or [])
        notes = list(_cut(installation, work))
        failed = _run(installation, work)
        build = installation.builds.last()
    summary = {
        "backfill": work.id,
        "since": work.since.isoformat(),
        "until": work.until.isoformat(),
        "integrations": len(work.integration_ids),
        "data_version": build.build_id if build else 0,
        "notes": notes,
        "failed": [{"integration": i.id, "platform": i.platform, "error": i.last_error} for i in failed],
    }
    complete = len(work.integration_ids) - len(failed)
    typer.echo(json.dumps(summary, ensure_ascii=False) if as_json else f"{work.since}..{work.until} of {counted(complete, 'integration')} is complete")
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    if failed:
        raise PartialResult(f"{counted(len(failed), 'integration')} failed in part", failures_of(failed))


def gaps(
    home: HomeOption = DEFAULT_HOME,
    since: Since = None,
    until: Until = None,
    integration: Chosen = None,
    fill: Annotated[bool, typer.Option("--fill", help="Pull what is missing or stale now, and build.")] = False,
    today: TodayOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = Language.EN,
) -> None:
    """List the dates that no load covers and the provisional ones that nobody has looked at lately. No platform is asked.

    Exit code 0 when there is none, 1 when there is one; after --fill by what is still left.

    Example: ./run gaps --integration yandex_direct --fill
    """
    from services.installation import Installation

    opened = existing(home)
    move_clock(opened, today)
    require_dates(since, until, opened.clock.today(FARTHEST))
    with Installation.open(opened.path) as installation:
        ids = choose(installation, integration or [])
        found = _find(installation, ids, since, until)
        if fill and found:
            _fill(installation, opened, sorted({g.integration_id for g in found}), since, until, quiet=as_json, language=str(lang))
            found = _find(installation, ids, since, until)
    if as_json:
        typer.echo(json.dumps({"gaps": [_described(g) for g in found]}, ensure_ascii=False))
    else:
        _print(found)
    if found:
        raise typer.Exit(1)


def _begun(installation: "Installation", since: datetime | None, until: datetime | None, integration: list[str]) -> "Backfill":
    from services.backfills import begin_backfill

    if since is None:
        raise UsageError("A backfill needs its first date", fix="Pass --since YYYY-MM-DD, or --resume")
    today = installation.clock.today(FARTHEST)
    require_dates(since, until, today)
    last = min(until.date(), today) if until else today
    return begin_backfill(installation.store, installation.actor, DateWindow(since.date(), last), choose(installation, integration), installation.clock.now())


def _resumed(installation: "Installation") -> "Backfill":
    from services.backfills import get_backfill

    return get_backfill(installation.store, installation.actor)


def _cut(installation: "Installation", work: "Backfill") -> Iterator[str]:
    """Say what of a backfill's window its platforms no longer keep."""
    from connectors.registry import REPORTS, oldest_date

    today = installation.clock.today("UTC")
    for platform in sorted({i.platform for i in installation.integrations() if i.id in work.integration_ids}):
        kept = {r.name: oldest_date(platform, today, r) for r in REPORTS[platform] if r.date_column}
        first = min(kept.values())
        if first > work.since:
            yield f"{platform} answers from {first} on: nothing older was pulled"
        for later in sorted({day for day in kept.values() if day > max(first, work.since)}):
            yield f"{platform} answers from {later} on for {', '.join(name for name, day in kept.items() if day == later)}"


def _run(installation: "Installation", work: "Backfill") -> "list[Integration]":
    """Run a backfill's job and note how it ended; return the integrations that failed, or that nobody pulls now. Raises Conflict where that is each."""
    from mrm.jobs import run_job
    from services.backfills import note_backfill

    if not {i.id for i in installation.integrations()} & set(work.integration_ids):
        raise Conflict("No integration of this backfill is pulled", why="Each is paused, disconnected or gone", fix="./run integrations resume NAME")
    note_backfill(installation.store, installation.actor, work.id)
    try:
        run_job(installation, integration_ids=list(work.integration_ids), since=work.since, until=work.until, not_since=work.began_at)
    except BaseException as error:
        note_backfill(installation.store, installation.actor, work.id, error=str(error) or type(error).__name__)
        raise
    known = {i.id: i for i in installation.integration_states()}
    asked = [known.get(integration_id) or _gone(work, integration_id) for integration_id in work.integration_ids]
    failed = [_stopped(i) for i in asked if i.status != "active"]
    note_backfill(installation.store, installation.actor, work.id, done=not failed, error="; ".join(i.last_error or "" for i in failed) or None)
    return failed


def _stopped(integration: "Integration") -> "Integration":
    """Return an integration with what stands in its way as its error."""
    if integration.status in ("failed", GONE):
        return integration
    return replace(integration, last_error=f"{integration.name} is {integration.status}: {way_on(integration)}")


def _gone(work: "Backfill", integration_id: str) -> "Integration":
    """Return what is left of an integration that was removed since its backfill began: its id, and what to do."""
    from store.records import Integration

    why = f"The integration {integration_id} is gone: begin a backfill of the others anew"
    return Integration(
        id=integration_id,
        organization_id=work.organization_id,
        project_id=None,
        platform=GONE,
        name=integration_id,
        settings={},
        status=GONE,
        last_sync_at=None,
        last_error=why,
        created_at=work.began_at,
    )


def _fill(installation: "Installation", home: Home, ids: list[str], since: datetime | None, until: datetime | None, *, quiet: bool, language: str) -> None:
    from mrm.jobs import run_job

    progress = screens.Progress(quiet=quiet, language=language)
    installation.progress = progress.report
    with locked(home, "demo"), sandbox_of(installation), progress:
        run_job(installation, integration_ids=ids, since=since.date() if since else None, until=until.date() if until else None)


def _find(installation: "Installation", ids: list[str], since: datetime | None, until: datetime | None) -> "list[Gap]":
    from services.gaps import gaps_of

    first, last = (moment.date() if moment else None for moment in (since, until))
    bounds: dict[str, date | None] = {"since": first, "until": last, "history_since": installation.history_since}
    chosen = [i for i in installation.integrations() if i.id in ids]
    return [gap for i in chosen for gap in gaps_of(i, installation.store, installation.warehouse, installation.clock, **bounds)]


def _described(gap: "Gap") -> dict[str, str]:
    where = {field: getattr(gap, field) for field in ("integration_id", "platform", "account_id", "account_name", "report", "kind")}
    return {**where, "since": gap.window.since.isoformat(), "until": gap.window.until.isoformat()}


def _print(found: "list[Gap]") -> None:
    if not found:
        typer.echo("No gap: every date is covered, every provisional one was looked at lately.")
        return
    table = Table("platform", "account", "report", "kind", "since", "until", box=None)
    for gap in found[:SHOWN]:
        table.add_row(gap.platform, f"{gap.account_name} ({gap.account_id})", gap.report, gap.kind, str(gap.window.since), str(gap.window.until))
    Console(highlight=False, markup=False).print(table)
    more = f" ({len(found) - SHOWN} more: --json lists all)" if len(found) > SHOWN else ""
    typer.echo(f"{counted(len(found), 'gap')}{more}. ./run gaps --fill pulls them.")
