"""Alerts: channels, rules as data, what stands and who saw it, and the log of what was sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("alert_channels", "alert_rules", "alerts", "deliveries")
MINE = "organization_id = nullif(current_setting('app.org', true), '')::uuid"


def upgrade() -> None:
    """Make the tables, closed to everyone but the two roles."""
    _channels()
    _rules()
    _alerts()
    _deliveries()
    for table in TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy tenant on {table} to mrm_app using ({MINE}) with check ({MINE})")
        op.execute(f"create policy system on {table} to mrm_system using (true) with check (true)")
        op.execute(f"grant select, insert, update, delete on {table} to mrm_app, mrm_system")


def downgrade() -> None:
    """Drop the tables, references first."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _organization() -> sa.Column[str]:
    return sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False)


def _instant(name: str, *, now: bool = False, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()") if now else None, nullable=nullable and not now)


def _json(name: str, default: str | None = "'{}'::jsonb") -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text(default) if default else None, nullable=False)


def _owned(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f(f"fk_{table}_organization_id"), ondelete="CASCADE")


def _channels() -> None:
    op.create_table(
        "alert_channels",
        _id(),
        _organization(),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("target", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(length=2), server_default="en", nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("timezone", sa.String(length=64), server_default="UTC", nullable=False),
        _instant("created_at", now=True),
        sa.CheckConstraint("kind in ('email', 'slack', 'telegram', 'webhook')", name=op.f("ck_alert_channels_kind")),
        sa.CheckConstraint("language in ('en', 'ru')", name=op.f("ck_alert_channels_language")),
        sa.CheckConstraint(
            "(quiet_from is null) = (quiet_until is null) and quiet_from between 0 and 23 and quiet_until between 0 and 23",
            name=op.f("ck_alert_channels_quiet"),
        ),
        _owned("alert_channels"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_channels")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_alert_channels_organization_id_id")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_alert_channels_organization_id_name")),
    )


def _rules() -> None:
    op.create_table(
        "alert_rules",
        _id(),
        _organization(),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        _json("settings"),
        _json("channel_ids", "'[]'::jsonb"),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _instant("created_at", now=True),
        _owned("alert_rules"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_alert_rules_organization_id_id")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_alert_rules_organization_id_name")),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        _id(),
        _organization(),
        sa.Column("rule_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="open", nullable=False),
        _json("details"),
        _instant("fired_at", nullable=False),
        _instant("last_seen_at", nullable=False),
        _instant("recovered_at"),
        _instant("snoozed_until"),
        sa.Column("acknowledged_by", sa.UUID(as_uuid=False), nullable=True),
        _instant("acknowledged_at"),
        sa.CheckConstraint("status in ('open', 'acknowledged', 'recovered')", name=op.f("ck_alerts_status")),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["users.id"], name=op.f("fk_alerts_acknowledged_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organization_id", "rule_id"],
            ["alert_rules.organization_id", "alert_rules.id"],
            name=op.f("fk_alerts_organization_id_rule_id"),
            ondelete="CASCADE",
        ),
        _owned("alerts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_alerts_organization_id_id")),
    )
    op.create_index(op.f("ix_alerts_acknowledged_by"), "alerts", ["acknowledged_by"])
    op.create_index("ix_alerts_organization_id_rule_id", "alerts", ["organization_id", "rule_id"])
    op.create_index("ix_alerts_standing", "alerts", ["rule_id", "subject"], unique=True, postgresql_where=sa.text("status <> 'recovered'"))


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        _id(),
        _organization(),
        sa.Column("channel_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        _json("content", None),
        sa.Column("status", sa.String(length=50), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _instant("next_try_at", now=True),
        _instant("sent_at"),
        sa.Column("error", sa.Text(), nullable=True),
        _instant("created_at", now=True),
        sa.CheckConstraint("status in ('queued', 'sent', 'failed')", name=op.f("ck_deliveries_status")),
        sa.ForeignKeyConstraint(
            ["organization_id", "channel_id"],
            ["alert_channels.organization_id", "alert_channels.id"],
            name=op.f("fk_deliveries_organization_id_channel_id"),
            ondelete="CASCADE",
        ),
        _owned("deliveries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("channel_id", "key", name=op.f("uq_deliveries_channel_id_key")),
    )
    op.create_index("ix_deliveries_organization_id_channel_id", "deliveries", ["organization_id", "channel_id"])
    op.create_index("ix_deliveries_status_next_try_at", "deliveries", ["status", "next_try_at"])
