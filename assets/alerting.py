"""Alerts as Dagster runs them: every enabled rule looked at, what it found noted, what is queued sent."""

from datetime import UTC, datetime

from delivery.notifier import Notifier
from delivery.settings import DeliverySettings
from domain.errors import MrmError
from services.alerting import note, rules_of_everyone
from services.installation import Installation
from services.watching import look


def watch_and_tell(installation: Installation) -> dict[str, int]:
    """Look at every enabled rule, then send what is queued; count rules, events, and messages by outcome.

    A rule that cannot be looked at (the warehouse is away) changes nothing and is counted under `unknown`.
    """
    counts = {"rules": 0, "events": 0, "unknown": 0}
    for rule in rules_of_everyone(installation.store):
        counts["rules"] += 1
        try:
            counts["events"] += len(note(installation.store, rule, look(installation, rule), installation.clock.now()))
        except MrmError:
            counts["unknown"] += 1
    notifier = Notifier(installation.store, DeliverySettings(), lambda: datetime.now(UTC))
    try:
        counts |= notifier.deliver()
        if counts["events"] or counts["sent"] or counts["failed"] or counts["retried"]:
            installation.tell.event("alerts told", **counts)
        return counts
    finally:
        notifier.close()
