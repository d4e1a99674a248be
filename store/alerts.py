"""Alert channels, rules, what stands, and the log of what was sent, of one organization."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import Conflict
from store.database import Transaction
from store.encryption import Place, Vault
from store.records import Alert, AlertChannel, AlertRule, Delivery, Record, columns, identifier, missing, read, read_all
from store.tables import alert_channels, alert_rules, alerts, deliveries


class Alerts:
    """What an organization watches, what was found, and whom it was told."""

    def __init__(self, transaction: Transaction, organization_id: str, vault: Vault) -> None:
        self._transaction = transaction
        self._organization_id = organization_id
        self._vault = vault

    def add_channel(self, kind: str, name: str, target: str, **more: Any) -> AlertChannel:  # noqa: ANN401
        """Add a channel, its target sealed; raises Conflict for a name that is taken. `more`: language, quiet hours, timezone."""
        row_id = str(uuid.uuid4())
        values = {**more, "id": row_id, "kind": kind, "name": name, "target": self._vault.seal(target.encode(), self._place(row_id))}
        return self._add(alert_channels, AlertChannel, "channel", values)

    def channels(self) -> list[AlertChannel]:
        """List the channels by name."""
        return self._all(alert_channels, AlertChannel, alert_channels.c.name)

    def target(self, channel_id: str) -> str:
        """Open a channel's target; raises NotFound."""
        row_id = identifier("channel", channel_id)
        statement = select(alert_channels.c.target).where(alert_channels.c.organization_id == self._organization_id, alert_channels.c.id == row_id)
        sealed = self._transaction.execute(statement).scalar_one_or_none()
        if sealed is None:
            raise missing("channel")
        return self._vault.open(bytes(sealed), self._place(row_id)).decode()

    def add_rule(self, kind: str, name: str, settings: Mapping[str, Any], channel_ids: Sequence[str]) -> AlertRule:
        """Add a rule; raises Conflict for a name that is taken."""
        return self._add(alert_rules, AlertRule, "rule", {"kind": kind, "name": name, "settings": dict(settings), "channel_ids": list(channel_ids)})

    def rules(self) -> list[AlertRule]:
        """List the rules by name."""
        return self._all(alert_rules, AlertRule, alert_rules.c.name)

    def remove(self, what: str, row_id: str) -> None:
        """Remove a `rule` with what it found, or a `channel` with its log; raises NotFound."""
        table = {"rule": alert_rules, "channel": alert_channels}[what]
        statement = delete(table).where(table.c.organization_id == self._organization_id, table.c.id == identifier(what, row_id))
        if not self._transaction.execute(statement).rowcount:
            raise missing(what)

    def standing(self, rule_id: str) -> dict[str, Alert]:
        """Return a rule's alerts that have not recovered, by subject."""
        statement = self._of(alerts, Alert).where(alerts.c.rule_id == rule_id, alerts.c.status != "recovered")
        return {a.subject: a for a in read_all(Alert, self._transaction.execute(statement.with_for_update()).all())}

    def fire(self, rule_id: str, subject: str, details: Mapping[str, Any], at: datetime) -> Alert | None:
        """Note a new alert; None where another evaluation was first."""
        values = {
            "organization_id": self._organization_id,
            "rule_id": rule_id,
            "subject": subject,
            "details": dict(details),
            "fired_at": at,
            "last_seen_at": at,
        }
        statement = (
            upsert(alerts)
            .values({**values, "fired_at": at, "last_seen_at": at})
            .on_conflict_do_nothing(index_elements=[alerts.c.rule_id, alerts.c.subject], index_where=alerts.c.status != "recovered")
            .returning(*columns(alerts, Alert))
        )
        row = self._transaction.execute(statement).one_or_none()
        return read(Alert, row) if row else None

    def change(self, alert_id: str, **values: Any) -> Alert:  # noqa: ANN401
        """Change an alert; raises NotFound."""
        statement = (
            update(alerts)
            .where(alerts.c.organization_id == self._organization_id, alerts.c.id == identifier("alert", alert_id))
            .values(values)
            .returning(*columns(alerts, Alert))
        )
        row = self._transaction.execute(statement).one_or_none()
        if row is None:
            raise missing("alert")
        return read(Alert, row)

    def change_standing(self, alert_id: str, **values: Any) -> Alert:  # noqa: ANN401
        """Change an alert unless it has recovered, and return it as it is then; raises NotFound."""
        mine = (alerts.c.organization_id == self._organization_id, alerts.c.id == identifier("alert", alert_id))
        self._transaction.execute(update(alerts).where(*mine, alerts.c.status != "recovered").values(values))
        row = self._transaction.execute(self._of(alerts, Alert).where(*mine)).one_or_none()
        if row is None:
            raise missing("alert")
        return read(Alert, row)

    def all(self, *, recovered: bool = False, limit: int = 200) -> list[Alert]:
        """List what stands, newest first; with `recovered` what was, too."""
        statement = self._of(alerts, Alert).order_by(alerts.c.fired_at.desc(), alerts.c.id).limit(limit)
        if not recovered:
            statement = statement.where(alerts.c.status != "recovered")
        return read_all(Alert, self._transaction.execute(statement).all())

    def queue(self, channel_id: str, key: str, content: Mapping[str, str]) -> None:
        """Queue a message for a channel; a key that was queued before is not queued again."""
        values = {"organization_id": self._organization_id, "channel_id": channel_id, "key": key, "content": dict(content)}
        self._transaction.execute(upsert(deliveries).values(values).on_conflict_do_nothing(index_elements=[deliveries.c.channel_id, deliveries.c.key]))

    def deliveries(self, limit: int = 200, *, unsent: bool = False) -> list[Delivery]:
        """List what was sent or is to be, newest first; with `unsent` only what did not go out (yet)."""
        statement = self._of(deliveries, Delivery).order_by(deliveries.c.created_at.desc()).limit(limit)
        if unsent:
            statement = statement.where(deliveries.c.status != "sent")
        return read_all(Delivery, self._transaction.execute(statement).all())

    def take_deliveries(self, lease: timedelta, limit: int = 50) -> list[Delivery]:
        """Take queued messages whose time has come, for one taker until the lease is over; an attempt is counted before it is made."""
        due = (
            select(deliveries.c.id)
            .where(deliveries.c.organization_id == self._organization_id, deliveries.c.status == "queued", deliveries.c.next_try_at <= func.now())
            .order_by(deliveries.c.created_at, deliveries.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken: Sequence[str] = self._transaction.execute(due).scalars().all()
        statement = (
            update(deliveries)
            .where(deliveries.c.id.in_(taken))
            .values(attempts=deliveries.c.attempts + 1, next_try_at=func.now() + lease)
            .returning(*columns(deliveries, Delivery))
        )
        return sorted(read_all(Delivery, self._transaction.execute(statement).all()), key=lambda d: (d.created_at, d.id))

    def settle_delivery(self, delivery_id: str, *, error: str | None = None, retry_in: timedelta | None = None) -> None:
        """Note that a message was sent, that it is to be tried again, or that it is given up.

        `error` None and a pause: it waits, uncounted, and keeps what its last try failed of.
        """
        values: dict[str, Any] = {} if error is None else {"error": error}
        if retry_in is not None:
            values["next_try_at"] = func.now() + retry_in
            if error is None:
                values["attempts"] = deliveries.c.attempts - 1
        elif error is not None:
            values["status"] = "failed"
        else:
            values = {"status": "sent", "sent_at": func.now(), "error": None}
        mine = (deliveries.c.organization_id == self._organization_id, deliveries.c.id == delivery_id)
        self._transaction.execute(update(deliveries).where(*mine).values(values))

    def _add(self, table: Table, record: type[Record], what: str, values: Mapping[str, Any]) -> Record:
        taken = select(table.c.id).where(table.c.organization_id == self._organization_id, table.c.name == values["name"])
        if self._transaction.execute(taken).one_or_none():
            raise Conflict(f"There is a {what} {values['name']!r} already", fix="Choose another name, or remove that one")
        statement = insert(table).values({**values, "organization_id": self._organization_id}).returning(*columns(table, record))
        return read(record, self._transaction.execute(statement).one())

    def _all(self, table: Table, record: type[Record], order: Any) -> list[Record]:  # noqa: ANN401
        return read_all(record, self._transaction.execute(self._of(table, record).order_by(order)).all())

    def _of(self, table: Table, record: type[Any]) -> Any:  # noqa: ANN401
        return select(*columns(table, record)).where(table.c.organization_id == self._organization_id)

    def _place(self, row_id: str) -> Place:
        return Place(self._organization_id, "alert_channels", row_id, "target")
