"""Alerts: each finding is told once, acknowledged or snoozed by people, recovers by itself, and stays silent on stale data."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from delivery.channels import DeliveryFailed
from delivery.notifier import Notifier
from delivery.settings import DeliverySettings
from domain.alerts import ChannelKind, Message, Observation, RuleKind
from domain.errors import Conflict, UnknownName, UsageError
from services.actors import Actor
from services.alert_wording import summary
from services.alerting import acknowledge, add_channel, add_rule, list_alerts, list_deliveries, list_rules, note, remove, snooze
from store.database import Store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRING = [Observation("acc", True, {"name": "meta_ads Кухни\n\x1b[31m\u2028Bcc: a", "spend": "0"})]
TWO = [Observation("one", True), Observation("two", True)]
QUIET = [Observation("acc", False)]
UNKNOWN = [Observation("acc", None)]


class Wire:
    """Channels that keep what they send and fail as they are told."""

    def __init__(self, *failures: Exception) -> None:
        self.sent: list[tuple[str, str, Message]] = []
        self.failures = list(failures)

    def send(self, kind: ChannelKind, target: str, message: Message) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((str(kind), target, message))

    def close(self) -> None:
        pass


def rule_of(store: Store, actor: Actor, kind: str = "spend_stopped", **channel: object):
    add_channel(store, actor, kind="slack", name="team", target="https://hooks.example.com/secret-path", **channel)
    return add_rule(store, actor, kind=kind, name=kind, channels=["team"])


def deliver(store: Store, wire: Wire, at: datetime = NOW) -> dict[str, int]:
    return Notifier(store, DeliverySettings(), lambda: at, wire).deliver()


@pytest.mark.parametrize("kind", list(RuleKind))
def test_every_rule_fires_once_recovers_once_and_is_silent_when_stale(store: Store, actor: Actor, kind: RuleKind) -> None:
    rule, wire = rule_of(store, actor, kind), Wire()
    told = []
    for observations in (UNKNOWN, FIRING, FIRING, UNKNOWN, FIRING, QUIET, QUIET, UNKNOWN):
        events = note(store, rule, observations, NOW)
        deliver(store, wire)
        told.append([e.what for e in events])
    assert told == [[], ["fired"], [], [], [], ["recovered"], [], []]
    assert len(wire.sent) == 2
    assert "Recovered: " in wire.sent[1][2].title
    assert wire.sent[0][1] == "https://hooks.example.com/secret-path"
    assert not {"\x1b", "\u2028"} & set(wire.sent[0][2].title + wire.sent[0][2].text)
    assert [a.status for a in list_alerts(store, actor, recovered=True)] == ["recovered"]


def test_what_was_found_is_worded_in_one_order_however_the_store_keeps_it(store: Store, actor: Actor) -> None:
    rule = rule_of(store, actor, "cpa_jump")
    found = {"name": "Bright Oak", "cpa": "125.17 EUR", "cpa_before": "115.27 EUR", "days": "2026-11-27..2026-11-29"}
    note(store, rule, [Observation("google_ads/1", True, found)], NOW)
    [alert] = list_alerts(store, actor)
    assert summary(rule.kind, alert) == "CPA jumped: Bright Oak. CPA 125.17 EUR; before 115.27 EUR; days 2026-11-27..2026-11-29"


def test_an_acknowledged_alert_stands_and_recovers(store: Store, actor: Actor) -> None:
    rule = rule_of(store, actor)
    [event] = note(store, rule, FIRING, NOW)
    acknowledge(store, actor, event.alert.id, NOW)
    assert note(store, rule, FIRING, NOW + timedelta(hours=1)) == []
    assert [a.status for a in list_alerts(store, actor)] == ["acknowledged"]
    assert [e.what for e in note(store, rule, [], NOW + timedelta(hours=2))] == ["recovered"], "a subject that is gone has recovered"
    assert acknowledge(store, actor, event.alert.id, NOW).status == "recovered", "and stays so, whoever is late"
    assert list_alerts(store, actor) == []


def test_who_takes_care_is_not_woken_by_a_snooze_from_before(store: Store, actor: Actor) -> None:
    rule = rule_of(store, actor)
    [event] = note(store, rule, FIRING, NOW)
    snooze(store, actor, event.alert.id, NOW + timedelta(hours=2))
    acknowledge(store, actor, event.alert.id, NOW + timedelta(hours=1))
    assert note(store, rule, FIRING, NOW + timedelta(hours=3)) == []


def test_a_snoozed_alert_is_silent_and_told_once_more_when_it_still_stands(store: Store, actor: Actor) -> None:
    rule, wire = rule_of(store, actor), Wire()
    [event] = note(store, rule, FIRING, NOW)
    snooze(store, actor, event.alert.id, NOW + timedelta(hours=2))
    looks = [NOW + timedelta(hours=h) for h in (1, 3, 4)]
    assert [[e.what for e in note(store, rule, FIRING, at)] for at in looks] == [[], ["woken"], []]
    deliver(store, wire)
    assert [m.title.split(":")[0] for _, _, m in wire.sent] == ["Spend stopped", "Still"]
    snooze(store, actor, event.alert.id, NOW + timedelta(hours=9))
    assert note(store, rule, QUIET, NOW + timedelta(hours=5)) == [], "a recovery within the snooze is silent"
    assert list_alerts(store, actor) == []


def test_two_looks_at_once_fire_once(store: Store, actor: Actor) -> None:
    rule = rule_of(store, actor)
    with ThreadPoolExecutor(4) as pool:
        events = list(pool.map(lambda _: note(store, rule, FIRING, NOW), range(4)))
    assert sum(len(e) for e in events) == 1
    assert len(list_deliveries(store, actor)) == 1


def test_a_failed_message_waits_and_is_given_up_after_its_attempts(store: Store, actor: Actor) -> None:
    rule = rule_of(store, actor)
    note(store, rule, FIRING, NOW)
    busy = Wire(DeliveryFailed("busy", retry_after=0.0), DeliveryFailed("gone", final=True))
    assert deliver(store, busy)["retried"] == 1
    assert deliver(store, busy)["failed"] == 1
    assert deliver(store, busy) == {"sent": 0, "waiting": 0, "retried": 0, "failed": 0}
    [log] = list_deliveries(store, actor)
    assert (log.status, log.attempts, log.error) == ("failed", 2, "gone.")


def test_a_message_that_breaks_us_is_given_up_and_the_next_one_goes_out(store: Store, actor: Actor) -> None:
    note(store, rule_of(store, actor), TWO, NOW)
    assert deliver(store, Wire(RuntimeError("nobody foresaw")))["sent"] == 1
    assert sorted(d.status for d in list_deliveries(store, actor)) == ["failed", "sent"]
    assert [d.status for d in list_deliveries(store, actor, unsent=True)] == ["failed"]


def test_a_channel_that_takes_nothing_now_is_left_in_peace_and_the_others_count_no_attempt(store: Store, actor: Actor) -> None:
    note(store, rule_of(store, actor), TWO, NOW)
    assert deliver(store, Wire(DeliveryFailed("busy", retry_after=30.0))) == {"sent": 0, "waiting": 1, "retried": 1, "failed": 0}
    assert sorted((d.status, d.attempts) for d in list_deliveries(store, actor)) == [("queued", 0), ("queued", 1)]
    assert deliver(store, Wire()) == {"sent": 0, "waiting": 0, "retried": 0, "failed": 0}, "both wait"


@pytest.mark.parametrize(("begins", "hours"), [("2026-03-08T03:00:00+00:00", 9), ("2026-11-01T02:00:00+00:00", 11), ("2026-03-10T02:00:00+00:00", 10)])
def test_quiet_hours_end_by_the_channels_clock_on_the_nights_when_it_changes(store: Store, actor: Actor, begins: str, hours: int) -> None:
    note(store, rule_of(store, actor, quiet=(22, 8), timezone="America/New_York"), FIRING, NOW)
    assert deliver(store, Wire(), datetime.fromisoformat(begins))["waiting"] == 1
    with store.system() as transaction:
        left = transaction.execute(text("select next_try_at - now() from deliveries")).scalar_one()
    assert timedelta(0) <= timedelta(hours=hours) - left < timedelta(minutes=1)


def test_a_message_that_waits_keeps_what_its_last_try_failed_of_until_it_is_sent(store: Store, actor: Actor) -> None:
    note(store, rule_of(store, actor, quiet=(22, 8)), FIRING, NOW)
    logs = []
    for wire, at in ((Wire(DeliveryFailed("busy", retry_after=0.0)), NOW), (Wire(), NOW.replace(hour=23)), (Wire(), NOW)):
        deliver(store, wire, at)
        logs += [(d.status, d.attempts, d.error) for d in list_deliveries(store, actor)]
        with store.system() as transaction:
            transaction.execute(text("update deliveries set next_try_at = now()"))
    assert logs == [("queued", 1, "busy."), ("queued", 1, "busy."), ("sent", 2, None)]


def test_quiet_hours_hold_a_message_back_without_counting_an_attempt(store: Store, actor: Actor) -> None:
    rule, wire = rule_of(store, actor, quiet=(22, 8), timezone="Europe/Moscow"), Wire()
    note(store, rule, FIRING, NOW)
    assert deliver(store, wire, datetime(2026, 3, 10, 20, 30, tzinfo=UTC))["waiting"] == 1  # half past eleven in the evening in Moscow
    [log] = list_deliveries(store, actor)
    assert (log.status, log.attempts, wire.sent) == ("queued", 0, [])


def test_rules_and_channels_are_data_and_mistakes_are_named(store: Store, actor: Actor) -> None:
    rule_of(store, actor)
    with pytest.raises(UnknownName, match="rule kind"):
        add_rule(store, actor, kind="cpa_jumps", name="x")
    with pytest.raises(UnknownName, match="setting of cpa_jump"):
        add_rule(store, actor, kind="cpa_jump", name="x", settings={"percnt": 5})
    for settings in ({"baseline_days": 0}, {"days": 1e9}, {"percent": float("nan")}):
        with pytest.raises(UsageError, match="makes no sense"):
            add_rule(store, actor, kind="cpa_jump", name="x", settings=settings)
    with pytest.raises(UnknownName, match="channel"):
        add_rule(store, actor, kind="cpa_jump", name="x", channels=["nobody"])
    with pytest.raises(Conflict):
        rule_of(store, actor)
    remove(store, actor, "rule", "spend_stopped")
    assert list_rules(store, actor) == []
