"""The sandbox's clock: the wall's, or pinned to a date that can be moved."""

import threading
from datetime import UTC, date, datetime

from domain.clock import Clock, PinnedClock, WallClock


class SandboxClock:
    """Tell the platforms what day it is; safe to move while requests run."""

    def __init__(self, today: date | None = None) -> None:
        self._lock = threading.Lock()
        self._clock: Clock = WallClock() if today is None else PinnedClock(today, datetime.now(UTC))

    def now(self) -> datetime:
        """Return the instant, UTC-aware."""
        with self._lock:
            return self._clock.now()

    def today(self, timezone: str) -> date:
        """Return the date in an IANA time zone."""
        with self._lock:
            return self._clock.today(timezone)

    @property
    def day(self) -> date:
        """Return the date in UTC: the day T whose answers the platforms give."""
        return self.now().date()

    def move(self, today: date | None) -> None:
        """Pin the clock to a date, or give it back to the wall with None. It may go backwards: it is a test's instrument."""
        with self._lock:
            self._clock = WallClock() if today is None else PinnedClock(today, datetime.now(UTC))
