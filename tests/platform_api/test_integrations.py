"""Integrations over the wire: what is connected, how fresh, sync now."""

import os
from datetime import date

from home.servers import state_path, write_state


def test_integrations_are_listed_without_credentials(http, tokens, agency):
    answer = http.get("/api/v1/integrations", headers={"Authorization": f"Bearer {tokens['admin']}"})
    assert {item["id"] for item in answer.json()["items"]} == set(agency.integrations.values())
    assert "credentials" not in answer.text
    assert '"t"' not in answer.text


def test_the_status_says_how_far_the_data_reach(admin, agency):
    status = admin.integration_status(agency.integrations["google_ads"])
    assert status.data_through == date(2026, 3, 30)
    assert [account.currency for account in status.accounts] == ["USD"]


def test_a_sync_is_a_row_for_the_pipelines_and_says_whether_they_run(admin, agency):
    integration = agency.integrations["meta_ads"]
    asked = admin.sync(integration)
    assert (asked.request.status, asked.daemon) == ("queued", False)
    assert "./run" in asked.message
    write_state(agency.home, "dagster", {"pid": os.getpid(), "url": ""})
    try:
        again = admin.sync(integration)
    finally:
        state_path(agency.home, "dagster").unlink()
    assert again.daemon
    assert again.request.id == asked.request.id
    assert admin.integration_status(integration).last_request == asked.request
