"""GET /integrations, GET /integrations/{integration_id}/status, POST /integrations/{integration_id}/sync."""

from datetime import timedelta

from fastapi import APIRouter

from domain.questions import Freshness, Question, Scope
from platform_api.dependencies import Dependencies, Given, Person, errors
from platform_api.integrations.schemas import Account, Integration, Integrations, IntegrationStatus, Schedule, SyncAccepted, SyncRequest
from services import integrations, scheduling, sync_requests

router = APIRouter(prefix="/integrations", tags=["integrations"])


@router.get("", responses=errors(401, 403))
def list_integrations(person: Person, given: Given) -> Integrations:
    """List the organization's integrations with schedule, last success, next run and quota left; credentials are never shown."""
    return Integrations(items=[_described(state) for state in scheduling.integration_states(given.store, person)])


@router.get("/{integration_id}/status", responses=errors(401, 403, 404))
def integration_status(integration_id: str, person: Person, given: Given) -> IntegrationStatus:
    """Say how an integration does: its state and schedule, its accounts, how far its platform's data reach, its newest sync request."""
    found = integrations.get_integration(given.store, person, integration_id)
    request = sync_requests.newest_sync_request(given.store, person, found.id)
    fresh = _freshness(given, person.organization_id, found.platform)
    return IntegrationStatus(
        integration=_described(scheduling.State(found, scheduling.get_schedule(given.store, person, found.id))),
        accounts=[Account.model_validate(a) for a in integrations.list_accounts(given.store, person, found.id)],
        data_through=fresh.data_through if fresh else None,
        observed_at=fresh.observed_at if fresh else None,
        last_request=SyncRequest.model_validate(request) if request else None,
        daemon=given.daemon_runs(),
    )


@router.post("/{integration_id}/sync", status_code=202, responses=errors(401, 403, 404))
def sync(integration_id: str, person: Person, given: Given) -> SyncAccepted:
    """File a request to pull now; a request that waits already serves for both."""
    request = sync_requests.ask_for_sync(given.store, person, integration_id)
    daemon = given.daemon_runs()
    message = "The pipelines take it within a minute" if daemon else "No pipeline daemon runs: it waits until ./run up starts one, or run ./run sync now"
    return SyncAccepted(request=SyncRequest.model_validate(request), daemon=daemon, message=message)


def _described(state: scheduling.State) -> Integration:
    return Integration.model_validate(state.integration).model_copy(update={"schedule": Schedule.model_validate(state.schedule)})


def _freshness(given: Dependencies, organization_id: str, platform: str) -> Freshness | None:
    """Ask the door how far a platform's data reach; a day's question is enough, for freshness does not depend on its window."""
    yesterday = given.clock().today("UTC") - timedelta(days=1)
    answer = given.door.ask(Scope(organization_id=organization_id), Question(metrics=("impressions",), by=("platform",), since=yesterday, until=yesterday))
    return next((freshness for freshness in answer.freshness if freshness.platform == platform), None)
