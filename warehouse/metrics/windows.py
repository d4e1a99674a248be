"""The windows of a question and the periods within them: what a window is compared with, and where its dates fall."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlglot import exp

from domain.errors import UsageError
from domain.questions import Baseline, Comparison, Grain, Question
from domain.windows import DateWindow
from warehouse.metrics.formulas import DIALECT

MOST_DAYS = 3660
"""How many days a window may have."""
WEEKDAY_YEAR = 364

_STARTS = {
    Grain.WEEK: "toMonday",
    Grain.MONTH: "toStartOfMonth",
    Grain.QUARTER: "toStartOfQuarter",
    Grain.YEAR: "toStartOfYear",
}


@dataclass(frozen=True)
class Period:
    """One window that is read: the question's, or the one it is compared with, whose dates are moved onto the question's.

    `suffix` marks its measures; `prefix` its bound dates.
    """

    window: DateWindow
    suffix: str = ""
    prefix: str = ""
    days: int = 0
    years: int = 0

    def day(self, alias: str) -> exp.Expr:
        """Return the date of a row as it counts in the question's window."""
        column = exp.column("date_day", table=alias)
        if self.years:
            return exp.func("addYears", column, exp.Literal.number(self.years), dialect=DIALECT)
        return exp.func("addDays", column, exp.Literal.number(self.days), dialect=DIALECT) if self.days else column


def periods(question: Question) -> tuple[Period, ...]:
    """Return the windows that a question reads. Raises UsageError for one turned round or too long."""
    asked = _checked(question.since, question.until)
    if question.compare is None:
        return (Period(asked),)
    compared = compared_window(asked, question.compare)
    years = 1 if question.compare.baseline is Baseline.YEAR else 0
    return Period(asked), Period(compared, "__previous", "compared_", 0 if years else (asked.since - compared.since).days, years)


def compared_window(asked: DateWindow, compare: Comparison) -> DateWindow:
    """Return what a window is compared with. Raises UsageError for a custom one that is not whole."""
    if compare.baseline is Baseline.CUSTOM:
        if compare.since is None or compare.until is None:
            raise UsageError("The comparison lacks its window", fix="Give its first and last date, both inclusive")
        return _checked(compare.since, compare.until)
    if compare.baseline is Baseline.PREVIOUS:
        return asked.preceding()
    if compare.baseline is Baseline.YEAR_WEEKDAY:
        return DateWindow(asked.since - timedelta(days=WEEKDAY_YEAR), asked.until - timedelta(days=WEEKDAY_YEAR))
    return DateWindow(_year_before(asked.since), _year_before(asked.until))


def truncated(day: exp.Expr, grain: Grain | None) -> exp.Expr:
    """Return the first day of the period that a day falls in."""
    if grain is None or grain is Grain.DAY:
        return day
    return exp.func(_STARTS[grain], day, dialect=DIALECT)


def cut_periods(window: DateWindow, grain: Grain | None) -> list[DateWindow]:
    """Return the whole periods of which a window holds only a part, at its two ends."""
    if grain is None or grain is Grain.DAY:
        return []
    ends = dict.fromkeys(_whole(day, grain) for day in (window.since, window.until))
    return [whole for whole in ends if whole.since < window.since or whole.until > window.until]


def _whole(day: date, grain: Grain) -> DateWindow:
    if grain is Grain.WEEK:
        first = day - timedelta(days=day.weekday())
        return DateWindow(first, first + timedelta(days=6))
    months = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[grain]
    month = (day.month - 1) // months * months + 1
    after = date(day.year + (month + months > 12), (month + months - 1) % 12 + 1, 1)
    return DateWindow(date(day.year, month, 1), after - timedelta(days=1))


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def _checked(since: date, until: date) -> DateWindow:
    window = DateWindow(since, until)
    if window.days > MOST_DAYS:
        raise UsageError(f"The window {window} is longer than {MOST_DAYS} days", fix="Ask for a shorter window")
    return window
