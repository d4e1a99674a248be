"""The overview of a project, assembled from answers of the metric door that are all of one data version."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from analyst.door import DataMoved, Door
from analyst.periods import DEFAULT_DAYS, default_window
from domain.clock import Clock
from domain.errors import UsageError
from domain.questions import Answer, Caveat, Question, Scope, Value
from domain.windows import DateWindow
from platform_api.analytics.questions import rows
from platform_api.analytics.schemas import Cell, Comparison, Dashboard, Kpi, KpiValue, MetricDescription
from warehouse.metrics.printing import printed

PLAIN = ("impressions", "clicks", "ctr", "conversions", "cvr")
"""Headline metrics that add up over every currency."""
MONEY = ("spend", "cpc", "cpa", "conversions_value", "roas")
"""Headline metrics that hold money: one value per currency."""
_HISTORY = 1100
_AT_ONCE = 4


@dataclass(frozen=True)
class Asked:
    """What an overview is asked for: fixed dates, or the last `days` that have data."""

    since: date | None
    until: date | None
    days: int | None
    compare: Comparison


def overview(door: Door, scope: Scope, project_id: str, asked: Asked, clock: Clock, catalogue: Mapping[str, MetricDescription]) -> Dashboard:
    """Answer the overview; when a build is published in between, everything is asked once more."""
    try:
        return _overview(door, scope, project_id, asked, clock, catalogue)
    except DataMoved:
        return _overview(door, scope, project_id, asked, clock, catalogue)


def resolve(door: Door, scope: Scope, asked: Asked, clock: Clock) -> DateWindow:
    """Return the window: the given dates, or the last days that the analyst would report on.

    Where nothing ran in those, they end on the last date that has impressions, so that a finished campaign still shows.
    """
    if asked.since is not None and asked.until is not None:
        return DateWindow(asked.since, asked.until)
    if asked.since is not None or asked.until is not None:
        raise UsageError("Only one end of the window is given", fix="Give since and until, or days")
    days = asked.days or DEFAULT_DAYS
    until = default_window(door, scope, clock).until
    window = DateWindow(until - timedelta(days=days - 1), until)
    if _ran(door, scope, window):
        return window
    newest = _ran(door, scope, DateWindow(until - timedelta(days=_HISTORY - 1), until))
    return DateWindow(newest - timedelta(days=days - 1), newest) if newest else window


def _ran(door: Door, scope: Scope, window: DateWindow) -> date | None:
    """Return the last date of a window that has impressions."""
    answer = door.ask(scope, Question(metrics=("impressions",), by=("date",), since=window.since, until=window.until, order_by=("-date",)))
    return next((row["date"] for row in answer.rows if row["impressions"] and isinstance(row["date"], date)), None)


def compared(window: DateWindow, compare: Comparison) -> DateWindow | None:
    """Return the window to compare with: of equal length right before, or 52 weeks earlier so that weekdays meet."""
    if compare == "none":
        return None
    if compare == "year":
        return DateWindow(window.since - timedelta(weeks=52), window.until - timedelta(weeks=52))
    return window.preceding()


def _overview(door: Door, scope: Scope, project_id: str, asked: Asked, clock: Clock, catalogue: Mapping[str, MetricDescription]) -> Dashboard:
    window = resolve(door, scope, asked, clock)
    before = compared(window, asked.compare)
    split = ((PLAIN, ()), (MONEY, ("currency",)), ((*PLAIN, *MONEY), ("platform", "currency")))
    questions = [_question(window, metrics, by) for metrics, by in (*split, (PLAIN, ("date",)), (MONEY, ("date", "currency")))]
    questions += [_question(before, metrics, by) for metrics, by in split] if before else []
    answers = _asked(door, scope, questions)
    totals, money, platforms, daily, daily_money, *earlier = answers
    earlier_totals, earlier_money, earlier_platforms = earlier if earlier else (None, None, None)
    kpis = [_plain(name, catalogue, totals, earlier_totals) for name in PLAIN] + [_money(name, catalogue, money, earlier_money) for name in MONEY]
    return Dashboard(
        project_id=project_id,
        today=clock.today("UTC"),
        since=window.since,
        until=window.until,
        compared_since=before.since if before else None,
        compared_until=before.until if before else None,
        currencies=[str(row["currency"]) for row in money.rows],
        kpis=kpis,
        daily=rows(daily),
        daily_money=rows(daily_money),
        platforms=rows(platforms),
        previous_platforms=rows(earlier_platforms) if earlier_platforms else [],
        data_version=totals.data_version,
        building=any(answer.building for answer in answers),
        freshness=totals.freshness,
        warnings=_warnings(answers),
    )


def _question(window: DateWindow, metrics: Sequence[str], by: tuple[str, ...]) -> Question:
    return Question(metrics=tuple(metrics), by=by, since=window.since, until=window.until, order_by=by)


def _asked(door: Door, scope: Scope, questions: Sequence[Question]) -> list[Answer]:
    """Ask side by side; raises DataMoved when the answers are of two data versions."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda question: door.ask(scope, question), questions))
    versions = [answer.data_version for answer in answers]
    if min(versions) != max(versions):
        raise DataMoved(min(versions), max(versions))
    return answers


def _plain(name: str, catalogue: Mapping[str, MetricDescription], now: Answer, before: Answer | None) -> Kpi:
    earlier = before.rows[0].get(name) if before and before.rows else None
    value = now.rows[0].get(name) if now.rows else None
    return _kpi(catalogue[name], [_value(now, name, "", value, earlier)])


def _money(name: str, catalogue: Mapping[str, MetricDescription], now: Answer, before: Answer | None) -> Kpi:
    earlier = {row["currency"]: row.get(name) for row in before.rows} if before else {}
    return _kpi(catalogue[name], [_value(now, name, str(row["currency"]), row.get(name), earlier.get(row["currency"])) for row in now.rows])


def _kpi(metric: MetricDescription, values: list[KpiValue]) -> Kpi:
    return Kpi(metric=metric.name, labels=metric.labels, unit=metric.unit, good_direction=metric.good_direction, values=values)


def _value(answer: Answer, name: str, currency: str, value: Value, previous: Value) -> KpiValue:
    unit = next(c.unit for c in answer.columns if c.name == name)
    now, before = _decimal(value), _decimal(previous)
    change: Cell = None
    ratio = None
    if now is not None and before is not None:
        change = printed(now - before, unit)
        ratio = float((now - before) / before) if before else None
    return KpiValue(currency=currency, value=printed(value, unit), previous=printed(previous, unit), change=change, change_ratio=ratio)


def _decimal(value: Value) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _warnings(answers: Sequence[Answer]) -> list[Caveat]:
    """Take each warning once."""
    return list({(caveat.code, caveat.message): caveat for answer in answers for caveat in answer.warnings}.values())
