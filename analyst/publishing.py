"""Reports as artifacts: written once for each data version, period and language, and kept as versions of one artifact."""

from dataclasses import dataclass
from datetime import date

from analyst.door import Door
from analyst.periods import default_window
from analyst.report import write_report
from analyst.settings import ModelSettings
from domain.clock import Clock
from domain.documents import Document
from domain.questions import Question, Scope
from domain.windows import DateWindow
from services.actors import Actor
from services.artifacts import create_artifact, list_artifacts, save_version
from services.installation import Installation
from store.database import Store
from store.records import Artifact, Project

KIND = "report"


@dataclass(frozen=True)
class StoredReport:
    """A report and the artifact version that holds it; `reused` when nothing had moved on since it was written."""

    artifact_id: str
    version: int
    document: Document
    reused: bool


@dataclass(frozen=True)
class Newsroom:
    """What writing needs: the door to numbers, the store, who acts, the clock, and the model where there is one."""

    door: Door
    store: Store
    actor: Actor
    clock: Clock
    model: ModelSettings | None = None

    @classmethod
    def of(cls, installation: Installation) -> "Newsroom":
        """Return the newsroom of an installation; a model words its reports where OPENAI_API_KEY is set."""
        return cls(installation.door, installation.store, installation.actor, installation.clock, ModelSettings.load())


def ensure_report(newsroom: Newsroom, project: Project, language: str, window: DateWindow | None = None) -> StoredReport:
    """Return the project's report of a window, by default the last complete four weeks; written anew only where data or period moved on.

    A project has one report artifact per language; what moved on becomes its next version. Raises what the analyst raises.
    """
    scope = Scope(organization_id=project.organization_id, project_ids=(project.id,))
    window = window or default_window(newsroom.door, scope, newsroom.clock)
    known = _known(newsroom, project, language)
    if known is not None:
        document = Document.model_validate(known.content)
        current = newsroom.door.ask(scope, _probe(window.since, window.until)).data_version
        wording = newsroom.model.model if newsroom.model else "template"
        if (document.since, document.until, document.data_version, document.worded_by) == (window.since, window.until, current, wording):
            return StoredReport(known.id, known.version, document, reused=True)
    document = write_report(
        newsroom.door,
        scope,
        project=project.name,
        client=project.client_name or project.name,
        since=window.since,
        until=window.until,
        language=language,
        model=newsroom.model,
        clock=newsroom.clock,
    )
    content = document.model_dump(mode="json")
    summary = f"{document.since}..{document.until}, data version {document.data_version}"
    if known is None:
        made = create_artifact(newsroom.store, newsroom.actor, project.id, kind=KIND, title=document.title, content=content, changes_summary=summary)
    else:
        made = save_version(newsroom.store, newsroom.actor, known.id, content, title=document.title, changes_summary=summary)
    return StoredReport(made.id, made.version, document, reused=False)


def _known(newsroom: Newsroom, project: Project, language: str) -> Artifact | None:
    """Return the project's report artifact in a language, the oldest if there are several."""
    found = [a for a in list_artifacts(newsroom.store, newsroom.actor, project.id, kind=KIND) if a.content.get("language") == language]
    return found[-1] if found else None


def _probe(since: date, until: date) -> Question:
    return Question(metrics=("impressions",), since=since, until=until)
