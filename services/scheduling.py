"""Integrations are data: when each is pulled, whether it is, and what its last pull said decide what runs next.

The clock is the home's. A missed tick is made up once. A failure is tried again by its kind: a quota at the server's hour, what
passes with growing pauses, a refused credential not before it is renewed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from domain.clock import knows_zone
from domain.errors import AuthorizationExpired, MrmError, RateLimited, TransientFailure, Unreachable, UsageError
from services.actors import Actor, Permission, authorize
from services.integrations import connect_command, import_again, login_of
from store import schedules
from store.alerts import Alerts
from store.database import Store, Transaction
from store.integrations import Integrations
from store.people import People, Team
from store.records import Alert, Integration, Schedule
from store.schedules import Schedules

CLAIM = timedelta(minutes=15)
"""How long a claim lasts by the wall when its run falls silent; `held` prolongs it."""
FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=2)
BATCH = 500
"""How many integrations one run pulls (docs/decisions/0013)."""


@dataclass(frozen=True)
class State:
    """An integration with its schedule, as people see it."""

    integration: Integration
    schedule: Schedule


@dataclass(frozen=True)
class Claim:
    """What one run is to pull, most urgent first."""

    id: str
    integration_ids: tuple[str, ...]


def integration_states(store: Store, actor: Actor) -> list[State]:
    """List the organization's integrations with their schedules, oldest first."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return _states(transaction, store, actor.organization_id)


def states_of_everyone(store: Store) -> list[State]:
    """List every organization's integrations with their schedules: for pipelines."""
    with store.system() as transaction:
        return [state for organization in People(transaction).organizations() for state in _states(transaction, store, organization.id)]


def standing_of_everyone(store: Store) -> tuple[list[State], list[tuple[Alert, str]]]:
    """List every organization's integrations with their schedules, and the alerts that stand with their rule's kind: for meters."""
    states: list[State] = []
    alerts: list[tuple[Alert, str]] = []
    with store.system() as transaction:
        for organization in People(transaction).organizations():
            states += _states(transaction, store, organization.id)
            watched = Alerts(transaction, organization.id, store.vault)
            kinds = {rule.id: rule.kind for rule in watched.rules()}
            alerts += [(alert, kinds[alert.rule_id]) for alert in watched.all()]
    return states, alerts


def get_schedule(store: Store, actor: Actor, integration_id: str) -> Schedule:
    """Return an integration's schedule; raises NotFound."""
    authorize(actor, Permission.INTEGRATION_READ)
    with store.transaction(actor.organization_id) as transaction:
        return Schedules(transaction, actor.organization_id).get(integration_id)


def change_schedule(
    store: Store,
    actor: Actor,
    integration_id: str,
    now: datetime,
    *,
    cron: str | None = None,
    timezone: str | None = None,
    offset_minutes: int | None = None,
    lookback_days: int | None = None,
    priority: int | None = None,
) -> Schedule:
    """Change what is given of an integration's schedule; the next run follows from it at once, without a restart.

    Raises UsageError for a cron line or time zone that cannot be read, and for an integration that comes from files, NotFound for an
    unknown one.
    """
    authorize(actor, Permission.INTEGRATION_MANAGE)
    given = {"cron": cron, "timezone": timezone, "offset_minutes": offset_minutes, "lookback_days": lookback_days, "priority": priority}
    values = {name: value for name, value in given.items() if value is not None}
    if timezone is not None and timezone not in available_timezones():
        raise UsageError(f"There is no time zone {timezone!r}", fix="Write an IANA name such as Europe/Moscow")
    with store.transaction(actor.organization_id) as transaction:
        known = Integrations(transaction, actor.organization_id, store.vault).get(integration_id)
        if known.from_files:
            raise UsageError(f"{known.name} has no schedule", why="It comes from files", fix=import_again(known))
        rows = Schedules(transaction, actor.organization_id)
        changed = rows.change(integration_id, **values) if values else rows.get(integration_id)
        if values.keys() & {"cron", "timezone", "offset_minutes"}:  # anything else leaves what is due, a retry too, as it was
            tick = next_tick(changed, _zone(transaction, store, actor.organization_id, integration_id, changed), now)
            changed = rows.change(integration_id, next_run_at=tick)
        Team(transaction, actor.organization_id).record(actor.user_id, "integration.schedule", integration_id, **{k: str(v) for k, v in values.items()})
    return changed


def claim_due(store: Store, now: datetime, limit: int = BATCH) -> Claim | None:
    """Claim the integrations that are due, None when none is: for pipelines. Two takers never get the same one."""
    with store.system() as transaction:
        claim, rows = schedules.claim_due(transaction, now, limit, CLAIM)
    return Claim(claim, tuple(s.integration_id for s in rows)) if rows else None


def release_claim(store: Store, claim: str, now: datetime) -> int:
    """Give back what a run that ended did not settle, due again after the first retry's pause; return how many they were."""
    with store.system() as transaction:
        return schedules.release(transaction, claim, now + FIRST_RETRY)


