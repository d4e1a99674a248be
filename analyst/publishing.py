"""Reports as artifacts: written once for each data version, period and language, and kept as versions of one artifact."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

from pydantic import ValidationError

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
from services.health import note_model
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
    told: Callable[[str], object] = lambda why: None
    """Hears how the model did: why it failed, or an empty text."""

    @classmethod
    def of(cls, installation: Installation) -> "Newsroom":
        """Return the newsroom of an installation; a model words its reports where OPENAI_API_KEY is set."""
        model = ModelSettings.load()
        told = partial(note_model, installation.home, model.model) if model else lambda why: None
        return cls(installation.door, installation.store, installation.actor, installation.clock, model, told)


def ensure_report(newsroom: Newsroom, project: Project, language: str, window: DateWindow | None = None) -> StoredReport:
    """Return the project's report of a window, by default the last complete four weeks; written anew only where data or period moved on.

    A project has one report artifact per language; what moved on becomes its next version. Raises what the analyst raises.
    """
    scope = Scope(organization_id=project.organization_id, project_ids=(project.id,))
    window = window or default_window(newsroom.door, scope, newsroom.clock)
    known = _known(newsroom, project, language)
    wording = newsroom.model.model if newsroom.model else "template"
    if known is not None:
        stored, document = known
        current = newsroom.door.ask(scope, _probe(window.since, window.until)).data_version
        if (document.since, document.until, document.data_version, document.asked_wording) == (window.since, window.until, current, wording):
            return StoredReport(stored.id, stored.version, document, reused=True)
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
        told=newsroom.told,
    ).model_copy(update={"asked_wording": wording})
    content = document.model_dump(mode="json")
    summary = f"{document.since}..{document.until}, data version {document.data_version}"
    if known is None:
        made = create_artifact(newsroom.store, newsroom.actor, project.id, kind=KIND, title=document.title, content=content, changes_summary=summary)
    else:
        stored = known[0]
        made = save_version(newsroom.store, newsroom.actor, stored.id, content, title=document.title, changes_summary=summary, expected_version=stored.version)
    return StoredReport(made.id, made.version, document, reused=False)


def _known(newsroom: Newsroom, project: Project, language: str) -> tuple[Artifact, Document] | None:
    """Return the project's report artifact in a language, the oldest if there are several; what people stored otherwise is not ours."""
    for artifact in reversed(list_artifacts(newsroom.store, newsroom.actor, project.id, kind=KIND)):
        try:
            document = Document.model_validate(artifact.content)
        except ValidationError:
            continue
        if document.language == language:
            return artifact, document
    return None


def _probe(since: date, until: date) -> Question:
    return Question(metrics=("impressions",), since=since, until=until)
