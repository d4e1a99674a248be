"""Prometheus metrics, and the state of schedules and alerts over the wire."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from domain.errors import RateLimited, UsageError
from platform_api.app import create_app
from services.scheduling import settle

SETTLED = datetime(2026, 3, 31, 6, tzinfo=UTC)


@pytest.fixture
def throttled(dependencies, agency):
    """An integration whose last two pulls ended at a quota."""
    meta = agency.integrations["meta_ads"]
    error = RateLimited("the quota is used up", platform="meta_ads", retry_after=1800.0)
    for _ in range(2):
        settle(dependencies.store, agency.organization_id, meta, SETTLED, [error], {"x-app-usage": "100%"})
    yield meta
    settle(dependencies.store, agency.organization_id, meta, SETTLED, [], {})


def metrics(text):
    return {(sample.name, *sorted(sample.labels.items())): sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


def test_metrics_tell_of_integrations_alerts_loads_builds_and_requests(http, agency, throttled, standing_alert):
    http.get("/health")
    http.get(f"/api/v1/projects/{agency.alpha}")
    found = metrics(http.get("/metrics").text)
    mine = (("integration", throttled), ("organization", agency.organization_id), ("platform", "meta_ads"))
    assert found["mrm_integration_failures", *mine] == 2
    assert found["mrm_integration_next_run_timestamp_seconds", *mine] == SETTLED.timestamp() + 1800
    assert sum(value for key, value in found.items() if key[0] == "mrm_alerts_standing" and ("kind", "failed_sync") in key) == 1
    assert found["mrm_loads_last_day", ("platform", "google_ads")] == 4
    assert found["mrm_data_version",] >= 1
    assert 0 <= found["mrm_build_age_seconds",] < 86_400
    assert found["mrm_up", ("part", "clickhouse")] == found["mrm_up", ("part", "postgres")] == 1
    assert found["mrm_http_requests_total", ("method", "GET"), ("route", "/health"), ("status", "200")] >= 1
    assert not any(agency.alpha in str(key) for key in found), "ids are no labels of routes"


def test_a_token_shuts_out_whoever_lacks_it(dependencies, serve):
    guarded = replace(dependencies, settings=dependencies.settings.model_copy(update={"metrics_token": SecretStr("scrape-me")}))
    with serve(lambda url: create_app(guarded)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer scrape-you"}).status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer scrape-me"}).status_code == 200


def test_an_integration_shows_its_schedule_failures_and_quota(admin, throttled):
    listed = {i.id: i.schedule for i in admin.integrations().items}[throttled]
    assert (listed.failures, listed.error_code, dict(listed.quota)) == (2, "rate_limited", {"x-app-usage": "100%"})
    assert "quota is used up" in listed.last_error
    assert listed.next_run_at.timestamp() == SETTLED.timestamp() + 1800
    assert admin.integration_status(throttled).integration.schedule == listed


def test_an_alert_is_acknowledged_and_snoozed_over_the_wire(admin, standing_alert):
    listed = admin.alerts().items
    assert [(a.id, a.kind, a.subject, a.details["why"]) for a in listed] == [(standing_alert, "failed_sync", "meta_ads-1", "refused")]
    assert admin.acknowledge(standing_alert).status == "acknowledged"
    until = datetime(2036, 1, 1, tzinfo=UTC)
    assert admin.snooze(standing_alert, until).snoozed_until == until
    with pytest.raises(UsageError):
        admin.snooze(standing_alert, datetime(2020, 1, 1, tzinfo=UTC))
