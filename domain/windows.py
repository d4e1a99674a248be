"""Windows of dates, both ends inclusive."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from domain.errors import UsageError


@dataclass(frozen=True, order=True)
class DateWindow:
    """The dates from `since` to `until`, both inclusive, in the account's time zone."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise UsageError(f"The window starts on {self.since}, after its end on {self.until}", fix="Swap --since and --until")

    @property
    def days(self) -> int:
        """Count the dates."""
        return (self.until - self.since).days + 1

    def dates(self) -> Iterator[date]:
        """Yield each date, oldest first."""
        return (self.since + timedelta(days=n) for n in range(self.days))

    def preceding(self) -> "DateWindow":
        """Return the window of equal length that ends the day before this one."""
        return DateWindow(self.since - timedelta(days=self.days), self.since - timedelta(days=1))

    def chunks(self, days: int) -> Iterator["DateWindow"]:
        """Yield windows of at most `days` dates that cover this one, newest first."""
        until = self.until
        while until >= self.since:
            since = max(self.since, until - timedelta(days=days - 1))
            yield DateWindow(since, until)
            until = since - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.since}..{self.until}"
