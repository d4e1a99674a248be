"""`./run integrations`: what is pulled, when, and how it went; pause, resume, schedule."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mrm.naming import WAYS, one
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, existing
from mrm.processes import runs

if TYPE_CHECKING:
    from services.installation import Installation

app = typer.Typer(no_args_is_help=True, help="What is pulled, when, and how it went; pause, resume, schedule. Changes count at once, without a restart.")

Name = Annotated[str, typer.Argument(help=f"The integration: {WAYS}, where it is the only one there.")]


@app.command("list")
def list_command(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List the integrations with schedule, last success, next run, last error and quota left.

    Example: ./run integrations list --json
    """
    from services.installation import Installation

    with Installation.open(existing(home).path) as installation:
        states = describe(installation)
    if as_json:
        typer.echo(json.dumps(states, ensure_ascii=False, default=str))
        return
    if not states:
        typer.echo("No integration is connected: ./run connect PLATFORM")
        return
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for heading in ("id", "platform", "name", "status", "schedule", "last success", "next run"):
        table.add_column(heading, no_wrap=heading in ("id", "platform", "status"), overflow="fold")
    for s in states:
        schedule = "—" if s["from_files"] else f"{s['cron']} {s['timezone'] or ''}".strip()
        table.add_row(s["id"][:8], s["platform"], s["name"], s["status"], schedule, _moment(s["last_success_at"]), next_run(s))
    Console(highlight=False, markup=False).print(table)
    for s in states:
        if s["last_error"]:
            typer.echo(f"{s['id'][:8]} {s['name']}: {s['last_error']}")


@app.command("pause")
def pause(name: Name, home: HomeOption = DEFAULT_HOME) -> None:
    """Stop pulling an integration; what is stored stays.

    Example: ./run integrations pause "Client"
    """
    _set_paused(home, name, paused=True)


@app.command("resume")
def resume(name: Name, home: HomeOption = DEFAULT_HOME) -> None:
    """Pull a paused integration again, from the next look on.

    Example: ./run integrations resume "Client"
    """
    _set_paused(home, name, paused=False)


@app.command("schedule")
def schedule(
    name: Name,
    cron: Annotated[str | None, typer.Option("--cron", help="Five fields, in the integration's time zone, e.g. '0 6 * * *'.")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="IANA zone of the cron line; default: the account's.")] = None,
    offset: Annotated[int | None, typer.Option("--offset", min=0, max=1439, help="Minutes after the cron line's moment.")] = None,
    lookback: Annotated[int | None, typer.Option("--lookback", min=1, max=1100, help="Days that a routine pull looks back, for every report.")] = None,
    priority: Annotated[int | None, typer.Option("--priority", min=-100, max=100, help="Higher is pulled first when many are due.")] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Change when an integration is pulled.

    Example: ./run integrations schedule "Client" --cron "0 5,13 * * *" --timezone Europe/Moscow
    """
    from services.installation import Installation
    from services.scheduling import change_schedule

    with Installation.open(existing(home).path) as installation:
        found = one(installation.integration_states(), name)
        changed = change_schedule(
            installation.store,
            installation.actor,
            found.id,
            installation.clock.now(),
            cron=cron,
            timezone=timezone,
            offset_minutes=offset,
            lookback_days=lookback,
            priority=priority,
        )
        typer.echo(f"{found.name}: {changed.cron}, next run {_moment(changed.next_run_at)}{_daemon_note(installation)}")


def describe(installation: "Installation") -> list[dict[str, Any]]:
    """Return each integration with its schedule and how its last pulls went; instants are UTC."""
    from services.scheduling import integration_states

    return [
        {
            **{field: getattr(s.integration, field) for field in ("id", "platform", "name", "status", "last_sync_at")},
            **{field: getattr(s.schedule, field) for field in ("cron", "timezone", "offset_minutes", "lookback_days", "priority")},
            **{field: getattr(s.schedule, field) for field in ("next_run_at", "last_attempt_at", "last_success_at", "last_error", "error_code", "failures")},
            "from_files": s.integration.from_files,
            "quota": dict(s.schedule.quota),
            "running": s.schedule.claimed_until is not None and s.schedule.claimed_until > datetime.now(UTC),
        }
        for s in integration_states(installation.store, installation.actor)
    ]


def next_run(state: dict[str, Any]) -> str:
    """Say when an integration is pulled next, in words where it is not."""
    if state["from_files"]:
        return "by file"
    if state["status"] in ("paused", "disconnected"):
        return str(state["status"])
    if state["running"]:
        return "running"
    if state["next_run_at"] is None:
        return "after ./run connect renews it"
    return "at the next look" if state["next_run_at"].year < 2001 else _moment(state["next_run_at"])


def _set_paused(home: Any, name: str, *, paused: bool) -> None:  # noqa: ANN401 - a path, as typer hands it over
    from services.installation import Installation
    from services.integrations import resume_integration, stop_integration

    with Installation.open(existing(home).path) as installation:
        found = one(installation.integration_states(), name)
        store, actor = installation.store, installation.actor
        if paused:
            stop_integration(store, actor, found.id, disconnect=False)
        else:
            resume_integration(store, actor, found.id)
        typer.echo(f"{found.name} is {'paused' if paused else 'active'}{'' if paused else _daemon_note(installation)}")


def _daemon_note(installation: "Installation") -> str:
    """Say so where no daemon will act on a change."""
    return "" if runs(installation.home, "dagster", "dagster") else " (no daemon runs: ./run up starts one, ./run sync pulls now)"


def _moment(instant: Any) -> str:  # noqa: ANN401 - a datetime or None, out of a mapping
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else "—"
