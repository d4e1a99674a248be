"""Numbers of a project: metrics, dashboard, insights, a report written now; and the catalogue of what can be asked."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from domain import asking
from domain.errors import UsageError
from domain.questions import Grain, Scope
from platform_api.analytics.insights import newest_insights
from platform_api.analytics.overview import Asked, overview
from platform_api.analytics.questions import printed, window
from platform_api.analytics.schemas import Comparison, Dashboard, Insights, Language, MetricsAnswer, MetricsCatalogue, NewReport, WrittenReport
from platform_api.dependencies import Given, Person, Remembered, errors
from services.actors import Permission, authorize
from services.organizations import base_currency
from services.projects import get_project

router = APIRouter(tags=["analytics"])
_CACHED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "Strong; absent while a build runs", "schema": {"type": "string"}}}},
    304: {"description": "The client has this answer already"},
}


@router.get("/projects/{project_id}/metrics", response_model=MetricsAnswer, responses={**_CACHED, **errors(401, 404)})
def metrics(
    project_id: str,
    request: Request,
    person: Person,
    given: Given,
    cached: Remembered,
    metrics: Annotated[str, Query(max_length=500, description="Names, separated by commas", examples=["spend,clicks,ctr"])],
    since: Annotated[date, Query(description="First date, inclusive")],
    until: Annotated[date, Query(description="Last date, inclusive")],
    by: Annotated[str, Query(max_length=200, description="Dimensions, separated by commas", examples=["platform,date"])] = "",
    where: Annotated[list[str] | None, Query(max_length=50, description=f"{asking.FILTERS}; one dimension twice means any of its values")] = None,
    as_of: Annotated[str | None, Query(max_length=40, description="Answer as it was known then: a date (its end) or an instant")] = None,
    order_by: Annotated[str, Query(max_length=200, description="Columns, separated by commas; a leading - sorts downwards")] = "",
    limit: Annotated[int | None, Query(ge=1, le=50_000)] = None,
    grain: Annotated[Grain | None, Query(description="By periods, whose first day stands in the dimension date; weeks start on Monday")] = None,
    compare: Annotated[str | None, Query(max_length=40, description="previous, year, year_weekday, or a window 2026-01-01..2026-01-31")] = None,
    top: Annotated[int | None, Query(ge=1, le=1000, description="Keep so many rows by the first metric or by order_by; the rest is one row, other")] = None,
    totals: Annotated[bool, Query(description="Add a row over all rows; ratios are ratios of sums")] = False,
    currency: Annotated[str | None, Query(max_length=4, description="Convert money by the rate of each row's date: ISO 4217, or base")] = None,
) -> Response:
    """Answer metrics by dimensions within the project, with their provenance. Money is a decimal string."""
    project = get_project(given.store, person, project_id)
    window(since, until, given.settings.max_days)
    asked = asking.question(
        metrics=metrics,
        by=by,
        since=since,
        until=until,
        where=where or (),
        known_at=as_of,
        order_by=order_by,
        limit=limit,
        periods=grain,
        compare=compare,
        top=top,
        totals=totals,
        currency=currency,
    )
    scope = Scope(
        organization_id=person.organization_id, project_ids=(project.id,), base_currency=base_currency(given.store, person) if currency == "base" else ""
    )

    def ask() -> tuple[MetricsAnswer, MetricsAnswer]:
        answer = printed(given.door.ask(scope, asked))
        return answer, answer

    return cached.answer(request, ask, person.organization_id, project.id, "metrics", asked.model_dump_json(), scope.base_currency)


@router.get("/projects/{project_id}/dashboard", response_model=Dashboard, responses={**_CACHED, **errors(401, 404)})
def dashboard(
    project_id: str,
    request: Request,
    person: Person,
    given: Given,
    cached: Remembered,
    since: date | None = None,
    until: date | None = None,
    days: Annotated[int | None, Query(ge=1, le=400, description="The last days with data, instead of since and until")] = None,
    compare: Comparison = "previous",
) -> Response:
    """Answer the overview: KPIs per currency against the compared period, day by day, platform by platform."""
    project = get_project(given.store, person, project_id)
    if since is not None and until is not None:
        window(since, until, given.settings.max_days)
    asked = Asked(since, until, days, compare)
    scope = Scope(organization_id=person.organization_id, project_ids=(project.id,))

    def ask() -> tuple[Dashboard, Dashboard]:
        board = overview(given.door, scope, project.id, asked, given.clock(), {m.name: m for m in given.catalogue.metrics})
        return board, board

    return cached.answer(request, ask, person.organization_id, project.id, "dashboard", asked)


@router.get("/projects/{project_id}/insights", responses=errors(401, 404))
def insights(
    project_id: str, person: Person, given: Given, language: Annotated[Language | None, Query(description="Preferred, where a report is in it")] = None
) -> Insights:
    """Answer the newest report's findings, their numbers printed from the proved facts."""
    return newest_insights(given.store, person, project_id, language)


@router.post("/projects/{project_id}/reports", status_code=201, responses=errors(401, 403, 404, 409))
def write_report(project_id: str, asked: NewReport, person: Person, given: Given) -> WrittenReport:
    """Have the analyst write a report now and keep it as a version of the project's report."""
    project = get_project(given.store, person, project_id)
    authorize(person, Permission.ARTIFACT_CREATE, project.id)
    if (asked.since is None) != (asked.until is None):
        raise UsageError("Only one end of the window is given", fix="Give since and until, or neither")
    if asked.since is not None and asked.until is not None:
        window(asked.since, asked.until, given.settings.max_days)
    return given.write_report(person, project, asked)


@router.get("/metrics-catalogue", responses=errors(401))
def metrics_catalogue(person: Person, given: Given) -> MetricsCatalogue:
    """List every metric and dimension that can be asked."""
    return given.catalogue
