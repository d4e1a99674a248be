"""Time is passed in: the port and its two clocks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FARTHEST = "Etc/GMT-14"
"""The zone whose date is the first to change: no account's today is later."""


class Clock(Protocol):
    """Tell the time as the home sees it."""

    def now(self) -> datetime:
        """Return the instant, UTC-aware."""
        ...

    def today(self, timezone: str) -> date:
        """Return the date at this instant in an IANA time zone."""
        ...


def knows_zone(timezone: str) -> bool:
    """Tell whether this machine knows an IANA time zone."""
    try:
        ZoneInfo(timezone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return False
    return True


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the wall's instant, UTC-aware."""
        return datetime.now(UTC)

    def today(self, timezone: str) -> date:
        """Return the wall's date in an IANA time zone."""
        return self.now().astimezone(ZoneInfo(timezone)).date()


@dataclass(frozen=True)
class PinnedClock:
    """A clock set to a date (`--today`): it starts at noon UTC, runs with the wall, and never leaves the date in UTC.

    Noon UTC is the same calendar date in every zone from -12 to +11 hours.
    """

    day: date
    pinned_at: datetime

    def now(self) -> datetime:
        """Return the pinned instant, UTC-aware; it moves on by at most eleven hours."""
        passed = max(timedelta(0), datetime.now(UTC) - self.pinned_at)
        return datetime.combine(self.day, time(12), UTC) + min(passed, timedelta(hours=11))

    def today(self, timezone: str) -> date:
        """Return the date of the pinned noon in an IANA time zone."""
        return datetime.combine(self.day, time(12), UTC).astimezone(ZoneInfo(timezone)).date()
