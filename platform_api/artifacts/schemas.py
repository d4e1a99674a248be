"""Artifacts on the wire."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ArtifactType = Literal["brief", "strategy", "media_plan", "roadmap", "task", "report", "document"]


class NewArtifact(BaseModel):
    """A new artifact; its content becomes version 1."""

    model_config = ConfigDict(extra="forbid")
    type: ArtifactType
    title: str = Field(min_length=1, max_length=255)
    content: dict[str, Any]


class Approval(BaseModel):
    """Which version is approved; the newest one by default."""

    model_config = ConfigDict(extra="forbid")
    version: int | None = Field(default=None, ge=1)


class ArtifactSummary(BaseModel):
    """An artifact without its content."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    project_id: str
    type: str
    title: str
    status: str
    version: int
    created_at: datetime
    updated_at: datetime
    approved_at: datetime | None = None
    approved_by: str | None = None
    language: str | None = None
    """The language that the content says it is in."""


class Artifact(ArtifactSummary):
    """An artifact with the content of its newest version."""

    content: dict[str, Any]


class ArtifactPage(BaseModel):
    """One page of artifacts, newest first."""

    items: list[ArtifactSummary]
    next_cursor: str | None = None


class ArtifactVersion(BaseModel):
    """One version of an artifact, without its content."""

    model_config = ConfigDict(from_attributes=True)
    version: int
    changes_summary: str | None = None
    created_at: datetime
    created_by: str | None = None


class ArtifactVersions(BaseModel):
    """All versions of an artifact, newest first."""

    items: list[ArtifactVersion]
