"""Every error leaves as an RFC 9457 problem, whoever raised it."""

from dataclasses import replace

import pytest

from domain import errors
from domain.errors import MrmError, RateLimited, Unreachable
from platform_api.app import create_app
from platform_api.problems import of_error


@pytest.fixture
def headers(tokens):
    return {"Authorization": f"Bearer {tokens['admin']}"}


def _problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:mrm:problem:{code}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    return problem


def test_the_frameworks_own_refusals_are_problems(http, headers):
    assert "Check the address" in _problem(http.get("/api/v1/nothing"), 404, "not_found")["fix"]
    refused = http.delete("/api/v1/projects", headers=headers)
    _problem(refused, 405, "method_not_allowed")
    assert "GET" in refused.headers["allow"]
    broken = http.post("/api/v1/projects", content=b"{", headers={**headers, "Content-Type": "application/json"})
    assert _problem(broken, 422, "invalid_request")["errors"]


def test_a_body_over_the_limit_is_refused_announced_or_not(http, headers):
    _problem(http.post("/api/v1/projects", content=b" " * 1_000_001, headers=headers), 413, "content_too_large")
    streamed = http.post("/api/v1/projects", content=(b" " * 100_000 for _ in range(11)), headers={**headers, "Content-Type": "application/json"})
    _problem(streamed, 413, "content_too_large")


def test_a_request_that_breaks_the_schema_names_each_field(http, headers):
    problem = _problem(http.post("/api/v1/projects", json={"name": "", "colour": "red", "budget": -1}, headers=headers), 422, "invalid_request")
    assert {e["location"] for e in problem["errors"]} == {"body.name", "body.colour", "body.budget"}


def test_errors_of_the_domain_keep_code_and_fix(http, headers, agency):
    window = {"since": "2026-03-01", "until": "2026-03-28"}
    path = f"/api/v1/projects/{agency.alpha}/metrics"
    unknown = _problem(http.get(path, params={**window, "metrics": "spent"}, headers=headers), 422, "unknown_name")
    assert "spend" in unknown["nearest"]
    mixed = _problem(http.get(path, params={**window, "metrics": "spend"}, headers=headers), 422, "mixed_currencies")
    assert "currency" in mixed["fix"]
    turned = _problem(http.get(path, params={"since": "2026-03-28", "until": "2026-03-01", "metrics": "clicks"}, headers=headers), 422, "usage_error")
    assert "after its end" in turned["detail"]
    wide = _problem(http.get(path, params={"since": "1990-01-01", "until": "2026-03-01", "metrics": "clicks"}, headers=headers), 422, "usage_error")
    assert "1100" in wide["why"]
    budget = _problem(http.post("/api/v1/projects", json={"name": "A", "budget": "10.50"}, headers=headers), 422, "usage_error")
    assert "currency" in budget["detail"]


class _Broken:
    """A door behind which something unforeseen happens."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def ask(self, scope, question):
        raise self._error


def test_an_unforeseen_fault_tells_nothing_of_its_inside(dependencies, serve, agency, headers):
    import httpx

    broken = replace(dependencies, door=_Broken(RuntimeError("secret detail")))
    with serve(lambda url: create_app(broken)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        path = f"/api/v1/projects/{agency.alpha}/metrics?metrics=clicks&since=2026-03-01&until=2026-03-02"
        answer = client.get(path, headers=headers)
        problem = _problem(answer, 500, "internal_error")
        assert "secret" not in answer.text
        assert problem["request_id"] in problem["fix"] or "request_id" in problem["fix"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_does_not_answer_gives_503(dependencies, serve, agency, headers):
    import httpx

    def gone() -> None:
        raise Unreachable("ClickHouse does not answer", fix="Start it")

    broken = replace(dependencies, door=_Broken(Unreachable("ClickHouse does not answer", fix="Start it")), warehouse_ready=gone)
    with serve(lambda url: create_app(broken)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        path = f"/api/v1/projects/{agency.alpha}/metrics?metrics=clicks&since=2026-03-01&until=2026-03-02"
        assert _problem(client.get(path, headers=headers), 503, "unreachable")["fix"] == "Start it"
        ready = client.get("/ready")
        assert ready.status_code == 503
        assert [(part["name"], part["ready"]) for part in ready.json()["parts"]] == [("postgres", True), ("clickhouse", False)]
        assert client.get("/health").json() == {"status": "ok"}


def _kinds(kind=MrmError):
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)


def test_every_kind_of_error_has_an_http_answer():
    scope = {"type": "http", "path": "/x", "method": "GET", "state": {"request_id": "r"}}
    for kind in _kinds():
        error = kind.__new__(kind)
        MrmError.__init__(error, "it happened", why="because", fix="do this")
        error.__dict__.update(retry_after=3.2, nearest=["a"], failures=[errors.NotFound("gone")])
        answer = of_error(scope, error)
        assert answer.status_code >= 400
        assert b"do this" in answer.body
        assert kind.__doc__
    assert of_error(scope, RateLimited("quota", platform="meta_ads", retry_after=3.2)).headers["retry-after"] == "3"


def test_request_ids_are_kept_when_well_formed(http):
    assert http.get("/health", headers={"X-Request-ID": "abcdef-123456"}).headers["x-request-id"] == "abcdef-123456"
    assert http.get("/health", headers={"X-Request-ID": "<script>"}).headers["x-request-id"] != "<script>"


def test_answers_carry_security_headers(http, headers):
    answer = http.get("/api/v1/projects", headers=headers)
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in http.get("/api/v1/projects", headers={**headers, "Origin": "https://evil.example"}).headers


def test_the_access_log_holds_no_secrets(http, tokens, log):
    http.post("/api/v1/auth/login", json={"email": "who@agency.test", "password": "hidden-word"})
    http.get("/api/v1/projects?cursor=secretcursor", headers={"Authorization": f"Bearer {tokens['admin']}"})
    logged = str(log)
    assert "/auth/login" in logged
    for secret in ("hidden-word", "who@agency.test", "secretcursor", tokens["admin"]):
        assert secret not in logged
