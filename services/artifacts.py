"""Artifacts: written, versioned without gaps, approved."""

from collections.abc import Mapping
from typing import Any

from services.actors import Actor, Permission, authorize
from store.artifacts import Artifacts
from store.database import Store, Transaction
from store.people import Team
from store.projects import Projects
from store.records import PAGE, After, Artifact, ArtifactVersion, identifier, missing


def create_artifact(
    store: Store,
    actor: Actor,
    project_id: str,
    *,
    kind: str,
    title: str,
    content: Mapping[str, Any],
    changes_summary: str = "",
) -> Artifact:
    """Make an artifact of a project; its content is version 1, as a draft. Raises NotFound for a foreign project."""
    project_id = identifier("project", project_id)
    authorize(actor, Permission.ARTIFACT_CREATE, project_id)
    with store.transaction(actor.organization_id) as transaction:
        Projects(transaction, actor.organization_id).get(project_id)
        made = Artifacts(transaction, actor.organization_id).add(project_id, kind, title, content, author=actor.user_id, summary=changes_summary)
        Team(transaction, actor.organization_id).record(actor.user_id, "artifact.create", made.id)
    return made


def save_version(
    store: Store,
    actor: Actor,
    artifact_id: str,
    content: Mapping[str, Any],
    *,
    title: str | None = None,
    changes_summary: str = "",
    expected_version: int | None = None,
) -> Artifact:
    """Save an artifact's next version, a draft again; with `expected_version` only when that is still the newest.

    Raises NotFound, or Conflict when somebody saved meanwhile.
    """
    with store.transaction(actor.organization_id) as transaction:
        artifacts = _reach(transaction, actor, artifact_id, Permission.ARTIFACT_UPDATE)
        saved = artifacts.save(artifact_id, content, author=actor.user_id, summary=changes_summary, title=title, expected=expected_version)
        Team(transaction, actor.organization_id).record(actor.user_id, "artifact.update", saved.id, version=str(saved.version))
    return saved


def list_artifacts(store: Store, actor: Actor, project_id: str, *, kind: str | None = None, limit: int = PAGE, after: After | None = None) -> list[Artifact]:
    """List a project's artifacts, newest first, from `after` on; at most 200 at a time. Raises NotFound for a foreign project."""
    project_id = identifier("project", project_id)
    authorize(actor, Permission.ARTIFACT_READ, project_id)
    with store.transaction(actor.organization_id) as transaction:
        Projects(transaction, actor.organization_id).get(project_id)
        return Artifacts(transaction, actor.organization_id).page(project_id, kind=kind, limit=limit, after=after)


def get_artifact(store: Store, actor: Actor, artifact_id: str) -> Artifact:
    """Return an artifact at its newest version; a foreign one answers NotFound like a nonexistent one."""
    with store.transaction(actor.organization_id) as transaction:
        return _reach(transaction, actor, artifact_id, Permission.ARTIFACT_READ).get(artifact_id)


def list_versions(store: Store, actor: Actor, artifact_id: str) -> list[ArtifactVersion]:
    """List an artifact's versions, newest first; raises NotFound."""
    with store.transaction(actor.organization_id) as transaction:
        return _reach(transaction, actor, artifact_id, Permission.ARTIFACT_READ).versions(artifact_id)


def get_version(store: Store, actor: Actor, artifact_id: str, version: int) -> ArtifactVersion:
    """Return one version of an artifact; raises NotFound."""
    with store.transaction(actor.organization_id) as transaction:
        return _reach(transaction, actor, artifact_id, Permission.ARTIFACT_READ).version(artifact_id, version)


def approve_artifact(store: Store, actor: Actor, artifact_id: str, expected_version: int | None = None) -> Artifact:
    """Approve an artifact's newest version; raises NotFound, AccessDenied, or Conflict when it is not the expected one."""
    with store.transaction(actor.organization_id) as transaction:
        approved = _reach(transaction, actor, artifact_id, Permission.ARTIFACT_PUBLISH).approve(artifact_id, actor.user_id, expected_version)
        Team(transaction, actor.organization_id).record(actor.user_id, "artifact.approve", approved.id, version=str(approved.version))
    return approved


def _reach(transaction: Transaction, actor: Actor, artifact_id: str, permission: Permission) -> Artifacts:
    """Authorize on an artifact's project; one in a project that the actor does not see answers NotFound as an artifact."""
    artifacts = Artifacts(transaction, actor.organization_id)
    project_id = artifacts.get(artifact_id).project_id
    if not actor.may(Permission.ARTIFACT_READ, project_id):
        raise missing("artifact")
    authorize(actor, permission, project_id)
    return artifacts
