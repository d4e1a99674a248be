"""`./run report`: the analyst's report of each project, stored as an artifact version and rendered to a file."""

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mrm import screens
from mrm.naming import project_named
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, Language, LanguageOption, existing

if TYPE_CHECKING:
    from services.installation import Installation


@dataclass(frozen=True)
class Written:
    """A report on disk and in the store."""

    project: str
    artifact_id: str
    version: int
    path: str
    findings: int


def report(
    home: HomeOption = DEFAULT_HOME,
    project: Annotated[str, typer.Option("--project", help="Only this project: its id or name. Default: every project.")] = "",
    as_json: JsonOption = False,
    lang: LanguageOption = Language.EN,
) -> None:
    """Write the report of the last complete four weeks against the four before; the same data keep the same version.

    Worded by a model where OPENAI_API_KEY is set, by a template otherwise; every number is proved in both.

    Example: ./run report --lang ru
    """
    from services.installation import Installation

    progress = screens.Progress(quiet=as_json, language=str(lang))
    with Installation.open(existing(home).path, progress=progress.report) as installation, progress:
        progress.stage("report")
        written = write_reports(installation, str(lang), project)
    if as_json:
        typer.echo(json.dumps([asdict(w) for w in written], ensure_ascii=False))
    else:
        for w in written:
            typer.echo(f"{w.project}: version {w.version}, findings {w.findings}: {w.path}")


def write_reports(installation: "Installation", language: str, project: str = "") -> list[Written]:
    """Store and render the report of each chosen project, the one with the most findings first. Raises UnknownName."""
    from analyst.publishing import Newsroom, ensure_report
    from reports.html import render

    chosen = [project_named(installation, project)] if project else installation.projects()
    newsroom = Newsroom.of(installation)
    written = []
    for known in chosen:
        stored = ensure_report(newsroom, known, language)
        path = installation.home.directory("reports") / f"{_slug(known.name)}-{stored.document.until}-{language}.html"
        path.write_text(render(stored.document), encoding="utf-8")
        written.append(Written(known.name, stored.artifact_id, stored.version, str(path), len(stored.document.findings)))
    return sorted(written, key=lambda w: -w.findings)


def _slug(name: str) -> str:
    """Turn a name into a safe file name; letters of any script stay."""
    return re.sub(r"[^\w-]+", "-", name).strip("-").lower() or "project"
