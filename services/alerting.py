"""Alerts: rules as data; each finding fires once, is acknowledged or snoozed by people, and recovers by itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from domain.alerts import ChannelKind, Observation, RuleKind
from domain.errors import UnknownName, UsageError
from services.actors import Actor, Permission, authorize
from services.alert_wording import message
from store.alerts import Alerts
from store.database import Store, Transaction
from store.people import People, Team
from store.records import Alert, AlertChannel, AlertRule, Delivery

DEFAULTS: Mapping[RuleKind, Mapping[str, float]] = {
    RuleKind.STALE_SOURCE: {"days": 2},
    RuleKind.FAILED_SYNC: {},
    RuleKind.FAILED_CHECK: {},
    RuleKind.SPEND_STOPPED: {"days": 1, "baseline_days": 7},
    RuleKind.ZERO_CONVERSIONS: {"days": 2, "baseline_days": 14},
    RuleKind.PACING: {"tolerance_percent": 20},
    RuleKind.CPA_JUMP: {"days": 3, "baseline_days": 14, "percent": 50},
    RuleKind.MODEL_API_FAILING: {"minutes": 60},
}
"""The settings of each kind and what they are where nothing is said. Days are whole, settled days of the account.

`minutes`: how long ago the model's last failure may be to be told."""
MOST = 10_000
"""The largest value of a setting."""


@dataclass(frozen=True)
class Event:
    """A rule's finding that began (`fired`), ended (`recovered`), or still stands after its snooze (`woken`): told once."""

    rule: AlertRule
    alert: Alert
    what: str

    @property
    def key(self) -> str:
        """Name the event, so that it is sent once."""
        return f"{self.alert.id}:{self.what}" + (f":{self.alert.snoozed_until.isoformat()}" if self.what == "woken" and self.alert.snoozed_until else "")


def add_channel(
    store: Store,
    actor: Actor,
    *,
    kind: str,
    name: str,
    target: str,
    language: str = "en",
    quiet: tuple[int, int] | None = None,
    timezone: str = "UTC",
) -> AlertChannel:
    """Add a channel. `target` is an address, a URL, or `token/chat` for Telegram; it is stored sealed. `quiet` are local hours, end exclusive.

    Raises UnknownName, UsageError, or Conflict for a name that is taken.
    """
    authorize(actor, Permission.INTEGRATION_MANAGE)
    if kind not in set(ChannelKind):
        raise UnknownName("channel kind", kind, list(ChannelKind))
    if timezone not in available_timezones():
        raise UsageError(f"There is no time zone {timezone!r}", fix="Write an IANA name such as Europe/Moscow")
    hours = {"quiet_from": quiet[0], "quiet_until": quiet[1]} if quiet else {}
    with store.transaction(actor.organization_id) as transaction:
        made = _of(store, actor, transaction).add_channel(kind, name, target, language=language, timezone=timezone, **hours)
        Team(transaction, actor.organization_id).record(actor.user_id, "alert.channel", made.id, kind=kind)
    return made


def add_rule(store: Store, actor: Actor, *, kind: str, name: str, settings: Mapping[str, float] | None = None, channels: Sequence[str] = ()) -> AlertRule:
    """Add a rule that tells the named channels; raises UnknownName for a kind, setting or channel that does not exist.

    Raises UsageError for a setting with which nothing could be judged, such as no day at all.
    """
    authorize(actor, Permission.INTEGRATION_MANAGE)
    if kind not in set(RuleKind):
        raise UnknownName("rule kind", kind, list(RuleKind))
    defaults = DEFAULTS[RuleKind(kind)]
    for setting, value in (settings or {}).items():
        if setting not in defaults:
            raise UnknownName(f"setting of {kind}", setting, defaults)
        if not (1 if "days" in setting else 0.001) <= value <= MOST:
            raise UsageError(f"The setting {setting}={value:g} makes no sense", fix=f"Write a positive number, at most {MOST}; days begin at 1")
    with store.transaction(actor.organization_id) as transaction:
        alerts = _of(store, actor, transaction)
        known = {c.name: c.id for c in alerts.channels()}
        for channel in channels:
            if channel not in known:
                raise UnknownName("channel", channel, known)
        made = alerts.add_rule(kind, name, {**defaults, **(settings or {})}, [known[c] for c in channels])
        Team(transaction, actor.organization_id).record(actor.user_id, "alert.rule", made.id, kind=kind)
    return made


