"""GET /alerts, POST /alerts/{alert_id}/acknowledge, POST /alerts/{alert_id}/snooze."""

from fastapi import APIRouter

from domain.errors import UsageError
from platform_api.alerts.schemas import Alert, Alerts, Snooze
from platform_api.dependencies import Dependencies, Given, Person, errors
from services import alerting
from services.actors import Actor
from store.records import Alert as Record

router = APIRouter(prefix="/alerts", tags=["alerts"])


@router.get("", responses=errors(401, 403))
def list_alerts(person: Person, given: Given, recovered: bool = False) -> Alerts:
    """List what stands, newest first; with `recovered` what was, too."""
    return Alerts(items=_shown(given, person, alerting.list_alerts(given.store, person, recovered=recovered)))


@router.post("/{alert_id}/acknowledge", responses=errors(401, 403, 404))
def acknowledge(alert_id: str, person: Person, given: Given) -> Alert:
    """Say that somebody takes care: the alert stands until it recovers, and nobody is told again."""
    return _shown(given, person, [alerting.acknowledge(given.store, person, alert_id, given.clock().now())])[0]


@router.post("/{alert_id}/snooze", responses=errors(401, 403, 404))
def snooze(alert_id: str, body: Snooze, person: Person, given: Given) -> Alert:
    """Keep an alert silent until a moment; one that still stands then is told once more."""
    if body.until <= given.clock().now():
        raise UsageError(f"{body.until} is over", fix="Name a moment that is still to come")
    return _shown(given, person, [alerting.snooze(given.store, person, alert_id, body.until)])[0]


def _shown(given: Dependencies, person: Actor, alerts: list[Record]) -> list[Alert]:
    rules = {rule.id: rule for rule in alerting.list_rules(given.store, person)}
    named = [(alert, rules.get(alert.rule_id)) for alert in alerts]
    return [Alert.model_validate(alert).model_copy(update={"rule": rule.name, "kind": rule.kind} if rule else {}) for alert, rule in named]
