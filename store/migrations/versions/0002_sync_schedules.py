"""When each integration is pulled, and how its last pulls went."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MINE = "organization_id = nullif(current_setting('app.org', true), '')::uuid"


def upgrade() -> None:
    """Make the table, closed to everyone but the two roles."""
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
    op.execute("alter table sync_schedules enable row level security")
    op.execute("alter table sync_schedules force row level security")
    op.execute(f"create policy tenant on sync_schedules to mrm_app using ({MINE}) with check ({MINE})")
    op.execute("create policy system on sync_schedules to mrm_system using (true) with check (true)")
    op.execute("grant select, insert, update, delete on sync_schedules to mrm_app, mrm_system")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("sync_schedules")
