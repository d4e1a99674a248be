"""When is a change more than the usual ups and downs? One robust rule, in code; its constants are printed in reports.

The log change of a metric between two windows is compared with its usual size in four ways, and the most doubtful counts:
(1) the robust spread (1.4826 · MAD) of the same comparison at earlier weeks, weekday patterns aligned; (2) the spread that
week-to-week residuals imply; (3) the spread that weekday-seasonal daily residuals imply, widened for their autocorrelation,
both from the days before this period where there is history enough; (4) the Poisson spread of the counts. A day beyond four
residual spreads is capped first, so that one wild day makes no finding. p-values come from Student's t (Wallace's
approximation), and Benjamini–Hochberg runs over all tests of a report: where nothing happened, at most
`FALSE_DISCOVERY_RATE` of the reports find anything.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from analyst.decomposition import RATIOS

FALSE_DISCOVERY_RATE = 0.05
LEAST_CHANGE = 0.10
"""A change smaller than this is no finding, however regular the account."""
SHORT_HISTORY = 1.6
"""Where earlier weeks cannot tell what is usual, the usual size is taken this much larger."""
SURE = 200.0
"""Degrees of freedom of a spread that is known rather than estimated."""
COUNTING = 1.25
"""An estimated spread below this many Poisson spreads only estimates the Poisson spread again."""
WEEK = 7
_ROBUST = 1.4826
_EVENTS: Mapping[str, str] = {
    "conversions": "conversions",
    "conversions_value": "conversions",
    "cpa": "conversions",
    "cvr": "conversions",
    "roas": "conversions",
    "clicks": "clicks",
    "ctr": "clicks",
    "cpc": "clicks",
}
Days = Mapping[str, Sequence[float]]
"""Per additive measure one value per day, oldest first; the last `days` are this period, the `days` before the compared one."""


@dataclass(frozen=True)
class Verdict:
    """The log change, and how often chance alone gives one as large."""

    change: float
    p_value: float


def judge(daily: Days, metric: str, days: int) -> Verdict | None:
    """Test one metric of one entity. None where there is nothing to test, or too little to know what is usual."""
    numerator, denominator = RATIOS.get(metric, (metric, ""))
    top = _capped(daily[numerator], days)
    bottom = _capped(daily[denominator], days) if denominator else None
    events = daily.get(_EVENTS.get(metric, ""), ())
    counted = metric in {"conversions", "clicks"}
    change = _log_change(top, bottom, len(top), days, continuity=0.5 if counted else 0.0)
    floor = _poisson(events, days, change if counted else None)
    if change is None or floor is None:
        return None
    history = _history(top, bottom, days)
    end = len(top) - days if history else len(top)
    past = top[:end], bottom[:end] if bottom is not None else None
    spreads = [spread for spread in (history, _weekly(*past, days, stepped=not history), _daily(*past, days)) if spread is not None]
    if not spreads:
        return None
    wider = 1.0 if history else SHORT_HISTORY
    p_value = _two_sided(change / max(floor, 1e-6), SURE)
    for spread, freedom in spreads:
        size = max(floor, wider * spread, 1e-6)
        p_value = max(p_value, _two_sided(change / size, SURE if spread <= COUNTING * floor else freedom))
    return Verdict(change, p_value)


def discoveries(p_values: Sequence[float], rate: float = FALSE_DISCOVERY_RATE) -> list[bool]:
    """Say which tests hold under Benjamini–Hochberg at the rate."""
    ordered = sorted(p_values)
    threshold = max((p for rank, p in enumerate(ordered, 1) if p <= rate * rank / len(ordered)), default=-1.0)
    return [p <= threshold for p in p_values]


def _two_sided(t: float, freedom: float) -> float:
    """Return the two-sided tail of Student's t, by Wallace's normal approximation (good to the second digit)."""
    z = (8 * freedom + 1) / (8 * freedom + 3) * math.sqrt(freedom * math.log1p(t * t / freedom))
    return math.erfc(z / math.sqrt(2))


def _log_change(top: Sequence[float], bottom: Sequence[float] | None, end: int, days: int, continuity: float = 0.0) -> float | None:
    """Compare the window of `days` that ends before index `end` with the one before it; a count that fell to nothing compares as half an event."""
    if end < 2 * days:
        return None
    middle = end - days
    now, before = sum(top[middle:end]), sum(top[middle - days : middle])
    if bottom is not None:
        below_now, below_before = sum(bottom[middle:end]), sum(bottom[middle - days : middle])
        if min(below_now, below_before) <= 0:
            return None
        now, before = now / below_now, before / below_before
    if max(now, before) > 0 >= min(now, before):
        now, before = now + continuity, before + continuity
    return math.log(now / before) if min(now, before) > 0 else None


def _history(top: Sequence[float], bottom: Sequence[float] | None, days: int) -> tuple[float, float] | None:
    """Return the spread of the same comparison at earlier weeks, none of which touches this period."""
    changes = []
    end = len(top) - math.ceil(days / WEEK) * WEEK
    while end >= 2 * days:
        change = _log_change(top, bottom, end, days)
        if change is not None:
            changes.append(change)
        end -= WEEK
    if len(changes) < 8:
        return None
    independent = max(1.0, len(changes) * WEEK / days)
    return _ROBUST * median(abs(change) for change in changes), 2 + independent


def _weekly(top: Sequence[float], bottom: Sequence[float] | None, days: int, *, stepped: bool) -> tuple[float, float] | None:
    """Return the spread of a window's mean that neighbouring weeks imply; `stepped` leaves out the step between the last two windows."""
    weeks = len(top) // WEEK
    start = len(top) - weeks * WEEK
    levels: list[float | None] = []
    for week in range(weeks):
        part = slice(start + week * WEEK, start + (week + 1) * WEEK)
        value = sum(top[part])
        if bottom is not None:
            below = sum(bottom[part])
            value = value / below if below > 0 else 0.0
        levels.append(math.log(value) if value > 0 else None)
    border = weeks - days // WEEK if stepped else -1
    steps = [abs(b - a) for i, (a, b) in enumerate(pairwise(levels), 1) if a is not None and b is not None and i != border]
    if days < 2 * WEEK or len(steps) < 6:
        return None
    return _ROBUST * median(steps) / math.sqrt(2) * math.sqrt(2 * WEEK / days), 2 + 0.4 * len(steps)


