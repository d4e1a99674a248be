"""The notifier: what is queued goes out, once, with pauses after failures and in silence during a channel's quiet hours."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from delivery.channels import Channels, DeliveryFailed
from delivery.settings import DeliverySettings
from domain.alerts import ChannelKind, Message
from store.alerts import Alerts
from store.database import Store
from store.people import People
from store.records import AlertChannel, Delivery

LEASE = timedelta(minutes=5)
FIRST_PAUSE = timedelta(minutes=1)


class Notifier:
    """Sends what is queued. A message is taken before it is sent: a crash in between sends it again at most once, under the same key."""

    def __init__(self, store: Store, settings: DeliverySettings, wall: Callable[[], datetime], channels: Channels | None = None) -> None:
        self._store, self._settings, self._wall = store, settings, wall
        self._channels = channels or Channels(settings)

    def deliver(self) -> dict[str, int]:
        """Send what is due in every organization; count by outcome: sent, waiting (quiet hours), retried, failed."""
        counts = dict.fromkeys(("sent", "waiting", "retried", "failed"), 0)
        with self._store.system() as transaction:
            organizations = [o.id for o in People(transaction).organizations()]
        for organization_id in organizations:
            with self._store.transaction(organization_id) as transaction:
                alerts = Alerts(transaction, organization_id, self._store.vault)
                channels = {c.id: c for c in alerts.channels()}
                taken = [(d, channels[d.channel_id], alerts.target(d.channel_id)) for d in alerts.take_deliveries(LEASE)]
            for delivery, channel, target in taken:
                counts[self._send(delivery, channel, target)] += 1
        return counts

    def close(self) -> None:
        """Close connections."""
        self._channels.close()

    def _send(self, delivery: Delivery, channel: AlertChannel, target: str) -> str:
        quiet = self._quiet_for(channel)
        if quiet:
            self._settle(delivery, None, quiet)
            return "waiting"
        try:
            self._channels.send(ChannelKind(channel.kind), target, Message(delivery.key, delivery.content["title"], delivery.content["text"]))
        except DeliveryFailed as error:
            if error.final or delivery.attempts >= self._settings.attempts:
                self._settle(delivery, str(error), None)
                return "failed"
            pause = timedelta(seconds=error.retry_after) if error.retry_after is not None else FIRST_PAUSE * 4 ** (delivery.attempts - 1)
            self._settle(delivery, str(error), pause)
            return "retried"
        self._settle(delivery, None, None)
        return "sent"

    def _settle(self, delivery: Delivery, error: str | None, retry_in: timedelta | None) -> None:
        with self._store.transaction(delivery.organization_id) as transaction:
            Alerts(transaction, delivery.organization_id, self._store.vault).settle_delivery(delivery.id, error=error, retry_in=retry_in)

    def _quiet_for(self, channel: AlertChannel) -> timedelta | None:
        """Return how long a channel's quiet hours still last, None outside them."""
        if channel.quiet_from is None or channel.quiet_until is None or channel.quiet_from == channel.quiet_until:
            return None
        now = self._wall().astimezone(ZoneInfo(channel.timezone))
        hours = [(channel.quiet_from + n) % 24 for n in range((channel.quiet_until - channel.quiet_from) % 24)]
        if now.hour not in hours:
            return None
        end = now.replace(hour=channel.quiet_until, minute=0, second=0, microsecond=0)
        return (end if end > now else end + timedelta(days=1)) - now
