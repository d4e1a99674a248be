"""`./run alerts`: what stands, rules and channels as data, acknowledge and snooze."""

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from domain.errors import UsageError
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, Language, existing
from mrm.wording import counted

if TYPE_CHECKING:
    from services.installation import Installation

app = typer.Typer(no_args_is_help=True, help="What stands, whom it is told, and by which rules. Each finding is told once; it recovers by itself.")

UNSENT = 10
"""How many messages that did not go out are listed; --json gives more."""

AlertId = Annotated[str, typer.Argument(help="The alert's id, or its beginning.")]


@app.command("list")
def list_command(
    home: HomeOption = DEFAULT_HOME, recovered: Annotated[bool, typer.Option("--recovered", help="Also what is over.")] = False, as_json: JsonOption = False
) -> None:
    """List what stands, newest first, the rules that look, and the messages that did not go out (yet).

    Example: ./run alerts list --recovered
    """
    from services.alert_wording import summary
    from services.alerting import list_alerts, list_channels, list_deliveries, list_rules
    from services.installation import Installation

    with Installation.open(existing(home).path) as installation:
        store, actor = installation.store, installation.actor
        rules, channels = {r.id: r for r in list_rules(store, actor)}, {c.id: c.name for c in list_channels(store, actor)}
        alerts = list_alerts(store, actor, recovered=recovered)
        waiting = list_deliveries(store, actor, unsent=True)
    if as_json:
        listed = [{"id": a.id, "rule": rules[a.rule_id].name, "subject": a.subject, "status": a.status, **dict(a.details)} for a in alerts]
        looking = [{"name": r.name, "kind": r.kind, **dict(r.settings)} for r in rules.values()]
        unsent = [{"channel": channels[d.channel_id], "status": d.status, "attempts": d.attempts, "error": d.error, **d.content} for d in waiting]
        typer.echo(json.dumps({"alerts": listed, "rules": looking, "deliveries": unsent}, ensure_ascii=False))
        return
    screen = Console(highlight=False, markup=False)
    table = Table("id", "since", "status", "rule", "what", box=None)
    for a in alerts:
        table.add_row(a.id[:8], f"{a.fired_at:%Y-%m-%d %H:%M}", a.status, rules[a.rule_id].name, summary(rules[a.rule_id].kind, a))
    screen.print(table if alerts else "Nothing stands.")
    for r in rules.values():
        told = ", ".join(channels.get(c, "?") for c in r.channel_ids) or "nobody"
        screen.print(f"rule {r.name}: {r.kind} {json.dumps(dict(r.settings))} → {told}")
    for d in waiting[:UNSENT]:
        screen.print(f"{d.status} after {counted(d.attempts, 'attempt')}, {channels[d.channel_id]}: {d.content['title']} {d.error or ''}".rstrip())
    if not rules:
        screen.print("No rule looks: ./run alerts add-rule stale_source")


