"""Integrations of one organization, their sealed credentials, and the accounts that they own."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from shlex import quote
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.catalogue import Account
from domain.errors import Conflict
from domain.platforms import Platform
from store.database import Transaction
from store.encryption import Place, Vault
from store.records import Integration, OwnedAccount, columns, identifier, missing, read, read_all, storable
from store.tables import accounts, integrations

REFUSED = "refused"
"""The status of an account whose description the platform would not give."""
STOPPED = frozenset({"paused", "disconnected"})
"""The states in which nothing is pulled."""


class Integrations:
    """The integrations of one organization."""

    def __init__(self, transaction: Transaction, organization_id: str, vault: Vault) -> None:
        self._transaction = transaction
        self._organization_id = organization_id
        self._vault = vault

    def add(self, platform: str, name: str, credentials: Mapping[str, str], settings: Mapping[str, str], **more: str | None) -> Integration:
        """Add an integration; its credentials are sealed before they leave the process. `more`: project_id, created_by."""
        row_id = str(uuid.uuid4())
        values: dict[str, Any] = {
            **more,
            "id": row_id,
            "organization_id": self._organization_id,
            "platform": platform,
            "name": name,
            "settings": dict(settings),
        }
        values["credentials"] = self._sealed(row_id, credentials)
        return read(Integration, self._transaction.execute(insert(integrations).values(values).returning(*columns(integrations, Integration))).one())

    def get(self, integration_id: str, *, locked: bool = False) -> Integration:
        """Return an integration, as nobody else changes it until the transaction ends where `locked`.

        Raises NotFound for a foreign id as for a nonexistent one.
        """
        statement = self._select().where(integrations.c.id == identifier("integration", integration_id))
        row = self._transaction.execute(statement.with_for_update(key_share=True) if locked else statement).one_or_none()
        if row is None:
            raise missing("integration")
        return read(Integration, row)

    def all(self, *, platform: str | None = None, locked: bool = False) -> list[Integration]:
        """List integrations, oldest first, as nobody else changes them until the transaction ends where `locked`."""
        statement = self._select().order_by(integrations.c.created_at, integrations.c.id)
        if platform is not None:
            statement = statement.where(integrations.c.platform == platform)
        return read_all(Integration, self._transaction.execute(statement.with_for_update(key_share=True) if locked else statement).all())

    def credentials(self, integration_id: str) -> dict[str, str]:
        """Open an integration's credentials; raises NotFound, or ConfigurationError where they do not open."""
        row_id = identifier("integration", integration_id)
        statement = select(integrations.c.credentials).where(integrations.c.organization_id == self._organization_id, integrations.c.id == row_id)
        sealed = self._transaction.execute(statement).scalar_one_or_none()
        if sealed is None:
            raise missing("integration")
        opened: dict[str, str] = json.loads(self._vault.open(bytes(sealed), self._place(row_id)))
        return opened

    def change(self, integration_id: str, *, credentials: Mapping[str, str] | None = None, **values: Any) -> Integration:  # noqa: ANN401
        """Change fields, and seal new credentials where given; raises NotFound."""
        row_id = identifier("integration", integration_id)
        if credentials is not None:
            values["credentials"] = self._sealed(row_id, credentials)
        values = {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}
        statement = (
            update(integrations)
            .where(integrations.c.organization_id == self._organization_id, integrations.c.id == row_id)
            .values({**values, "updated_at": func.now()})
            .returning(*columns(integrations, Integration))
        )
        row = self._transaction.execute(statement).one_or_none()
        if row is None:
            raise missing("integration")
        return read(Integration, row)

    def rewrap(self) -> int:
        """Wrap every integration's secret by the newest key; return how many there were. Raises ConfigurationError for one that does not open."""
        statement = select(integrations.c.id, integrations.c.credentials).where(integrations.c.organization_id == self._organization_id)
        in_order = statement.order_by(integrations.c.created_at, integrations.c.id)  # as `all` locks them, or two could wait for each other
        sealed: Sequence[Any] = self._transaction.execute(in_order.with_for_update()).all()
        for row_id, envelope in sealed:
            renewed = self._vault.rewrap(bytes(envelope), self._place(str(row_id)))
            self._transaction.execute(update(integrations).where(integrations.c.id == row_id).values(credentials=renewed))
        return len(sealed)

    def synced(self, integration_id: str, at: datetime, error: str | None) -> None:
        """Remember how the last sync went; a failed one leaves the moment of the last good one."""
        values: dict[str, Any] = {"last_error": error} if error else {"last_error": None, "last_sync_at": at}
        if self.get(integration_id, locked=True).status not in STOPPED:  # as it may be since the pull began
            values["status"] = "failed" if error else "active"
        self.change(integration_id, **values)

    def own(self, integration: Integration, discovered: Sequence[Account]) -> list[OwnedAccount]:
        """Register the accounts that an integration discovered, names and status renewed; of one that was refused what is known stays.

        Raises Conflict, and registers none, when one is owned by another integration of the organization.
        """
        owned = []
        for account in sorted(discovered, key=lambda a: a.account_id):
            details = {"name": storable(account.name), "currency": account.currency, "timezone": account.timezone, "status": account.status}
            key = {"organization_id": self._organization_id, "platform": account.platform, "account_id": account.account_id}
            statement = upsert(accounts).values({**key, **details, "integration_id": integration.id})
            seen = {"status": account.status} if account.status == REFUSED else details
            renewed = statement.on_conflict_do_update(
                index_elements=list(key), set_={**seen, "updated_at": func.now()}, where=accounts.c.integration_id == integration.id
            )
            row = self._transaction.execute(renewed.returning(*columns(accounts, OwnedAccount))).one_or_none()
            if row is None:
                raise self._taken(account)
            owned.append(read(OwnedAccount, row))
        return owned

    def accounts(self, integration_id: str | None = None) -> list[OwnedAccount]:
        """List accounts by platform and id, of one integration or of all."""
        statement = select(*columns(accounts, OwnedAccount)).where(accounts.c.organization_id == self._organization_id)
        if integration_id is not None:
            statement = statement.where(accounts.c.integration_id == identifier("integration", integration_id))
        return read_all(OwnedAccount, self._transaction.execute(statement.order_by(accounts.c.platform, accounts.c.account_id)).all())

    def _taken(self, account: Account) -> Conflict:
        statement = (
            select(integrations.c.name)
            .join(accounts, accounts.c.integration_id == integrations.c.id)
            .where(accounts.c.organization_id == self._organization_id, accounts.c.platform == account.platform, accounts.c.account_id == account.account_id)
        )
        owner: str = self._transaction.execute(statement).scalar_one()
        pulled = f"Connect again under the name {owner!r} to renew its credential, or leave the account out: --setting skip_accounts={account.account_id}"
        return Conflict(
            f"The {account.platform} account {account.account_id} ({account.name}) belongs to the integration {owner!r}",
            why="An account has one owning integration, or its rows would count twice",
            fix=pulled if account.platform in set(Platform) else f"Import the file into that integration: --integration {quote(owner)}",
        )

    def _sealed(self, row_id: str, credentials: Mapping[str, str]) -> bytes:
        return self._vault.seal(json.dumps(dict(credentials)).encode(), self._place(row_id))

    def _place(self, row_id: str) -> Place:
        return Place(self._organization_id, "integrations", row_id, "credentials")

    def _select(self) -> Any:  # noqa: ANN401
        return select(*columns(integrations, Integration)).where(integrations.c.organization_id == self._organization_id)
