"""Artifacts and reports over the wire."""

import json
from datetime import date

import pytest

from domain.documents import Document
from domain.errors import AccessDenied, Conflict, NotFound, UsageError


def test_a_report_is_written_kept_approved_and_exported(admin, agency):
    written = admin.write_report(agency.alpha, language="en", since=date(2026, 3, 1), until=date(2026, 3, 28))
    assert written.document.worded_by == "template"
    assert admin.write_report(agency.alpha, language="en", since=date(2026, 3, 1), until=date(2026, 3, 28)).reused
    later = admin.write_report(agency.alpha, language="en", since=date(2026, 3, 3), until=date(2026, 3, 30))
    assert (later.artifact_id, later.version) == (written.artifact_id, written.version + 1)
    with pytest.raises(Conflict):
        admin.approve(written.artifact_id, version=written.version)
    approved = admin.approve(later.artifact_id, version=later.version)
    assert (approved.status, approved.language) == ("approved", "en")
    assert [v.version for v in admin.versions(later.artifact_id).items][:2] == [later.version, written.version]
    old = admin.artifact(later.artifact_id, version=written.version)
    assert (old.version, old.status, old.content["until"]) == (written.version, "draft", "2026-03-28")
    page = admin.export(later.artifact_id, "html").decode()
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "Alpha" in page
    data = json.loads(admin.export(later.artifact_id, "json", written.version))
    assert Document.model_validate(data) == written.document


def test_insights_print_their_numbers(admin, agency):
    written = admin.write_report(agency.beta, language="ru")
    insights = admin.insights(agency.beta, "ru")
    assert (insights.artifact_id, insights.version) == (written.artifact_id, written.version)
    assert len(insights.items) == len(written.document.findings)
    assert not any("{{" in insight.title + insight.text for insight in insights.items)


def test_insights_are_empty_before_the_first_report(admin):
    assert admin.insights(admin.create_project("Silent").id).items == []


def test_a_guest_reads_and_does_not_write(guest, agency):
    with pytest.raises(AccessDenied):
        guest.write_report(agency.alpha, language="ru")
    with pytest.raises(NotFound):
        guest.dashboard(agency.beta)


def test_only_reports_have_a_page(admin, agency):
    brief = admin.create_artifact(agency.alpha, "brief", "Бриф", {"goal": "продажи"})
    assert json.loads(admin.export(brief.id, "json")) == {"goal": "продажи"}
    with pytest.raises(UsageError):
        admin.export(brief.id, "html")
    with pytest.raises(NotFound):
        admin.artifact(brief.id, version=7)


def test_an_exported_page_cannot_act(http, admin, agency, tokens):
    written = admin.write_report(agency.beta, language="en")
    answer = http.get(f"/api/v1/artifacts/{written.artifact_id}/export", headers={"Authorization": f"Bearer {tokens['admin']}"})
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["content-disposition"].startswith("attachment")


def test_lists_are_paged_by_signed_cursors(http, admin, agency, tokens):
    project = admin.create_project("Many")
    made = {admin.create_artifact(project.id, "document", f"Document {n}", {}).id for n in range(7)}
    path = f"/api/v1/projects/{project.id}/artifacts"
    headers = {"Authorization": f"Bearer {tokens['admin']}"}
    seen, cursor = [], None
    while True:
        page = http.get(path, params={"limit": 3, **({"cursor": cursor} if cursor else {})}, headers=headers).json()
        seen += [item["id"] for item in page["items"]]
        admin.create_artifact(project.id, "document", "Meanwhile", {})
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert set(seen) == made
    assert len(seen) == len(made)
    first = http.get(path, params={"limit": 3}, headers=headers).json()["next_cursor"]
    assert http.get(path, params={"cursor": first[:-3] + "AAA"}, headers=headers).json()["code"] == "usage_error"
    foreign = {"Authorization": f"Bearer {tokens['outsider']}"}
    assert http.get("/api/v1/projects", params={"cursor": first}, headers=foreign).status_code == 422
    assert len(list(admin.artifacts(project.id, kind="document"))) == 10
    assert list(admin.artifacts(project.id, kind="report")) == []
