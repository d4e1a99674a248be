# house: one list of tables in the order of their references; splitting it would hide them
"""The tables of the operational store, named as in the owner's schema.

Every tenant table has `organization_id`, and points to its neighbours by (organization_id, id): a row cannot refer to another
organization's row even where a query forgets to ask. Instants are timestamptz; ids are made by the database (uuidv4).
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _id() -> Column[Any]:
    return Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()"))


def _organization() -> Column[Any]:
    return Column("organization_id", UUID(as_uuid=False), ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False)


def _user(name: str) -> Column[Any]:
    return Column(name, UUID(as_uuid=False), ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True)


def _instant(name: str, *, now: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=not now, server_default=func.now() if now else None)


def _json(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, JSONB, nullable=nullable, server_default=None if nullable else text("'{}'::jsonb"))


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def _within(table: str, column: str, *, on_delete: str = "CASCADE") -> ForeignKeyConstraint:
    """Refer to another table's row of the same organization."""
    return ForeignKeyConstraint(["organization_id", column], [f"{table}.organization_id", f"{table}.id"], ondelete=on_delete)


organizations = Table(
    "organizations",
    metadata,
    _id(),
    Column("name", String(255), nullable=False),
    Column("slug", String(100), nullable=False, unique=True),
    Column("subscription_plan", String(50), nullable=False, server_default="free"),
    Column("subscription_status", String(50), nullable=False, server_default="active"),
    _instant("trial_ends_at"),
    _json("settings"),
    _instant("created_at", now=True),
    _instant("updated_at", now=True),
    _one_of("subscription_plan", "free", "team", "business", "enterprise"),
    _one_of("subscription_status", "active", "cancelled", "past_due"),
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("email", String(255), nullable=False),
    Column("password_hash", String(255)),
    Column("name", String(255)),
    Column("avatar_url", Text),
    _instant("email_verified_at"),
    _instant("last_login_at"),
    _json("preferences"),
    _instant("created_at", now=True),
    _instant("updated_at", now=True),
)
Index("ix_users_lower_email", func.lower(users.c.email), unique=True)

