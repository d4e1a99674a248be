"""When each integration is pulled and how its last pulls went; backfills and how far they are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MINE = "organization_id = nullif(current_setting('app.org', true), '')::uuid"


def upgrade() -> None:
    """Make the tables, closed to everyone but the two roles."""
    op.create_table(
        "sync_schedules",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("integration_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("cron", sa.String(length=100), server_default="0 6 * * *", nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("offset_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lookback_days", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), server_default=sa.text("'2000-01-01 00:00:00+00'::timestamptz"), nullable=True),
        sa.Column("claim", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("error_code", sa.String(length=100), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quota", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("lookback_days is null or lookback_days between 1 and 1100", name=op.f("ck_sync_schedules_lookback_days")),
        sa.CheckConstraint("offset_minutes between 0 and 1439", name=op.f("ck_sync_schedules_offset_minutes")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_sync_schedules_organization_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organization_id", "integration_id"],
            ["integrations.organization_id", "integrations.id"],
            name=op.f("fk_sync_schedules_organization_id_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_schedules")),
        sa.UniqueConstraint("integration_id", name=op.f("uq_sync_schedules_integration_id")),
    )
    op.create_index("ix_sync_schedules_organization_id_integration_id", "sync_schedules", ["organization_id", "integration_id"])
    op.create_index("ix_sync_schedules_next_run_at", "sync_schedules", ["next_run_at"])
    _backfills()
    for table in ("sync_schedules", "backfills"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy tenant on {table} to mrm_app using ({MINE}) with check ({MINE})")
        op.execute(f"create policy system on {table} to mrm_system using (true) with check (true)")
        op.execute(f"grant select, insert, update, delete on {table} to mrm_app, mrm_system")


def _backfills() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("integration_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="running", nullable=False),
        sa.Column("months_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('running', 'done', 'failed')", name=op.f("ck_backfills_status")),
        sa.CheckConstraint("until >= since", name=op.f("ck_backfills_window")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_backfills_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_backfills_organization_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backfills")),
    )
    op.create_index(op.f("ix_backfills_created_by"), "backfills", ["created_by"])
    op.create_index("ix_backfills_organization_id_created_at", "backfills", ["organization_id", "created_at"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("backfills")
    op.drop_table("sync_schedules")
