"""Deletion of an organization or an integration with all that hangs on it, and the line of the audit log that remains."""

from sqlalchemy import delete, func, select

from store.database import Store
from store.people import Team
from store.records import identifier
from store.tables import TENANT_TABLES, integrations, metadata, organization_members, organizations, users


def where_integration(store: Store, integration_id: str) -> str:
    """Return the organization of an integration, empty where no organization has it."""
    with store.system() as transaction:
        found = transaction.execute(select(integrations.c.organization_id).where(integrations.c.id == identifier("integration", integration_id)))
        return str(found.scalar_one_or_none() or "")


def forget_organization(store: Store, organization_id: str, *, dry_run: bool) -> int:
    """Delete an organization, everything of it, and the people who belong to no other; return how many rows go."""
    row_id = identifier("organization", organization_id)
    with store.system() as transaction:
        tables = [metadata.tables[name] for name in TENANT_TABLES]
        rows = sum(transaction.execute(select(func.count()).select_from(table).where(table.c.organization_id == row_id)).scalar_one() for table in tables)
        members = select(organization_members.c.user_id).where(organization_members.c.organization_id == row_id)
        elsewhere = select(organization_members.c.user_id).where(organization_members.c.organization_id != row_id)
        alone: list[str] = list(transaction.execute(members.where(organization_members.c.user_id.not_in(elsewhere))).scalars())
        known = transaction.execute(select(func.count()).select_from(organizations).where(organizations.c.id == row_id)).scalar_one()
        if not dry_run:
            transaction.execute(delete(organizations).where(organizations.c.id == row_id))
            transaction.execute(delete(users).where(users.c.id.in_(alone)))
        return int(rows) + int(known) + len(alone)


def forget_integration(store: Store, organization_id: str, integration_id: str, *, dry_run: bool) -> int:
    """Delete an integration with its accounts, their assignments and its requests; return how many integrations go (0 or 1)."""
    row_id = identifier("integration", integration_id)
    chosen = (integrations.c.organization_id == identifier("organization", organization_id)) & (integrations.c.id == row_id)
    with store.system() as transaction:
        found = int(transaction.execute(select(func.count()).select_from(integrations).where(chosen)).scalar_one())
        if not dry_run:
            transaction.execute(delete(integrations).where(chosen))
        return found


def record_forgetting(store: Store, organization_id: str, scope: str, subject: str, by: str) -> None:
    """Write a line of the audit log; a visitor's id is not kept in it."""
    with store.transaction(organization_id) as transaction:
        Team(transaction, organization_id).record(None, f"{scope}.forget", subject, by=by)
