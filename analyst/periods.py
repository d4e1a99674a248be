"""Which days a report covers, and whether the data reach that far."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from analyst.door import Door, text
from analyst.panel import Panel, day_of
from domain.clock import Clock
from domain.questions import Answer, Question, Scope
from domain.windows import DateWindow

DEFAULT_DAYS = 28
STALE_DAYS = 7
"""A platform that lags further behind the others no longer holds the default period back; the report names it."""


@dataclass(frozen=True)
class Gap:
    """A platform whose data do not reach the end of the period.

    `closed` says that only some of its accounts ended long ago while others deliver to the end: named, and compared all the same.
    """

    platform: str
    data_through: date | None
    closed: bool = False


def default_window(door: Door, scope: Scope, clock: Clock) -> DateWindow:
    """Return the last 28 complete days: they end on the last day that every live platform has in full, yesterday (UTC) at the latest."""
    yesterday = clock.today("UTC") - timedelta(days=1)
    answer = door.ask(scope, Question(metrics=("impressions",), by=("platform",), since=yesterday - timedelta(days=2 * DEFAULT_DAYS), until=yesterday))
    reached = [day for _, day in _reached(answer, _platforms(answer)) if day is not None]
    newest = max(reached, default=yesterday)
    until = min([yesterday, *(day for day in reached if day >= newest - timedelta(days=STALE_DAYS))])
    return DateWindow(until - timedelta(days=DEFAULT_DAYS - 1), until)


def gaps(panel: Panel) -> list[Gap]:
    """Name the platforms of the scope whose data end before the period does."""
    answer = panel.inquiry.ask(panel.daily_question("platform"))
    delivering = {text(row["platform"]) for row in answer.rows if day_of(row["date"]) == panel.window.until}
    long_ago = panel.window.until - timedelta(days=STALE_DAYS)
    return [
        Gap(platform, day, closed=platform in delivering and day is not None and day < long_ago)
        for platform, day in _reached(answer, _platforms(answer))
        if day is None or day < panel.window.until
    ]


def baseline_covered(panel: Panel, currency: str) -> bool:
    """Say whether the data reach back to the start of the compared period."""
    first = panel.first_day(currency)
    return first is not None and first <= panel.compared.since


def _platforms(answer: Answer) -> set[str]:
    return {text(row["platform"]) for row in answer.rows}


def _reached(answer: Answer, platforms: Iterable[str]) -> list[tuple[str, date | None]]:
    """Return how far each platform's data reach, as the answer's freshness says."""
    wanted = set(platforms)
    return sorted((f.platform, f.data_through) for f in answer.freshness if f.platform in wanted)
