"""The notifier: what is queued goes out, once, with pauses after failures and in silence during a channel's quiet hours."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
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
            for outcome in self._hand_over(taken):
                counts[outcome] += 1
        return counts

    def close(self) -> None:
        """Close connections."""
        self._channels.close()

    def _hand_over(self, taken: Sequence[tuple[Delivery, AlertChannel, str]]) -> Iterator[str]:
        """Yield how each message went. A channel that does not take one now is left in peace, and nothing is sent once the lease is nearly over:
        another taker would send it too. What was not tried counts no attempt.
        """
        began = time.monotonic()
        held: dict[str, timedelta] = {}
        for delivery, channel, target in taken:
            pause = self._quiet_for(channel) or held.get(channel.id)
            if pause is None and time.monotonic() - began > LEASE.total_seconds() / 2:
                pause = timedelta(0)
            if pause is not None:
                self._settle(delivery, None, pause)
                yield "waiting"
                continue
            error = self._send(delivery, channel, target)
            if error is None:
                self._settle(delivery, None, None)
                yield "sent"
            elif error.final or delivery.attempts >= self._settings.attempts:
                self._settle(delivery, str(error), None)
                yield "failed"
            else:
                own = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
                held[channel.id] = own or FIRST_PAUSE
                self._settle(delivery, str(error), FIRST_PAUSE * 4 ** (delivery.attempts - 1) if own is None else own)
                yield "retried"

    def _send(self, delivery: Delivery, channel: AlertChannel, target: str) -> DeliveryFailed | None:
        """Hand one message over; return what went wrong."""
        try:
            self._channels.send(ChannelKind(channel.kind), target, Message(delivery.key, delivery.content["title"], delivery.content["text"]))
        except DeliveryFailed as error:
            return error
        except Exception as error:  # noqa: BLE001 # house: a message that nobody foresaw is given up, and does not hold up everybody else's
            return DeliveryFailed("The message could not be sent", why=type(error).__name__, fix="Report it: this is a fault in the program", final=True)
        return None

    def _settle(self, delivery: Delivery, error: str | None, retry_in: timedelta | None) -> None:
        with self._store.transaction(delivery.organization_id) as transaction:
            Alerts(transaction, delivery.organization_id, self._store.vault).settle_delivery(delivery.id, error=error, retry_in=retry_in)

    def _quiet_for(self, channel: AlertChannel) -> timedelta | None:
        """Return how long a channel's quiet hours still last, None outside them."""
        if channel.quiet_from is None or channel.quiet_until is None or channel.quiet_from == channel.quiet_until:
            return None
        zone = ZoneInfo(channel.timezone)
        now = self._wall().astimezone(zone)
        hours = [(channel.quiet_from + n) % 24 for n in range((channel.quiet_until - channel.quiet_from) % 24)]
        if now.hour not in hours:
            return None
        end = now.replace(hour=channel.quiet_until, minute=0, second=0, microsecond=0, fold=0)
        whole = end if end > now else end + timedelta(days=1)
        return max(whole.astimezone(UTC) - now.astimezone(UTC), timedelta(minutes=1))  # of the clock that passes: a night may have 9 or 11 hours