organization_members = Table(
    "organization_members",
    metadata,
    _id(),
    _organization(),
    Column("user_id", UUID(as_uuid=False), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", String(50), nullable=False),
    _user("invited_by"),
    _instant("joined_at", now=True),
    UniqueConstraint("organization_id", "user_id"),
    _one_of("role", "admin", "manager", "member", "guest"),
)

projects = Table(
    "projects",
    metadata,
    _id(),
    _organization(),
    Column("name", String(255), nullable=False),
    Column("description", Text),
    Column("client_name", String(255)),
    Column("status", String(50), nullable=False, server_default="active"),
    Column("start_date", Date),
    Column("end_date", Date),
    Column("budget", Numeric(15, 2)),
    Column("currency", String(3)),
    _json("settings"),
    _json("metadata"),
    _user("created_by"),
    _instant("created_at", now=True),
    _instant("updated_at", now=True),
    UniqueConstraint("organization_id", "id"),
    Index("ix_projects_status", "status"),
    _one_of("status", "draft", "active", "paused", "completed", "archived"),
    CheckConstraint("budget is null or currency is not null", name="budget_has_currency"),
)

project_members = Table(
    "project_members",
    metadata,
    _id(),
    _organization(),
    Column("project_id", UUID(as_uuid=False), nullable=False),
    Column("user_id", UUID(as_uuid=False), nullable=False),
    Column("role", String(50), nullable=False),
    _json("permissions"),
    _instant("added_at", now=True),
    _within("projects", "project_id"),
    ForeignKeyConstraint(["organization_id", "user_id"], ["organization_members.organization_id", "organization_members.user_id"], ondelete="CASCADE"),
    UniqueConstraint("project_id", "user_id"),
    Index("ix_project_members_organization_id_project_id", "organization_id", "project_id"),
    Index("ix_project_members_organization_id_user_id", "organization_id", "user_id"),
    _one_of("role", "pm", "strategist", "media_buyer", "analyst", "creative", "viewer"),
)

integrations = Table(
    "integrations",
    metadata,
    _id(),
    _organization(),
    Column("project_id", UUID(as_uuid=False)),
    Column("platform", String(50), nullable=False),
    Column("name", String(255), nullable=False),
    Column("credentials", LargeBinary, nullable=False),
    _json("settings"),
    Column("status", String(50), nullable=False, server_default="active"),
    _instant("last_sync_at"),
    Column("last_error", Text),
    _user("created_by"),
    _instant("created_at", now=True),
    _instant("updated_at", now=True),
    _within("projects", "project_id"),
    UniqueConstraint("organization_id", "id"),
    Index("ix_integrations_organization_id_project_id", "organization_id", "project_id"),
    _one_of("status", "active", "paused", "failed", "disconnected"),
)

accounts = Table(
    "accounts",
    metadata,
    _id(),
    _organization(),
    Column("integration_id", UUID(as_uuid=False), nullable=False),
    Column("platform", String(50), nullable=False),
    Column("account_id", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("status", String(50), nullable=False, server_default="active"),
    _instant("created_at", now=True),
    _instant("updated_at", now=True),
    _within("integrations", "integration_id"),
    UniqueConstraint("organization_id", "platform", "account_id"),
    Index("ix_accounts_organization_id_integration_id", "organization_id", "integration_id"),
)

account_assignments = Table(
    "account_assignments",
    metadata,
    _id(),
    _organization(),
    Column("project_id", UUID(as_uuid=False), nullable=False),
    Column("platform", String(50), nullable=False),
    Column("account_id", String(255), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),
    _user("created_by"),
    _instant("created_at", now=True),
    _within("projects", "project_id"),
    ForeignKeyConstraint(
        ["organization_id", "platform", "account_id"], ["accounts.organization_id", "accounts.platform", "accounts.account_id"], ondelete="CASCADE"
    ),
    Index("ix_account_assignments_organization_id_project_id", "organization_id", "project_id"),
    Index("ix_account_assignments_organization_id_platform_account_id", "organization_id", "platform", "account_id"),
    CheckConstraint("until is null or until >= since", name="window"),
)

artifacts = Table(
    "artifacts",
    metadata,
    _id(),
    _organization(),
    Column("project_id", UUID(as_uuid=False), nullable=False),
    Column("type", String(50), nullable=False, index=True),
    Column("title", String(255), nullable=False),
    Column("content", JSONB, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("status", String(50), nullable=False, server_default="draft"),
    _user("created_by"),
    _user("updated_by"),
    _user("approved_by"),
    _instant("approved_at"),
    _instant("created_at", now=True),
    _instant("updated_at", now=True),
    _within("projects", "project_id"),
    UniqueConstraint("organization_id", "id"),
    Index("ix_artifacts_organization_id_project_id", "organization_id", "project_id"),
    _one_of("type", "brief", "strategy", "media_plan", "roadmap", "task", "report", "document"),
    _one_of("status", "draft", "in_review", "approved", "published"),
)

artifact_versions = Table(
    "artifact_versions",
    metadata,
    _id(),
    _organization(),
    Column("artifact_id", UUID(as_uuid=False), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("changes_summary", Text),
    _user("created_by"),
    _instant("created_at", now=True),
    _within("artifacts", "artifact_id"),
    UniqueConstraint("artifact_id", "version"),
    Index("ix_artifact_versions_organization_id_artifact_id", "organization_id", "artifact_id"),
)

sync_requests = Table(
    "sync_requests",
    metadata,
    _id(),
    _organization(),
    Column("integration_id", UUID(as_uuid=False), nullable=False),
    Column("status", String(50), nullable=False, server_default="queued"),
    _user("requested_by"),
    _instant("created_at", now=True),
    _instant("started_at"),
    _instant("finished_at"),
    Column("error", Text),
    _within("integrations", "integration_id"),
    Index("ix_sync_requests_organization_id_integration_id", "organization_id", "integration_id"),
    Index("ix_sync_requests_waiting", "integration_id", unique=True, postgresql_where=text("status = 'queued'")),
    Index("ix_sync_requests_status_created_at", "status", "created_at"),
    _one_of("status", "queued", "running", "done", "failed"),
)

sync_schedules = Table(
    "sync_schedules",
    metadata,
    _id(),
    _organization(),
    Column("integration_id", UUID(as_uuid=False), nullable=False),
    Column("cron", String(100), nullable=False, server_default="0 6 * * *"),
    Column("timezone", String(64)),
    Column("offset_minutes", Integer, nullable=False, server_default=text("0")),
    Column("lookback_days", Integer),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("next_run_at", DateTime(timezone=True), nullable=True, server_default=text("'2000-01-01 00:00:00+00'::timestamptz")),
    Column("claim", UUID(as_uuid=False)),
    _instant("claimed_until"),
    _instant("last_attempt_at"),
    _instant("last_success_at"),
    Column("last_error", Text),
    Column("error_code", String(100)),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    _json("quota"),
    _instant("updated_at", now=True),
    _within("integrations", "integration_id"),
    UniqueConstraint("integration_id"),
    Index("ix_sync_schedules_organization_id_integration_id", "organization_id", "integration_id"),
    Index("ix_sync_schedules_next_run_at", "next_run_at"),
    CheckConstraint("lookback_days is null or lookback_days between 1 and 1100", name="lookback_days"),
    CheckConstraint("offset_minutes between 0 and 1439", name="offset_minutes"),
)

backfills = Table(
    "backfills",
    metadata,
    _id(),
    _organization(),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("integration_ids", JSONB, nullable=False),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("status", String(50), nullable=False, server_default="running"),
    Column("months_done", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    _user("created_by"),
    _instant("created_at", now=True),
    _instant("updated_at", now=True),
    Index("ix_backfills_organization_id_created_at", "organization_id", "created_at"),
    _one_of("status", "running", "done", "failed"),
    CheckConstraint("until >= since", name="window"),
)

alert_channels = Table(
    "alert_channels",
    metadata,
    _id(),
    _organization(),
    Column("kind", String(50), nullable=False),
    Column("name", String(255), nullable=False),
    Column("target", LargeBinary, nullable=False),
    Column("language", String(2), nullable=False, server_default="en"),
    Column("quiet_from", Integer),
    Column("quiet_until", Integer),
    Column("timezone", String(64), nullable=False, server_default="UTC"),
    _instant("created_at", now=True),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "name"),
    _one_of("kind", "email", "slack", "telegram", "webhook"),
    _one_of("language", "en", "ru"),
    CheckConstraint("(quiet_from is null) = (quiet_until is null) and quiet_from between 0 and 23 and quiet_until between 0 and 23", name="quiet"),
)

alert_rules = Table(
    "alert_rules",
    metadata,
    _id(),
    _organization(),
    Column("kind", String(50), nullable=False),
    Column("name", String(255), nullable=False),
    _json("settings"),
    Column("channel_ids", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    _instant("created_at", now=True),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "name"),
)

alerts = Table(
    "alerts",
    metadata,
    _id(),
    _organization(),
    Column("rule_id", UUID(as_uuid=False), nullable=False),
    Column("subject", String(500), nullable=False),
    Column("status", String(50), nullable=False, server_default="open"),
    _json("details"),
    Column("fired_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    _instant("recovered_at"),
    _instant("snoozed_until"),
    _user("acknowledged_by"),
    _instant("acknowledged_at"),
    UniqueConstraint("organization_id", "id"),
    _within("alert_rules", "rule_id"),
    Index("ix_alerts_organization_id_rule_id", "organization_id", "rule_id"),
    Index("ix_alerts_standing", "rule_id", "subject", unique=True, postgresql_where=text("status <> 'recovered'")),
    _one_of("status", "open", "acknowledged", "recovered"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    _organization(),
    Column("channel_id", UUID(as_uuid=False), nullable=False),
    Column("key", String(255), nullable=False),
    Column("content", JSONB, nullable=False),
    Column("status", String(50), nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _instant("next_try_at", now=True),
    _instant("sent_at"),
    Column("error", Text),
    _instant("created_at", now=True),
    _within("alert_channels", "channel_id"),
    UniqueConstraint("channel_id", "key"),
    Index("ix_deliveries_organization_id_channel_id", "organization_id", "channel_id"),
    Index("ix_deliveries_status_next_try_at", "status", "next_try_at"),
    _one_of("status", "queued", "sent", "failed"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    _id(),
    Column("user_id", UUID(as_uuid=False), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("family", UUID(as_uuid=False), nullable=False, index=True),
    Column("sha256", LargeBinary, nullable=False, unique=True),
    _instant("expires_at", now=True),
    _instant("used_at"),
    _instant("revoked_at"),
    _instant("created_at", now=True),
)

audit_log = Table(
    "audit_log",
    metadata,
    _id(),
    _organization(),
    _user("user_id"),
    Column("action", String(100), nullable=False),
    Column("subject", String(255), nullable=False),
    _json("details"),
    _instant("created_at", now=True),
    Index("ix_audit_log_organization_id_created_at", "organization_id", "created_at"),
)

TENANT_TABLES = tuple(name for name, table in metadata.tables.items() if "organization_id" in table.c)
"""The tables whose rows belong to one organization; row-level security covers each of them."""