@contextmanager
def held(store: Store, claim: str | None, lease: timedelta = CLAIM) -> Iterator[None]:
    """Prolong a claim for as long as the block lasts; nothing for None. A store that is away is asked again a little later."""
    stopped = Event()

    def beat() -> None:
        while not stopped.wait(lease.total_seconds() / 4):
            with suppress(MrmError), store.system() as transaction:
                schedules.prolong(transaction, claim or "", lease)

    thread = Thread(target=beat, name="claim", daemon=True)
    if claim:
        thread.start()
    try:
        yield
    finally:
        stopped.set()


def settle(
    store: Store,
    organization_id: str,
    integration_id: str,
    now: datetime,
    failures: Sequence[MrmError],
    quota: Mapping[str, str] | None = None,
    *,
    routine: bool = True,
    login: str = "",
) -> Schedule:
    """Remember how an integration's pull went, and when it is due again; raises NotFound.

    `login` is what it was pulled by: where that was refused and a person has entered another meanwhile, it is due at once.

    A pull of dates that somebody asked for is not `routine`: it leaves the claim of the run that is, and a moment that is due sooner.
    """
    why = "; ".join(dict.fromkeys(str(f) for f in failures)) or None
    with store.transaction(organization_id) as transaction:
        integrations = Integrations(transaction, organization_id, store.vault)
        why = _complete(why, integrations.get(integration_id)) if why else None
        integrations.synced(integration_id, now, why)
        rows = Schedules(transaction, organization_id)
        before = rows.get(integration_id)
        count = before.failures + 1 if failures else 0
        tick = next_tick(before, _zone(transaction, store, organization_id, integration_id, before), now)
        moment = {} if failures else {"last_success_at": now}
        due = next_try(failures, count, tick, now)
        if due is None and login and (entered := integrations.credentials(integration_id)) and login_of(entered) != login:
            due = now
        if not routine and due is not None and before.next_run_at is not None:
            due = min(due, before.next_run_at)
        if integrations.get(integration_id).from_files:
            due = None
        return rows.change(
            integration_id,
            **moment,
            last_attempt_at=now,
            last_error=why,
            error_code=failures[0].code if failures else None,
            failures=count,
            next_run_at=due,
            **({"claim": None, "claimed_until": None} if routine else {}),
            **({"quota": dict(quota)} if quota is not None else {}),
        )


def _complete(why: str, integration: Integration) -> str:
    """Complete the command that connects anew, which a connector words without the integration's name: a person types it as it is printed."""
    command = f"./run connect {integration.platform}"
    return why.replace(command, f"{connect_command(integration.platform, integration.name)} (or --credentials FILE.json)")


def next_try(failures: Sequence[MrmError], count: int, tick: datetime, now: datetime) -> datetime | None:
    """Return when a pull is due again: `tick` is the schedule's own next moment, `count` the failures in a row, this one included.

    A credential that was refused as a whole (no account named) waits for a person: None. A quota waits for the server's hour,
    and from the second failure on no shorter than what passes does: not every platform says when its day's quota is back.
    """
    if any(isinstance(f, AuthorizationExpired) and not f.account_id for f in failures):
        return None
    growing = min(FIRST_RETRY * 2 ** min(count - 1, 10), LONGEST_RETRY)
    least = growing if count > 1 else timedelta(0)
    pauses = [max(timedelta(seconds=f.retry_after), least) for f in failures if isinstance(f, RateLimited)]
    if any(isinstance(f, TransientFailure | Unreachable) for f in failures):
        pauses.append(growing)
    return min([tick, *(now + pause for pause in pauses)])


def next_tick(schedule: Schedule, zone: str, now: datetime) -> datetime:
    """Return the first moment after `now` of a schedule's cron line in its time zone, its offset added.

    A moment that a change of the clock skips or repeats happens once.
    """
    offset = timedelta(minutes=schedule.offset_minutes)
    try:
        moments = CronSim(schedule.cron, (now - offset).astimezone(ZoneInfo(zone)))
        # in the hour that comes again it names the moment of the first pass, which is over
        return next(due for moment in moments if (due := moment.astimezone(UTC) + offset) > now)
    except (CronSimError, StopIteration) as error:
        raise UsageError(f"The schedule {schedule.cron!r} cannot be read", why=str(error), fix="Write five fields, e.g. '0 6 * * *'") from error


def _states(transaction: Transaction, store: Store, organization_id: str) -> list[State]:
    known = {s.integration_id: s for s in Schedules(transaction, organization_id).all()}
    return [State(i, known[i.id]) for i in Integrations(transaction, organization_id, store.vault).all()]


def _zone(transaction: Transaction, store: Store, organization_id: str, integration_id: str, schedule: Schedule) -> str:
    """Return the schedule's own time zone, or that of the integration's first account that has one known here."""
    if schedule.timezone:
        return schedule.timezone
    accounts = Integrations(transaction, organization_id, store.vault).accounts(integration_id)
    return next((account.timezone for account in accounts if knows_zone(account.timezone)), "UTC")
