"""The analyst's reports: read in place, in every version, taken away as files, written anew."""

from typing import Any

import streamlit as st

from dashboards import messages, provenance
from dashboards.filters import Filters
from dashboards.language import Language
from platform_api.artifacts.schemas import ArtifactSummary, ArtifactVersion
from platform_api.auth.schemas import Me
from platform_api.client import ApiClient


def show(language: Language, client: ApiClient, filters: Filters, person: Me) -> None:
    """Draw the project's reports, the newest first."""
    board = filters.dashboard(client)
    st.session_state["window"] = (board.since, board.until)
    provenance.header(language, language.say("report.title"), filters, board)
    with messages.told(language):
        if "artifact.create" in person.permissions:
            _write(language, client, filters, board)
        reports = sorted(
            client.artifacts(filters.project, kind="report"), key=lambda report: (report.language == language.code, report.updated_at), reverse=True
        )
        if not reports:
            messages.nothing(language, "report.empty", icon=":material/description:")
            return
        _read(language, client, reports, person)


def _write(language: Language, client: ApiClient, filters: Filters, board: Any) -> None:  # noqa: ANN401
    if not st.button(language.say("report.write"), icon=":material/edit_note:"):
        return
    with st.spinner(language.say("report.writing")):
        written = client.write_report(filters.project, language=language.code, since=board.since, until=board.until)
    st.success(language.say("report.written", version=written.version), icon=":material/check_circle:")


def _read(language: Language, client: ApiClient, reports: list[ArtifactSummary], person: Me) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="report-row"):
        titles = {report.id: report for report in reports}
        chosen = st.selectbox(
            language.say("report.choose"), list(titles), format_func=lambda i: f"{titles[i].title} · {_status(language, titles[i])}", width=460
        )
        versions = {v.version: v for v in client.versions(chosen).items}
        version = st.selectbox(language.say("report.version"), list(versions), format_func=lambda n: _line(language, versions[n]), width=260)
        html = client.export(chosen, "html", version)
        st.download_button(
            language.say("report.html"), html, f"report-{chosen[:8]}-v{version}.html", "text/html", icon=":material/download:", on_click="ignore"
        )
        data = client.export(chosen, "json", version)
        st.download_button(
            language.say("report.json"), data, f"report-{chosen[:8]}-v{version}.json", "application/json", icon=":material/download:", on_click="ignore"
        )
        report = titles[chosen]
        if "artifact.publish" in person.permissions and report.status not in ("approved", "published") and version == report.version:
            st.button(language.say("report.approve"), icon=":material/verified:", on_click=_approve, args=(language, client, chosen, version))
    st.iframe(html.decode(), height=900)


def _approve(language: Language, client: ApiClient, artifact_id: str, version: int) -> None:
    with messages.told(language):
        client.approve(artifact_id, version)
        st.toast(language.say("report.approved"), icon=":material/verified:")


def _status(language: Language, report: ArtifactSummary) -> str:
    key = f"status.{report.status}"
    return language.say(key) if language.knows(key) else report.status


def _line(language: Language, version: ArtifactVersion) -> str:
    return language.say("report.version.line", version=version.version, moment=language.moment(version.created_at))