@app.command("add-channel")
def add_channel_command(
    kind: Annotated[str, typer.Argument(help="email, slack, telegram or webhook.")],
    name: Annotated[str, typer.Option("--name", help="What rules call it.")],
    target: Annotated[str, typer.Option("--target", help="An address, a URL, token/chat for Telegram, or @FILE that holds it (keeps it off the screen).")],
    lang: Annotated[Language, typer.Option("--lang", help="Language of its messages.")] = Language.EN,
    quiet: Annotated[str, typer.Option("--quiet", help="Local hours without messages, e.g. 22-8; they go out afterwards.")] = "",
    timezone: Annotated[str, typer.Option("--timezone", help="IANA zone of the quiet hours.")] = "UTC",
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Add a channel; its target is stored encrypted.

    Example: ./run alerts add-channel slack --name team --target @slack-url.txt --quiet 22-8 --timezone Europe/Moscow
    """
    from delivery.channels import read_target
    from delivery.settings import DeliverySettings
    from services.alerting import add_channel
    from services.installation import Installation

    text = Path(target[1:]).read_text(encoding="utf-8") if target.startswith("@") else target
    read = read_target(kind, text.strip(), DeliverySettings()) if kind in ("email", "slack", "telegram", "webhook") else text
    with Installation.open(home) as installation:
        installation.ensure_organization()
        made = add_channel(
            installation.store, installation.actor, kind=kind, name=name, target=read, language=str(lang), quiet=_hours(quiet), timezone=timezone
        )
    typer.echo(f"Channel {made.name} ({made.kind}). Rules name it with --channel {made.name}")


@app.command("add-rule")
def add_rule_command(
    kind: Annotated[
        str,
        typer.Argument(help="stale_source, failed_sync, failed_check, spend_stopped, zero_conversions, pacing, cpa_jump or model_api_failing."),
    ],
    name: Annotated[str, typer.Option("--name", help="Default: the kind.")] = "",
    setting: Annotated[list[str] | None, typer.Option("--setting", help="key=number, e.g. percent=40 (repeatable).")] = None,
    channel: Annotated[list[str] | None, typer.Option("--channel", help="Tell this channel (repeatable).")] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Add a rule; it looks from the next time on.

    Example: ./run alerts add-rule cpa_jump --setting percent=40 --channel team
    """
    from services.alerting import add_rule
    from services.installation import Installation

    settings = dict(_number(text) for text in setting or [])
    with Installation.open(home) as installation:
        installation.ensure_organization()
        made = add_rule(installation.store, installation.actor, kind=kind, name=name or kind, settings=settings, channels=channel or [])
    typer.echo(f"Rule {made.name}: {made.kind} {json.dumps(dict(made.settings))}")


@app.command("remove")
def remove_command(
    what: Annotated[str, typer.Argument(help="rule or channel.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Remove a rule with what it found, or a channel with its log.

    Example: ./run alerts remove rule cpa_jump
    """
    from services.alerting import remove
    from services.installation import Installation

    if what not in ("rule", "channel"):
        raise UsageError(f"{what!r} cannot be removed", fix="Write rule or channel")
    with Installation.open(existing(home).path) as installation:
        remove(installation.store, installation.actor, what, name)
    typer.echo(f"Removed the {what} {name}")


@app.command("check")
def check(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Look at every rule now and send what is queued; the daemon does so every five minutes.

    Example: ./run alerts check --json
    """
    from assets.alerting import watch_and_tell
    from services.installation import Installation

    with Installation.open(existing(home).path) as installation:
        counts = watch_and_tell(installation)
    why = ": ./run alerts list says why" if counts["failed"] or counts["retried"] else ""
    typer.echo(json.dumps(counts) if as_json else ", ".join(f"{name} {count}" for name, count in counts.items()) + why)


@app.command("acknowledge")
def acknowledge_command(alert: AlertId, home: HomeOption = DEFAULT_HOME) -> None:
    """Say that somebody takes care of an alert; it stands until it recovers.

    Example: ./run alerts acknowledge 3f2a81c0
    """
    from services.alerting import acknowledge
    from services.installation import Installation

    with Installation.open(existing(home).path) as installation:
        acknowledge(installation.store, installation.actor, _whole_id(installation, alert), installation.clock.now())
    typer.echo("Acknowledged")


@app.command("snooze")
def snooze_command(alert: AlertId, hours: Annotated[float, typer.Option("--hours", min=0.1, max=2400)] = 24, home: HomeOption = DEFAULT_HOME) -> None:
    """Keep an alert silent for some hours; one that still stands then is told once more.

    Example: ./run alerts snooze 3f2a81c0 --hours 48
    """
    from services.alerting import snooze
    from services.installation import Installation

    with Installation.open(existing(home).path) as installation:
        until = installation.clock.now() + timedelta(hours=hours)
        snooze(installation.store, installation.actor, _whole_id(installation, alert), until)
    typer.echo(f"Silent until {until:%Y-%m-%d %H:%M} UTC")


def _whole_id(installation: "Installation", beginning: str) -> str:
    from services.alerting import list_alerts

    fitting = [a.id for a in list_alerts(installation.store, installation.actor) if a.id.startswith(beginning)]
    if len(fitting) != 1:
        raise UsageError(f"{len(fitting)} alerts begin with {beginning!r}", fix="./run alerts list shows the ids")
    return fitting[0]


def _hours(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) < 24 and int(last) < 24):
        raise UsageError(f"The quiet hours {text!r} cannot be read", fix="Write e.g. 22-8")
    return int(first), int(last)


def _number(text: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        return key, float(value)
    except ValueError:
        raise UsageError(f"The setting {text!r} cannot be read", fix="Write key=number") from None
