"""Integrations on the wire; credentials never leave the store."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class Schedule(BaseModel):
    """When an integration is pulled and how its last pulls went. Instants are the home's clock.

    `next_run_at` null: never by itself, until the credential is renewed, or because it comes from files. `timezone` null: the account's.
    """

    model_config = ConfigDict(from_attributes=True)
    cron: str
    timezone: str | None = None
    offset_minutes: int
    lookback_days: int | None = None
    priority: int
    next_run_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error: str | None = None
    error_code: str | None = None
    failures: int
    """How many pulls failed in a row."""
    quota: Mapping[str, str]
    """Units or quota left, in the platform's words; empty where it says nothing."""


class Integration(BaseModel):
    """A connected ad platform."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    platform: str
    name: str
    project_id: str | None = None
    status: str
    last_sync_at: datetime | None = None
    last_error: str | None = None
    created_at: datetime
    schedule: Schedule | None = None


class Integrations(BaseModel):
    """The organization's integrations, oldest first."""

    items: list[Integration]


class Account(BaseModel):
    """An advertising account that an integration owns; `currency` is ISO 4217, `timezone` IANA."""

    model_config = ConfigDict(from_attributes=True)
    platform: str
    account_id: str
    name: str
    currency: str
    timezone: str
    status: str


class SyncRequest(BaseModel):
    """A sync that was asked for, and how far it has come: queued, running, done or failed."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    status: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None


class IntegrationStatus(BaseModel):
    """How an integration does: its state, its accounts, how far its platform's data reach, and its newest sync request."""

    integration: Integration
    accounts: list[Account]
    data_through: date | None = None
    observed_at: datetime | None = None
    last_request: SyncRequest | None = None
    daemon: bool
    """Whether a Dagster daemon runs that takes sync requests."""


class SyncAccepted(BaseModel):
    """A sync request was filed; `message` says what happens next."""

    request: SyncRequest
    daemon: bool
    message: str
