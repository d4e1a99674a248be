"""Artifacts of one organization and their gapless versions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, select, tuple_, update

from domain.errors import Conflict
from store.database import Transaction
from store.records import PAGE, After, Artifact, ArtifactVersion, columns, identifier, missing, read, read_all
from store.tables import artifact_versions, artifacts


class Artifacts:
    """The artifacts of one organization."""

    def __init__(self, transaction: Transaction, organization_id: str) -> None:
        self._transaction = transaction
        self._organization_id = organization_id

    def add(self, project_id: str, kind: str, title: str, content: Mapping[str, Any], *, author: str | None, summary: str) -> Artifact:
        """Add an artifact; its content is version 1. The project must be known to exist."""
        values: dict[str, Any] = {"organization_id": self._organization_id, "project_id": identifier("project", project_id), "type": kind, "title": title}
        values |= {"content": dict(content), "created_by": author, "updated_by": author}
        artifact = read(Artifact, self._transaction.execute(insert(artifacts).values(values).returning(*columns(artifacts, Artifact))).one())
        self._keep(artifact, summary)
        return artifact

    def save(self, artifact_id: str, content: Mapping[str, Any], *, author: str | None, summary: str, title: str | None, expected: int | None) -> Artifact:
        """Save the next version; writers of one artifact wait for each other, so that numbers have no gap.

        A new version is a draft again. Raises NotFound, or Conflict when the newest version is not the `expected` one.
        """
        values = {"content": dict(content), "version": artifacts.c.version + 1, "status": "draft", "approved_by": None, "approved_at": None}
        values |= {"updated_by": author, "updated_at": func.now()} | ({"title": title} if title is not None else {})
        statement = update(artifacts).where(self._mine(artifact_id))
        if expected is not None:
            statement = statement.where(artifacts.c.version == expected)
        row = self._transaction.execute(statement.values(values).returning(*columns(artifacts, Artifact))).one_or_none()
        if row is None:
            raise self._moved(artifact_id, expected)
        artifact = read(Artifact, row)
        self._keep(artifact, summary)
        return artifact

    def get(self, artifact_id: str) -> Artifact:
        """Return an artifact; raises NotFound for a foreign id as for a nonexistent one."""
        row = self._transaction.execute(select(*columns(artifacts, Artifact)).where(self._mine(artifact_id))).one_or_none()
        if row is None:
            raise missing("artifact")
        return read(Artifact, row)

    def page(self, project_id: str, *, kind: str | None = None, limit: int = PAGE, after: After | None = None) -> list[Artifact]:
        """List a project's artifacts, newest first, from `after` on."""
        statement = (
            select(*columns(artifacts, Artifact))
            .where(artifacts.c.organization_id == self._organization_id, artifacts.c.project_id == identifier("project", project_id))
            .order_by(artifacts.c.created_at.desc(), artifacts.c.id.desc())
            .limit(min(limit, PAGE))
        )
        if kind is not None:
            statement = statement.where(artifacts.c.type == kind)
        if after is not None:
            statement = statement.where(tuple_(artifacts.c.created_at, artifacts.c.id) < (after.created_at, identifier("artifact", after.id)))
        return read_all(Artifact, self._transaction.execute(statement).all())

    def versions(self, artifact_id: str) -> list[ArtifactVersion]:
        """List an artifact's versions, newest first."""
        self.get(artifact_id)
        statement = select(*columns(artifact_versions, ArtifactVersion)).where(
            artifact_versions.c.organization_id == self._organization_id, artifact_versions.c.artifact_id == artifact_id
        )
        return read_all(ArtifactVersion, self._transaction.execute(statement.order_by(artifact_versions.c.version.desc())).all())

    def version(self, artifact_id: str, number: int) -> ArtifactVersion:
        """Return one version; raises NotFound."""
        self.get(artifact_id)
        statement = select(*columns(artifact_versions, ArtifactVersion)).where(
            artifact_versions.c.organization_id == self._organization_id,
            artifact_versions.c.artifact_id == artifact_id,
            artifact_versions.c.version == number,
        )
        row = self._transaction.execute(statement).one_or_none()
        if row is None:
            raise missing("version of this artifact")
        return read(ArtifactVersion, row)

    def approve(self, artifact_id: str, approver: str | None, expected: int | None) -> Artifact:
        """Approve the newest version; raises NotFound, or Conflict when it is not the `expected` one."""
        statement = update(artifacts).where(self._mine(artifact_id))
        if expected is not None:
            statement = statement.where(artifacts.c.version == expected)
        values = {"status": "approved", "approved_by": approver, "approved_at": func.now(), "updated_at": func.now()}
        row = self._transaction.execute(statement.values(values).returning(*columns(artifacts, Artifact))).one_or_none()
        if row is None:
            raise self._moved(artifact_id, expected)
        return read(Artifact, row)

    def _keep(self, artifact: Artifact, summary: str) -> None:
        values = {"organization_id": self._organization_id, "artifact_id": artifact.id, "version": artifact.version, "content": dict(artifact.content)}
        self._transaction.execute(insert(artifact_versions).values({**values, "changes_summary": summary, "created_by": artifact.updated_by}))

    def _mine(self, artifact_id: str) -> Any:  # noqa: ANN401
        return (artifacts.c.organization_id == self._organization_id) & (artifacts.c.id == identifier("artifact", artifact_id))

    def _moved(self, artifact_id: str, expected: int | None) -> Conflict:
        """Tell a changed artifact from an absent one (which raises NotFound)."""
        newest = self.get(artifact_id).version
        return Conflict(f"The artifact is at version {newest}, not {expected}", why="Somebody saved it meanwhile", fix="Read it again, then save")
