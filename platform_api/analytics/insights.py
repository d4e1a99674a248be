"""Reports as the API hands them out: the newest one's findings, and a new one written and kept."""

from dataclasses import dataclass

from analyst.door import Door
from analyst.model import ModelSettings
from analyst.report import write_report
from domain import slots
from domain.clock import Clock
from domain.documents import Document
from domain.facts import Finding
from domain.questions import Scope
from platform_api.analytics.schemas import Insight, Insights, NewReport, WrittenReport
from services.actors import Actor
from services.artifacts import create_artifact, list_artifacts, save_version
from store.database import Store
from store.records import Artifact, Project


def newest_insights(store: Store, actor: Actor, project_id: str) -> Insights:
    """Return the findings of the report that was written last; empty before the first one."""
    reports = list_artifacts(store, actor, project_id, kind="report")
    if not reports:
        return Insights()
    newest = max(reports, key=lambda report: report.updated_at)
    document = Document.model_validate(newest.content)
    return Insights(
        artifact_id=newest.id,
        version=newest.version,
        since=document.since,
        until=document.until,
        written_at=newest.updated_at,
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
    """Writes reports through the analyst; each language of a project has one artifact, each report is a version of it."""

    store: Store
    door: Door
    clock: Clock
    model: ModelSettings | None

    def write(self, actor: Actor, project: Project, asked: NewReport) -> WrittenReport:
        """Write a report and keep it. Raises what the analyst raises, and Conflict when somebody saved meanwhile."""
        document = write_report(
            self.door,
            Scope(organization_id=actor.organization_id, project_ids=(project.id,)),
            project=project.name,
            client=project.client_name or "",
            since=asked.since,
            until=asked.until,
            language=asked.language,
            model=self.model,
            clock=self.clock,
        )
        kept = self._keep(actor, project, document)
        return WrittenReport(artifact_id=kept.id, version=kept.version, document=document)

    def _keep(self, actor: Actor, project: Project, document: Document) -> Artifact:
        content = document.model_dump(mode="json")
        summary = f"{document.since}..{document.until}"
        for report in list_artifacts(self.store, actor, project.id, kind="report"):
            if report.content.get("language") == document.language:
                return save_version(self.store, actor, report.id, content, title=document.title, changes_summary=summary, expected_version=report.version)
        return create_artifact(self.store, actor, project.id, kind="report", title=document.title, content=content, changes_summary=summary)