def list_channels(store: Store, actor: Actor) -> list[AlertChannel]:
    """List the channels, targets left out."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).channels()


def list_rules(store: Store, actor: Actor) -> list[AlertRule]:
    """List the rules."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).rules()


def list_alerts(store: Store, actor: Actor, *, recovered: bool = False) -> list[Alert]:
    """List what stands, newest first; with `recovered` what was, too."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).all(recovered=recovered)


def list_deliveries(store: Store, actor: Actor, *, unsent: bool = False) -> list[Delivery]:
    """List what was sent, and what could not be, newest first; with `unsent` only what did not go out (yet)."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).deliveries(unsent=unsent)


def remove(store: Store, actor: Actor, what: str, name: str) -> None:
    """Remove a `rule` or `channel` by name; raises UnknownName."""
    authorize(actor, Permission.INTEGRATION_MANAGE)
    with store.transaction(actor.organization_id) as transaction:
        alerts = _of(store, actor, transaction)
        known = {row.name: row.id for row in (alerts.rules() if what == "rule" else alerts.channels())}
        if name not in known:
            raise UnknownName(what, name, known)
        alerts.remove(what, known[name])


def acknowledge(store: Store, actor: Actor, alert_id: str, now: datetime) -> Alert:
    """Say that somebody takes care: the alert stands until it recovers, and nobody is told again. Raises NotFound.

    A snooze ends with it. What has recovered stays recovered.
    """
    authorize(actor, Permission.INTEGRATION_SYNC)
    values = {"status": "acknowledged", "acknowledged_by": actor.user_id, "acknowledged_at": now, "snoozed_until": None}
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).change_standing(alert_id, **values)


def snooze(store: Store, actor: Actor, alert_id: str, until: datetime) -> Alert:
    """Keep an alert silent, its recovery too, until a moment; one that still stands then is told once more. Raises NotFound."""
    authorize(actor, Permission.INTEGRATION_SYNC)
    with store.transaction(actor.organization_id) as transaction:
        return _of(store, actor, transaction).change_standing(alert_id, snoozed_until=until)


def note(store: Store, rule: AlertRule, observations: Iterable[Observation], now: datetime) -> list[Event]:
    """Compare what a look found with what stands; return what began and what ended, each for its one message.

    A subject that is unknown now (stale data) keeps its state. One that the look no longer names has recovered.
    """
    found = {o.subject: o for o in observations}
    events: list[Event] = []
    with store.transaction(rule.organization_id) as transaction:
        alerts = Alerts(transaction, rule.organization_id, store.vault)
        standing = alerts.standing(rule.id)
        for subject, seen in found.items():
            alert = standing.get(subject)
            if seen.firing and alert is None:
                fired = alerts.fire(rule.id, subject, seen.details, now)
                events += [Event(rule, fired, "fired")] if fired else []
            elif seen.firing and alert is not None:
                events += [Event(rule, alert, "woken")] if alert.snoozed_until and alert.snoozed_until <= now else []
                alerts.change(alert.id, last_seen_at=now, details=dict(seen.details), snoozed_until=_still(alert, now))
        for subject, alert in standing.items():
            if subject not in found or found[subject].firing is False:
                ended = alerts.change(alert.id, status="recovered", recovered_at=now)
                events += [] if _still(alert, now) else [Event(rule, ended, "recovered")]
        _queue(alerts, rule, events)
    return events


def rules_of_everyone(store: Store) -> list[AlertRule]:
    """List the enabled rules of every organization: for pipelines."""
    rules: list[AlertRule] = []
    with store.system() as transaction:
        for organization in People(transaction).organizations():
            rules += [r for r in Alerts(transaction, organization.id, store.vault).rules() if r.enabled]
    return rules


def _still(alert: Alert, now: datetime) -> datetime | None:
    """Return the end of a snooze that lasts."""
    return alert.snoozed_until if alert.snoozed_until and alert.snoozed_until > now else None


def _queue(alerts: Alerts, rule: AlertRule, events: Sequence[Event]) -> None:
    """Queue each event for each of the rule's channels in the transaction that notes it: neither is without the other."""
    languages = {c.id: c.language for c in alerts.channels()}
    for event in events:
        for channel_id in rule.channel_ids:
            if channel_id in languages:
                said = message(event.rule.kind, event.alert, event.what, languages[channel_id])
                alerts.queue(channel_id, event.key, {"title": said.title, "text": said.text})


def _of(store: Store, actor: Actor, transaction: Transaction) -> Alerts:
    return Alerts(transaction, actor.organization_id, store.vault)
