"""Which dates a pull asks for: what was never pulled, and what was still provisional when it was."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from connectors.registry import REPORTS
from domain.catalogue import Report
from domain.windows import DateWindow

HISTORY_DAYS = 400
"""How many days the first pull of an account covers, its today included."""

LOAD_DAYS = 400
"""The longest window of one load; a longer backfill is several loads, so that a crash loses at most one."""

PROVISIONAL_DAYS = {platform: max(r.lookback_days for r in reports if r.date_column) for platform, reports in REPORTS.items()}
"""How many days each platform may still restate."""


@dataclass(frozen=True)
class PullPlan:
    """The windows to pull, newest first, and what a person should know about them."""

    windows: tuple[DateWindow, ...]
    notes: tuple[str, ...] = ()


def plan_pull(
    report: Report,
    today: date,
    oldest: date,
    last_seen: Mapping[date, date],
    *,
    since: date | None = None,
    until: date | None = None,
    history_since: date | None = None,
) -> PullPlan:
    """Plan one report of one account. `today` is the account's; `oldest` the first date that the platform answers for.

    Without `since` a date is due when no load covers it, or when it was younger than the report's lookback at the last look.
    A snapshot's window is today. Windows beyond what the platform keeps are cut with a note.
    """
    if not report.date_column:
        return PullPlan((DateWindow(today, today),))
    last = min(until or today, today)
    first = since or history_since or history_start(today)
    notes = []
    if first < oldest:
        notes.append(f"{report.platform} answers from {oldest} on: the window starts there, not on {first}")
        first = oldest
    if first > last:
        return PullPlan((), tuple(notes))
    asked = DateWindow(first, last)
    due = asked.dates() if since else (d for d in asked.dates() if _is_due(d, last_seen.get(d), report.lookback_days))
    windows = [part for run in _runs(due) for part in run.chunks(LOAD_DAYS)]
    return PullPlan(tuple(sorted(windows, reverse=True)), tuple(notes))


def history_start(today: date) -> date:
    """Return the first date of a first pull."""
    return today - timedelta(days=HISTORY_DAYS - 1)


def _is_due(day: date, seen: date | None, lookback_days: int) -> bool:
    return seen is None or (seen - day).days < lookback_days


def _runs(days: Iterable[date]) -> Iterator[DateWindow]:
    """Join ascending dates into windows without gaps."""
    start = previous = None
    for day in days:
        if start is None or previous is None:
            start = day
        elif day - previous > timedelta(days=1):
            yield DateWindow(start, previous)
            start = day
        previous = day
    if start is not None and previous is not None:
        yield DateWindow(start, previous)
