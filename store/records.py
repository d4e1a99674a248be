"""What the store hands out: frozen records, ids as text, credentials never among them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Table

from domain.errors import NotFound
from domain.platforms import Platform


@dataclass(frozen=True)
class Organization:
    """A customer of the platform: an agency or an advertiser."""

    id: str
    name: str
    slug: str
    subscription_plan: str
    subscription_status: str
    created_at: datetime


@dataclass(frozen=True)
class User:
    """A person; one person may belong to several organizations."""

    id: str
    email: str
    name: str | None
    last_login_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Member:
    """A person's place in an organization."""

    organization_id: str
    user_id: str
    role: str
    joined_at: datetime


@dataclass(frozen=True)
class Project:
    """A client's work; `budget` is in `currency`."""

    id: str
    organization_id: str
    name: str
    description: str | None
    client_name: str | None
    status: str
    start_date: date | None
    end_date: date | None
    budget: Decimal | None
    currency: str | None
    created_by: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Integration:
    """A connected ad platform, without its credentials."""

    id: str
    organization_id: str
    project_id: str | None
    platform: str
    name: str
    settings: Mapping[str, str]
    status: str
    last_sync_at: datetime | None
    last_error: str | None
    created_at: datetime

    @property
    def from_files(self) -> bool:
        """Tell whether its numbers are imported from files: nothing ever pulls it."""
        return self.platform not in set(Platform)


@dataclass(frozen=True)
class OwnedAccount:
    """An advertising account and the one integration that owns it."""

    organization_id: str
    integration_id: str
    platform: str
    account_id: str
    name: str
    currency: str
    timezone: str
    status: str


@dataclass(frozen=True)
class Assignment:
    """An account's time in a project, both dates inclusive; no `until` means: still."""

    id: str
    organization_id: str
    project_id: str
    platform: str
    account_id: str
    since: date
    until: date | None


@dataclass(frozen=True)
class AssignmentRow:
    """An assignment with its project's names, as the warehouse takes it."""

    organization_id: str
    project_id: str
    project_name: str
    client_name: str
    platform: str
    account_id: str
    since: date
    until: date | None


@dataclass(frozen=True)
class ProjectBudget:
    """What a project may spend from `start_date` to `end_date`, both inclusive, as the warehouse takes it."""

    organization_id: str
    project_id: str
    project_name: str
    budget: Decimal
    currency: str
    start_date: date
    end_date: date


@dataclass(frozen=True)
class Artifact:
    """A document of a project at its newest version."""

    id: str
    organization_id: str
    project_id: str
    type: str
    title: str
    content: Mapping[str, Any]
    version: int
    status: str
    created_by: str | None
    updated_by: str | None
    approved_by: str | None
    approved_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class ArtifactVersion:
    """One version of an artifact; versions count from 1 without gaps."""

    artifact_id: str
    version: int
    content: Mapping[str, Any]
    changes_summary: str | None
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True)
class SyncRequest:
    """Somebody asked to pull an integration now."""

    id: str
    organization_id: str
    integration_id: str
    platform: str
    status: str
    requested_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class Schedule:
    """When an integration is pulled and how its last pulls went. Instants are the home's clock, `claimed_until` the wall's.

    `next_run_at` None: never by itself, until the credential is renewed or the schedule changed. `timezone` None: the account's.
    """

    integration_id: str
    organization_id: str
    cron: str
    timezone: str | None
    offset_minutes: int
    lookback_days: int | None
    priority: int
    next_run_at: datetime | None
    claimed_until: datetime | None
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    last_error: str | None
    error_code: str | None
    failures: int
    quota: Mapping[str, str]


@dataclass(frozen=True)
class Backfill:
    """A window of dates that some integrations are to pull anew; both dates inclusive, `began_at` by the home's clock."""

    id: str
    organization_id: str
    since: date
    until: date
    integration_ids: Sequence[str]
    began_at: datetime
    status: str
    months_done: int
    error: str | None
    created_at: datetime


@dataclass(frozen=True)
class AlertChannel:
    """Where alerts go; its target (an address, a URL, a token) stays sealed. Quiet hours are local hours, the end exclusive."""

    id: str
    organization_id: str
    kind: str
    name: str
    language: str
    quiet_from: int | None
    quiet_until: int | None
    timezone: str


@dataclass(frozen=True)
class AlertRule:
    """A rule as data; `settings` are its kind's own."""

    id: str
    organization_id: str
    kind: str
    name: str
    settings: Mapping[str, Any]
    channel_ids: Sequence[str]
    enabled: bool


@dataclass(frozen=True)
class Alert:
    """Something that a rule found and that stands, or has recovered. Instants are the home's clock."""

    id: str
    organization_id: str
    rule_id: str
    subject: str
    status: str
    details: Mapping[str, Any]
    fired_at: datetime
    last_seen_at: datetime
    recovered_at: datetime | None
    snoozed_until: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None


@dataclass(frozen=True)
class Delivery:
    """One message to one channel, sent at most once for its key; `content` is its title and text."""

    id: str
    organization_id: str
    channel_id: str
    key: str
    content: Mapping[str, str]
    status: str
    attempts: int
    sent_at: datetime | None
    error: str | None
    created_at: datetime


@dataclass(frozen=True)
class After:
    """Where a page of a list ends: the next one goes on from here. Lists run from the newest to the oldest."""

    created_at: datetime
    id: str


PAGE = 200
"""The most rows that one page of a list holds."""

Record = TypeVar("Record")


def columns(table: Table, record: type[Any]) -> list[ColumnElement[Any]]:
    """Return the table's columns that a record holds."""
    return [table.c[field.name] for field in fields(record) if field.name in table.c]


def read(record: type[Record], row: Row[Any]) -> Record:
    """Make a record of a row that has its columns."""
    return record(**row._mapping)


def read_all(record: type[Record], rows: Sequence[Row[Any]]) -> list[Record]:
    """Make a record of each row."""
    return [read(record, row) for row in rows]


def identifier(kind: str, value: str) -> str:
    """Return a well-formed id; a malformed one answers like one that does not exist."""
    try:
        return str(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise missing(kind) from None


def storable(text: str) -> str:
    """Return a text that a platform sent without what PostgreSQL's text cannot hold: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def missing(kind: str) -> NotFound:
    """Return the one answer for an id that does not exist and for one that is somebody else's."""
    return NotFound(f"There is no such {kind}", fix=f"Look the id up in the list of {kind}s")