def _daily(top: Sequence[float], bottom: Sequence[float] | None, days: int) -> tuple[float, float] | None:
    """Return the spread of a window's mean that daily residuals imply; None for series with many empty days."""
    if days < 2 * WEEK:
        return None
    values = list(top[-2 * days :])
    if bottom is not None:
        values = [a / b if b > 0 else 0.0 for a, b in zip(values, bottom[-2 * days :], strict=True)]
    if len(values) < 2 * days or sum(v <= 0 for v in values) > 0.1 * len(values):
        return None
    logs = [math.log(v) if v > 0 else None for v in values]
    residuals = _residuals(logs[:days]) + _residuals(logs[days:])
    spread = _ROBUST * median(abs(r) for r in residuals) * math.sqrt(days / (days - WEEK))
    pairs = list(pairwise(residuals))
    power = sum(r * r for r in residuals)
    carry = min(0.8, max(0.0, sum(a * b for a, b in pairs) / power)) if power else 0.0
    return spread * math.sqrt(2 / days) * math.sqrt((1 + carry) / (1 - carry)), 2 + 0.3 * days


def _residuals(logs: Sequence[float | None]) -> list[float]:
    """Return what is left of each day after its weekday's median; empty days are left out."""
    seasonal = {day: median(known) for day in range(WEEK) if (known := [v for v in logs[day::WEEK] if v is not None])}
    return [value - seasonal[i % WEEK] for i, value in enumerate(logs) if value is not None]


def _capped(values: Sequence[float], days: int) -> list[float]:
    """Cap wild days of each window at the larger of twice and four residual spreads above their weekday's median."""
    result = list(values)
    for start in range(len(result) % days, len(result), days):
        window = result[start : start + days]
        level = sum(window) / days
        for weekday in range(WEEK):
            usual = median(window[weekday::WEEK]) if days >= 2 * WEEK else level
            spread = _spread(window) if days >= 2 * WEEK else 0.0
            cap = max(usual, level) * math.exp(max(4 * spread, math.log(2)))
            for place in range(start + weekday, start + days, WEEK):
                result[place] = min(result[place], cap)
    return result


def _spread(window: Sequence[float]) -> float:
    """Return the robust spread of a window's daily residuals on the log scale, at most 1."""
    residuals = _residuals([math.log(v) if v > 0 else None for v in window])
    return min(1.0, _ROBUST * median(abs(r) for r in residuals)) if residuals else 1.0


def _poisson(events: Sequence[float], days: int, change: float | None) -> float | None:
    """Return the spread that counting alone gives a log ratio; 0 for metrics without events, None where a count is nearly empty.

    For counts themselves (`change` given) it is taken on Anscombe's square-root scale, which holds down to zero events.
    """
    if not events:
        return 0.0
    now, before = sum(events[-days:]), sum(events[-2 * days : -days])
    if max(now, before) < 5:
        return None
    if change:
        return abs(change) / (math.sqrt(2) * max(1e-9, abs(math.sqrt(now + 0.375) - math.sqrt(before + 0.375))))
    return math.sqrt(1 / (now + 0.5) + 1 / (before + 0.5))
