# house: a migration is one frozen list of tables; splitting it would not make it clearer
"""Organizations, people, projects, integrations, accounts, artifacts, sync requests, and row-level security over all of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "audit_log",
    "organization_members",
    "projects",
    "artifacts",
    "integrations",
    "project_members",
    "accounts",
    "artifact_versions",
    "sync_requests",
    "account_assignments",
)

ROLES = """
do $$
declare
    wanted text;
begin
    foreach wanted in array array['mrm_app', 'mrm_system'] loop
        begin
            if not exists (select from pg_roles where rolname = wanted) then
                execute format('create role %I nologin nosuperuser nobypassrls', wanted);
            end if;
        exception when duplicate_object or unique_violation then
            null;
        end;
        if not pg_has_role(current_user, wanted, 'set') then
            execute format('grant %I to %I with inherit false, set true', wanted, current_user);
        end if;
    end loop;
end
$$
"""
"""Two roles of the cluster: without login, subject to row-level security, taken per transaction. Another database may have made them."""


def upgrade() -> None:
    """Make the tables in the order of their references, then close them to everyone but the two roles."""
    for make in (
        _organizations,
        _users,
        _audit_log,
        _organization_members,
        _projects,
        _refresh_tokens,
        _artifacts,
        _integrations,
        _project_members,
        _accounts,
        _artifact_versions,
        _sync_requests,
        _account_assignments,
    ):
        make()
    op.execute(ROLES)
    _secure("organizations", "id")
    for table in TENANT_TABLES:
        _secure(table, "organization_id")
    _secure_people()
    op.execute("grant select, update on organizations to mrm_app")
    op.execute("grant select (id, email, name, avatar_url, last_login_at, created_at) on users to mrm_app")
    op.execute(f"grant select, insert, update, delete on {', '.join(t for t in TENANT_TABLES if t != 'audit_log')} to mrm_app")
    op.execute("grant select, insert on audit_log to mrm_app")
    op.execute(f"grant select, insert, update, delete on {', '.join(['organizations', 'users', 'refresh_tokens', *TENANT_TABLES])} to mrm_system")
    op.execute("grant select on alembic_version to mrm_system")


def downgrade() -> None:
    """Drop the tables, references first; the roles stay, since they belong to the cluster."""
    op.execute("drop policy tenant on users")
    for table in (
        "account_assignments",
        "sync_requests",
        "artifact_versions",
        "accounts",
        "project_members",
        "integrations",
        "artifacts",
        "refresh_tokens",
        "projects",
        "organization_members",
        "audit_log",
        "users",
        "organizations",
    ):
        op.drop_table(table)


def _secure_people() -> None:
    """Show an organization its own members only; sessions are the system's alone."""
    colleague = (
        "exists (select from organization_members m where m.user_id = users.id and m.organization_id = nullif(current_setting('app.org', true), '')::uuid)"
    )
    for table in ("users", "refresh_tokens"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy system on {table} to mrm_system using (true) with check (true)")
    op.execute(f"create policy tenant on users for select to mrm_app using ({colleague})")


def _secure(table: str, column: str) -> None:
    """Force row-level security: the app's role sees the organization of its transaction, the system's role all, others none."""
    mine = f"{column} = nullif(current_setting('app.org', true), '')::uuid"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy tenant on {table} to mrm_app using ({mine}) with check ({mine})")
    op.execute(f"create policy system on {table} to mrm_system using (true) with check (true)")


def _organizations() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("subscription_plan", sa.String(length=50), server_default="free", nullable=False),
        sa.Column("subscription_status", sa.String(length=50), server_default="active", nullable=False),
        sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("subscription_plan in ('free', 'team', 'business', 'enterprise')", name=op.f("ck_organizations_subscription_plan")),
        sa.CheckConstraint("subscription_status in ('active', 'cancelled', 'past_due')", name=op.f("ck_organizations_subscription_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("slug", name=op.f("uq_organizations_slug")),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("preferences", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("ix_users_lower_email", "users", [sa.literal_column("lower(email)")], unique=True)


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_audit_log_organization_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_log_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_organization_id_created_at", "audit_log", ["organization_id", "created_at"], unique=False)
    op.create_index(op.f("ix_audit_log_user_id"), "audit_log", ["user_id"], unique=False)


def _organization_members() -> None:
    op.create_table(
        "organization_members",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("role", sa.String(length=50), nullable=False),
        sa.Column("invited_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role in ('admin', 'manager', 'member', 'guest')", name=op.f("ck_organization_members_role")),
        sa.ForeignKeyConstraint(["invited_by"], ["users.id"], name=op.f("fk_organization_members_invited_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_organization_members_organization_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_organization_members_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_members")),
        sa.UniqueConstraint("organization_id", "user_id", name=op.f("uq_organization_members_organization_id_user_id")),
    )
    op.create_index(op.f("ix_organization_members_invited_by"), "organization_members", ["invited_by"], unique=False)
    op.create_index(op.f("ix_organization_members_user_id"), "organization_members", ["user_id"], unique=False)


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("client_name", sa.String(length=255), nullable=True),
        sa.Column("status", sa.String(length=50), server_default="active", nullable=False),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("budget", sa.Numeric(precision=15, scale=2), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('draft', 'active', 'paused', 'completed', 'archived')", name=op.f("ck_projects_status")),
        sa.CheckConstraint("budget is null or currency is not null", name=op.f("ck_projects_budget_has_currency")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_projects_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_projects_organization_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_projects_organization_id_id")),
    )
    op.create_index(op.f("ix_projects_created_by"), "projects", ["created_by"], unique=False)
    op.create_index("ix_projects_status", "projects", ["status"], unique=False)


def _refresh_tokens() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("family", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_refresh_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_refresh_tokens_sha256")),
    )
    op.create_index(op.f("ix_refresh_tokens_family"), "refresh_tokens", ["family"], unique=False)
    op.create_index(op.f("ix_refresh_tokens_user_id"), "refresh_tokens", ["user_id"], unique=False)


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("project_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("type", sa.String(length=50), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="draft", nullable=False),
        sa.Column("created_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("updated_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("approved_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('draft', 'in_review', 'approved', 'published')", name=op.f("ck_artifacts_status")),
        sa.CheckConstraint("type in ('brief', 'strategy', 'media_plan', 'roadmap', 'task', 'report', 'document')", name=op.f("ck_artifacts_type")),
        sa.ForeignKeyConstraint(["approved_by"], ["users.id"], name=op.f("fk_artifacts_approved_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_artifacts_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organization_id", "project_id"],
            ["projects.organization_id", "projects.id"],
            name=op.f("fk_artifacts_organization_id_project_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_artifacts_organization_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["updated_by"], ["users.id"], name=op.f("fk_artifacts_updated_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_artifacts_organization_id_id")),
    )
    op.create_index(op.f("ix_artifacts_approved_by"), "artifacts", ["approved_by"], unique=False)
    op.create_index(op.f("ix_artifacts_created_by"), "artifacts", ["created_by"], unique=False)
    op.create_index("ix_artifacts_organization_id_project_id", "artifacts", ["organization_id", "project_id"], unique=False)
    op.create_index(op.f("ix_artifacts_type"), "artifacts", ["type"], unique=False)
    op.create_index(op.f("ix_artifacts_updated_by"), "artifacts", ["updated_by"], unique=False)


def _integrations() -> None:
    op.create_table(
        "integrations",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("project_id", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("platform", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("credentials", sa.LargeBinary(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="active", nullable=False),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('active', 'paused', 'failed', 'disconnected')", name=op.f("ck_integrations_status")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_integrations_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organization_id", "project_id"],
            ["projects.organization_id", "projects.id"],
            name=op.f("fk_integrations_organization_id_project_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_integrations_organization_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_integrations_organization_id_id")),
    )
    op.create_index(op.f("ix_integrations_created_by"), "integrations", ["created_by"], unique=False)
    op.create_index("ix_integrations_organization_id_project_id", "integrations", ["organization_id", "project_id"], unique=False)


def _project_members() -> None:
    op.create_table(
        "project_members",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("project_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("role", sa.String(length=50), nullable=False),
        sa.Column("permissions", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role in ('pm', 'strategist', 'media_buyer', 'analyst', 'creative', 'viewer')", name=op.f("ck_project_members_role")),
        sa.ForeignKeyConstraint(
            ["organization_id", "project_id"],
            ["projects.organization_id", "projects.id"],
            name=op.f("fk_project_members_organization_id_project_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["organization_members.organization_id", "organization_members.user_id"],
            name=op.f("fk_project_members_organization_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_project_members_organization_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_members")),
        sa.UniqueConstraint("project_id", "user_id", name=op.f("uq_project_members_project_id_user_id")),
    )
    op.create_index("ix_project_members_organization_id_project_id", "project_members", ["organization_id", "project_id"], unique=False)
    op.create_index("ix_project_members_organization_id_user_id", "project_members", ["organization_id", "user_id"], unique=False)


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("integration_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("platform", sa.String(length=50), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="active", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "integration_id"],
            ["integrations.organization_id", "integrations.id"],
            name=op.f("fk_accounts_organization_id_integration_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_accounts_organization_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("organization_id", "platform", "account_id", name=op.f("uq_accounts_organization_id_platform_account_id")),
    )
    op.create_index("ix_accounts_organization_id_integration_id", "accounts", ["organization_id", "integration_id"], unique=False)


def _artifact_versions() -> None:
    op.create_table(
        "artifact_versions",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("artifact_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changes_summary", sa.Text(), nullable=True),
        sa.Column("created_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_artifact_versions_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organization_id", "artifact_id"],
            ["artifacts.organization_id", "artifacts.id"],
            name=op.f("fk_artifact_versions_organization_id_artifact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_artifact_versions_organization_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_versions")),
        sa.UniqueConstraint("artifact_id", "version", name=op.f("uq_artifact_versions_artifact_id_version")),
    )
    op.create_index(op.f("ix_artifact_versions_created_by"), "artifact_versions", ["created_by"], unique=False)
    op.create_index("ix_artifact_versions_organization_id_artifact_id", "artifact_versions", ["organization_id", "artifact_id"], unique=False)


def _sync_requests() -> None:
    op.create_table(
        "sync_requests",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("integration_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="queued", nullable=False),
        sa.Column("requested_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("status in ('queued', 'running', 'done', 'failed')", name=op.f("ck_sync_requests_status")),
        sa.ForeignKeyConstraint(
            ["organization_id", "integration_id"],
            ["integrations.organization_id", "integrations.id"],
            name=op.f("fk_sync_requests_organization_id_integration_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_sync_requests_organization_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_sync_requests_requested_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_requests")),
    )
    op.create_index("ix_sync_requests_organization_id_integration_id", "sync_requests", ["organization_id", "integration_id"], unique=False)
    op.create_index(op.f("ix_sync_requests_requested_by"), "sync_requests", ["requested_by"], unique=False)
    op.create_index("ix_sync_requests_status_created_at", "sync_requests", ["status", "created_at"], unique=False)
    op.create_index("ix_sync_requests_waiting", "sync_requests", ["integration_id"], unique=True, postgresql_where=sa.text("status = 'queued'"))


def _account_assignments() -> None:
    op.create_table(
        "account_assignments",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("project_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("platform", sa.String(length=50), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("created_by", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("until is null or until >= since", name=op.f("ck_account_assignments_window")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_account_assignments_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organization_id", "platform", "account_id"],
            ["accounts.organization_id", "accounts.platform", "accounts.account_id"],
            name=op.f("fk_account_assignments_organization_id_platform_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "project_id"],
            ["projects.organization_id", "projects.id"],
            name=op.f("fk_account_assignments_organization_id_project_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_account_assignments_organization_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_assignments")),
    )
    op.create_index(op.f("ix_account_assignments_created_by"), "account_assignments", ["created_by"], unique=False)
    op.create_index(
        "ix_account_assignments_organization_id_platform_account_id", "account_assignments", ["organization_id", "platform", "account_id"], unique=False
    )
    op.create_index("ix_account_assignments_organization_id_project_id", "account_assignments", ["organization_id", "project_id"], unique=False)
