"""Which dates a pull asks for: what was never pulled, and what was still provisional when it was."""

from collections.abc import Collection, Iterable, Iterator, Mapping
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
    lookback_days: int | None = None,
    done: Collection[date] = (),
    longest: int = LOAD_DAYS,
) -> PullPlan:
    """Plan one report of one account. `today` is the account's; `oldest` the first date that the platform answers for.

    Without `since` a date is due when no load covers it, or when it was younger than the lookback at the last look; `lookback_days`
    takes the place of the report's own. A report with `first_pull_days` reaches no further back for dates that were never pulled,
    except to catch up with the newest that was. Dates in `done` are left out, and windows have at most `longest` days.
    A snapshot's window is today; a daily report's ends its `delay_days` earlier. Windows beyond what the platform keeps are cut
    with a note.
    """
    if not report.date_column:
        return PullPlan((DateWindow(today, today),))
    newest = today - timedelta(days=report.delay_days)
    last = min(until or newest, newest)
    first = since or history_since or history_start(today)
    notes = []
    if first < oldest:
        notes.append(f"{report.platform} answers from {oldest} on: the window starts there, not on {first}")
        first = oldest
    if first > last:
        return PullPlan((), tuple(notes))
    asked = DateWindow(first, last)
    lookback = report.lookback_days if lookback_days is None else lookback_days
    missing_from = _missing_from(report, today, last_seen)
    due = asked.dates() if since else (d for d in asked.dates() if _is_due(d, last_seen.get(d), lookback, missing_from))
    windows = [part for run in _runs(d for d in due if d not in done) for part in run.chunks(longest)]
    return PullPlan(tuple(sorted(windows, reverse=True)), tuple(notes))


STALE_AFTER = 1
"""How many days may pass since the last look at a provisional date before it counts as stale."""


def find_gaps(
    report: Report,
    today: date,
    oldest: date,
    last_seen: Mapping[date, date],
    *,
    since: date | None = None,
    until: date | None = None,
    history_since: date | None = None,
    lookback_days: int | None = None,
) -> tuple[tuple[DateWindow, ...], tuple[DateWindow, ...]]:
    """Return the windows that were never pulled, and those whose provisional dates nobody has looked at lately; newest first.

    Both dates of the question are inclusive; today itself, which is not over, is never a gap. A snapshot is stale, or missing, as a whole.
    `lookback_days`: how far back a routine pull surely reaches, where that is not the report's own.
    """
    if not report.date_column:
        newest = max(last_seen.values(), default=None)
        whole = (DateWindow(today, today),)
        return (whole, ()) if newest is None else ((), whole if (today - newest).days > STALE_AFTER else ())
    first = max(since or history_since or history_start(today), oldest, *([_missing_from(report, today, last_seen)] if since is None else []))
    last = min(until or today, today - timedelta(days=max(1, report.delay_days)))
    if first > last:
        return (), ()
    dates = list(DateWindow(first, last).dates())
    lookback = report.lookback_days if lookback_days is None else lookback_days
    missing = [d for d in dates if d not in last_seen]
    stale = [d for d in dates if d in last_seen and (last_seen[d] - d).days < lookback and (today - last_seen[d]).days > STALE_AFTER]
    return tuple(sorted(_runs(missing), reverse=True)), tuple(sorted(_runs(stale), reverse=True))


def history_start(today: date) -> date:
    """Return the first date of a first pull."""
    return today - timedelta(days=HISTORY_DAYS - 1)


def _missing_from(report: Report, today: date, last_seen: Mapping[date, date]) -> date:
    """Return the date from which on a date that was never pulled is missing."""
    if report.first_pull_days is None:
        return date.min
    first = today - timedelta(days=report.first_pull_days - 1)
    return min(first, max(last_seen) + timedelta(days=1)) if last_seen else first


def _is_due(day: date, seen: date | None, lookback_days: int, missing_from: date) -> bool:
    return day >= missing_from if seen is None else (seen - day).days < lookback_days


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
