"""Artifacts of a project: listed, made, read, approved, exported."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from domain.documents import Document
from domain.errors import UsageError
from platform_api.artifacts.schemas import Approval, Artifact, ArtifactPage, ArtifactSummary, ArtifactType, ArtifactVersion, ArtifactVersions, NewArtifact
from platform_api.dependencies import Given, Person, errors
from reports.html import render
from services import artifacts
from store.records import After
from store.records import Artifact as Stored

router = APIRouter(tags=["artifacts"])
_EXPORT_POLICY = "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; font-src data:"


@router.get("/projects/{project_id}/artifacts", responses=errors(401, 404))
def list_artifacts(
    project_id: str,
    person: Person,
    given: Given,
    type: ArtifactType | None = None,  # noqa: A002
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> ArtifactPage:
    """List a project's artifacts, newest first, without their contents."""
    after = given.cursors.open(person.organization_id, cursor)
    found = artifacts.list_artifacts(given.store, person, project_id, kind=type, limit=limit, after=after)
    following = given.cursors.seal(person.organization_id, After(found[-1].created_at, found[-1].id)) if len(found) == limit else None
    return ArtifactPage(items=[ArtifactSummary.model_validate(a).model_copy(update={"language": _language(a.content)}) for a in found], next_cursor=following)


@router.post("/projects/{project_id}/artifacts", status_code=201, responses=errors(401, 403, 404, 413))
def create_artifact(project_id: str, asked: NewArtifact, person: Person, given: Given) -> Artifact:
    """Make an artifact; its content becomes version 1."""
    return _at(artifacts.create_artifact(given.store, person, project_id, kind=asked.type, title=asked.title, content=asked.content), None, person, given)


@router.get("/artifacts/{artifact_id}", responses=errors(401, 404))
def get_artifact(artifact_id: str, person: Person, given: Given, version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None) -> Artifact:
    """Return an artifact with the content of a version, the newest by default."""
    return _at(artifacts.get_artifact(given.store, person, artifact_id), version, person, given)


@router.get("/artifacts/{artifact_id}/versions", responses=errors(401, 404))
def list_versions(artifact_id: str, person: Person, given: Given) -> ArtifactVersions:
    """List an artifact's versions, newest first, without their contents."""
    return ArtifactVersions(items=[ArtifactVersion.model_validate(v) for v in artifacts.list_versions(given.store, person, artifact_id)])


@router.post("/artifacts/{artifact_id}/approve", responses=errors(401, 403, 404, 409))
def approve_artifact(artifact_id: str, person: Person, given: Given, asked: Approval | None = None) -> Artifact:
    """Approve the newest version; a version that is named and no longer the newest gives 409."""
    return _at(artifacts.approve_artifact(given.store, person, artifact_id, asked.version if asked else None), None, person, given)


@router.get(
    "/artifacts/{artifact_id}/export",
    responses={**errors(401, 404), 200: {"description": "The file", "content": {"text/html": {}, "application/json": {}}}},
    response_class=Response,
)
def export_artifact(
    artifact_id: str,
    person: Person,
    given: Given,
    format: Literal["html", "json"] = "html",  # noqa: A002
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Return an artifact as a file: a report as a self-contained page, or anything as JSON."""
    artifact = _at(artifacts.get_artifact(given.store, person, artifact_id), version, person, given)
    headers = {"Content-Disposition": f'attachment; filename="{artifact.type}-{artifact.id}-v{artifact.version}.{format}"'}
    if format == "json":
        return Response(json.dumps(artifact.content, ensure_ascii=False, indent=1), media_type="application/json", headers=headers)
    if artifact.type != "report":
        raise UsageError(f"An artifact of type {artifact.type} has no page", fix="Export it with format=json")
    page = render(Document.model_validate(artifact.content))
    return Response(page, media_type="text/html", headers={**headers, "Content-Security-Policy": _EXPORT_POLICY})


def _at(stored: Stored, version: int | None, person: Person, given: Given) -> Artifact:
    """Show an artifact at one of its versions; status and approval belong to the newest one."""
    artifact = Artifact.model_validate(stored).model_copy(update={"language": _language(stored.content)})
    if version is None or version == stored.version:
        return artifact
    kept = artifacts.get_version(given.store, person, stored.id, version)
    return artifact.model_copy(
        update={
            "version": kept.version,
            "content": dict(kept.content),
            "updated_at": kept.created_at,
            "status": "draft",
            "approved_at": None,
            "approved_by": None,
        }
    )


def _language(content: Mapping[str, Any]) -> str | None:
    language = content.get("language")
    return language if isinstance(language, str) else None
