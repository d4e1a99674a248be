"""Reports as the API hands them out: the newest one's findings, and one written on demand."""

from dataclasses import dataclass

from analyst.door import Door
from analyst.publishing import Newsroom, ensure_report
from analyst.settings import ModelSettings
from domain import slots
from domain.clock import Clock
from domain.documents import Document
from domain.facts import Finding
from domain.windows import DateWindow
from platform_api.analytics.schemas import Insight, Insights, NewReport, WrittenReport
from services.actors import Actor
from services.artifacts import list_artifacts
from store.database import Store
from store.records import Project


def newest_insights(store: Store, actor: Actor, project_id: str, language: str | None) -> Insights:
    """Return the findings of the report that was written last, in a language where there is one in it; empty before the first one."""
    reports = list_artifacts(store, actor, project_id, kind="report")
    if not reports:
        return Insights()
    newest = max(reports, key=lambda report: (report.content.get("language") == language, report.updated_at))
    document = Document.model_validate(newest.content)
    return Insights(
        artifact_id=newest.id,
        version=newest.version,
        since=document.since,
        until=document.until,
        written_at=newest.updated_at,
        language=document.language,
        worded_by=document.worded_by,
        data_version=document.data_version,
        items=[_insight(document, finding) for finding in document.findings],
    )


def _insight(document: Document, finding: Finding) -> Insight:
    facts = {fact.id: fact for fact in document.facts}
    return Insight(
        kind=finding.kind,
        title=slots.fill(finding.title, facts, document.language),
        text=slots.fill(finding.text, facts, document.language),
        importance=finding.importance,
        facts=[facts[fact_id] for fact_id in finding.fact_ids],
    )


@dataclass(frozen=True)
class ReportWriter:
    """Has the analyst write reports on behalf of whoever asks."""

    store: Store
    door: Door
    clock: Clock
    model: ModelSettings | None

    def write(self, actor: Actor, project: Project, asked: NewReport) -> WrittenReport:
        """Write a report and keep it; the same data and period keep their version. Raises what the analyst raises."""
        window = DateWindow(asked.since, asked.until) if asked.since and asked.until else None
        kept = ensure_report(Newsroom(self.door, self.store, actor, self.clock, self.model), project, asked.language, window)
        return WrittenReport(artifact_id=kept.artifact_id, version=kept.version, reused=kept.reused, document=kept.document)
