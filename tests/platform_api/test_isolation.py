"""Who may do what: every route of the application against every kind of caller, from one table. A route without a row fails."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi.routing import APIRoute

from platform_api.app import create_app
from platform_api.auth.tokens import AccessTokens, load_key
from platform_api.client import ApiClient
from platform_api.reference import operations

CALLERS = ("anonymous", "guest", "member", "admin", "outsider", "expired", "refresh_as_access")
WINDOW = "metrics=clicks&since=2026-03-01&until=2026-03-28"
OWN = (401, 200, 200, 200, 200, 401, 401)
"""Everybody sees their own things."""
READ = (401, 200, 200, 200, 404, 401, 401)
"""The guest is a viewer of Alpha; a foreign id answers as a nonexistent one."""
OPEN = (200,) * 7
TABLE = {
    # route: (path, body, expected per caller)
    "GET /health": ("/health", None, OPEN),
    "GET /metrics": ("/metrics", None, OPEN),
    "GET /ready": ("/ready", None, OPEN),
    "POST /api/v1/auth/login": ("/api/v1/auth/login", {"email": "nobody@agency.test", "password": "wrong password"}, (401,) * 7),
    "POST /api/v1/auth/refresh-token": ("/api/v1/auth/refresh-token", {}, (401,) * 7),
    "POST /api/v1/auth/logout": ("/api/v1/auth/logout", {}, (204,) * 7),
    "GET /api/v1/auth/me": ("/api/v1/auth/me", None, OWN),
    "GET /api/v1/projects": ("/api/v1/projects", None, OWN),
    "POST /api/v1/projects": ("/api/v1/projects", {"name": "Made by the matrix"}, (401, 403, 403, 201, 201, 401, 401)),
    "GET /api/v1/projects/{project_id}": ("/api/v1/projects/{project_id}", None, READ),
    "GET /api/v1/projects/{project_id}/artifacts": ("/api/v1/projects/{project_id}/artifacts", None, READ),
    "POST /api/v1/projects/{project_id}/artifacts": (
        "/api/v1/projects/{project_id}/artifacts",
        {"type": "brief", "title": "Brief", "content": {}},
        (401, 403, 201, 201, 404, 401, 401),
    ),
    "GET /api/v1/artifacts/{artifact_id}": ("/api/v1/artifacts/{artifact_id}", None, READ),
    "GET /api/v1/artifacts/{artifact_id}/versions": ("/api/v1/artifacts/{artifact_id}/versions", None, READ),
    "POST /api/v1/artifacts/{artifact_id}/approve": ("/api/v1/artifacts/{artifact_id}/approve", {}, (401, 403, 403, 200, 404, 401, 401)),
    "GET /api/v1/artifacts/{artifact_id}/export": ("/api/v1/artifacts/{artifact_id}/export?format=json", None, READ),
    "GET /api/v1/projects/{project_id}/metrics": ("/api/v1/projects/{project_id}/metrics?" + WINDOW, None, READ),
    "GET /api/v1/projects/{project_id}/dashboard": ("/api/v1/projects/{project_id}/dashboard", None, READ),
    "GET /api/v1/projects/{project_id}/insights": ("/api/v1/projects/{project_id}/insights", None, READ),
    "POST /api/v1/projects/{project_id}/reports": ("/api/v1/projects/{project_id}/reports", {"language": "en"}, (401, 403, 201, 201, 404, 401, 401)),
    "GET /api/v1/metrics-catalogue": ("/api/v1/metrics-catalogue", None, OWN),
    "GET /api/v1/integrations": ("/api/v1/integrations", None, (401, 403, 200, 200, 200, 401, 401)),
    "GET /api/v1/integrations/{integration_id}/status": ("/api/v1/integrations/{integration_id}/status", None, (401, 403, 200, 200, 404, 401, 401)),
    "GET /api/v1/alerts": ("/api/v1/alerts", None, (401, 403, 200, 200, 200, 401, 401)),
    "POST /api/v1/alerts/{alert_id}/acknowledge": ("/api/v1/alerts/{alert_id}/acknowledge", None, (401, 403, 200, 200, 404, 401, 401)),
    "POST /api/v1/alerts/{alert_id}/snooze": ("/api/v1/alerts/{alert_id}/snooze", {"until": "2036-01-01T00:00:00Z"}, (401, 403, 200, 200, 404, 401, 401)),
    "POST /api/v1/integrations/{integration_id}/sync": ("/api/v1/integrations/{integration_id}/sync", None, (401, 403, 202, 202, 404, 401, 401)),
}


@pytest.fixture(scope="module")
def ids(served, agency, standing_alert):
    with ApiClient(served) as client:
        client.login(agency.users["admin"], "correct horse battery")
        artifact = client.create_artifact(agency.alpha, "brief", "Isolated", {"a": 1})
        return {"project_id": agency.alpha, "artifact_id": artifact.id, "integration_id": agency.integrations["google_ads"], "alert_id": standing_alert}


@pytest.fixture(scope="module")
def bearers(served, agency, tokens):
    key = load_key(None, agency.home.directory("keys") / "api_signing.pem")
    past = AccessTokens(key, timedelta(minutes=15), now=lambda: datetime.now(UTC) - timedelta(hours=1))
    with ApiClient(served) as client:
        session = client.login(agency.users["admin"], "correct horse battery")
        me = client.me()
    return {**tokens, "expired": past.issue(me.user_id, me.organization_id), "refresh_as_access": session.refresh_token, "anonymous": ""}


def test_every_route_has_a_row(dependencies):
    app = create_app(dependencies)
    assert {name for name, _ in operations(app.openapi())} == set(TABLE)
    hidden = {route.path for route in app.routes if isinstance(route, APIRoute) and not route.include_in_schema}
    assert hidden == set()


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("route", TABLE)
def test_a_caller_gets_what_the_table_says(route, caller, http, ids, bearers):
    method = route.split(" ")[0]
    path, body, expected = TABLE[route]
    headers = {"Authorization": f"Bearer {bearers[caller]}"} if bearers[caller] else {}
    answer = http.request(method, path.format(**ids), json=body, headers=headers)
    assert answer.status_code == expected[CALLERS.index(caller)], answer.text[:500]
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("route", [route for route in TABLE if "_id}" in route])
def test_a_foreign_id_answers_like_one_that_does_not_exist(route, http, ids, bearers):
    method = route.split(" ")[0]
    path, body, _ = TABLE[route]
    nowhere = dict.fromkeys(ids, "6f0c1c1e-0000-4000-8000-000000000000")
    headers = {"Authorization": f"Bearer {bearers['outsider']}"}
    foreign, absent, malformed = (
        http.request(method, path.format(**values), json=body, headers=headers) for values in (ids, nowhere, dict.fromkeys(ids, "not-an-id"))
    )
    assert foreign.status_code == absent.status_code == malformed.status_code == 404
    answers = [{k: v for k, v in a.json().items() if k not in ("instance", "request_id")} for a in (foreign, absent, malformed)]
    assert answers[0] == answers[1] == answers[2]


def test_a_guest_sees_only_their_own_projects(guest, agency):
    assert [project.id for project in guest.projects()] == [agency.alpha]


def test_numbers_of_another_project_stay_outside(admin, agency):
    from datetime import date

    answer = admin.metrics(agency.beta, ("clicks",), by=("platform",), since=date(2026, 3, 1), until=date(2026, 3, 28))
    assert [row["platform"] for row in answer.rows] == ["yandex_direct"]
