"""From texts to a question: one spelling of filters, instants, comparisons and lists for the command line, the API and its client."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from domain.errors import UsageError
from domain.questions import Baseline, Comparison, Filter, Grain, Operator, Question
from domain.windows import DateWindow

_FILTER = re.compile(r"\s*(?P<dimension>[a-z_][a-z0-9_]{0,39})\s*(?P<sign>!=|!~|>=|<=|=|~)(?P<value>.{0,2000})", re.DOTALL)
_SIGNS = {
    "=": Operator.EQUALS,
    "!=": Operator.NOT_EQUALS,
    "~": Operator.CONTAINS,
    "!~": Operator.NOT_CONTAINS,
    ">=": Operator.AT_LEAST,
    "<=": Operator.AT_MOST,
}
_SEVERAL = {Operator.EQUALS: Operator.IN, Operator.NOT_EQUALS: Operator.NOT_IN}
_PRINTED = {**{operator: sign for sign, operator in _SIGNS.items()}, Operator.IN: "=", Operator.NOT_IN: "!="}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
FILTERS = "platform=meta_ads, campaign!=1, campaign~part, campaign!~part, date>=2026-03-01, spend>=100"
"""The spellings, for help texts."""


def names(text: str) -> tuple[str, ...]:
    """Split a list such as `spend,clicks`; empty parts fall away."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def filters(texts: Iterable[str], *, split: str = "") -> tuple[Filter, ...]:
    """Read filters: `=`, `!=`, `~` (a part of the text), `!~`, `>=`, `<=`; a dimension given twice means any of its values.

    Values may hold any character; with `split` that one separates several values of `=` and `!=`. Raises UsageError.
    """
    found: dict[tuple[str, Operator], list[str]] = {}
    for text in texts:
        match = _FILTER.fullmatch(text)
        if match is None:
            raise UsageError(f"The filter {text[:80]!r} cannot be read", fix=f"Write one of: {FILTERS}")
        operator = _SIGNS[match["sign"]]
        values = match["value"].split(split) if split and operator in _SEVERAL else [match["value"]]
        found.setdefault((match["dimension"], operator), []).extend(values)
    return tuple(
        Filter(dimension=dimension, operator=_SEVERAL.get(operator, operator) if len(values) > 1 else operator, values=tuple(values))
        for (dimension, operator), values in found.items()
    )


def printed(wanted: Filter) -> list[str]:
    """Print a filter as the texts that `filters` reads, one for each value."""
    return [f"{wanted.dimension}{_PRINTED[wanted.operator]}{value}" for value in wanted.values]


def as_of(text: str | None) -> datetime | None:
    """Read an instant; a bare date means the end of that day, a time without a zone is UTC, nothing means now. Raises UsageError."""
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"as_of {text[:40]!r} is neither a date nor an instant", fix="Write 2026-01-31 or 2026-01-31T12:00:00+03:00") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def comparison(text: str | None) -> Comparison | None:
    """Read `previous`, `year`, `year_weekday` or a window of one's own, `2026-01-01..2026-01-31`; nothing means none. Raises UsageError."""
    if not text or text == "none":
        return None
    first, dots, last = text.partition("..")
    if dots:
        try:
            window = DateWindow(date.fromisoformat(first), date.fromisoformat(last))
        except ValueError as error:
            raise UsageError(f"The comparison {text[:40]!r} holds no window", fix="Write 2026-01-01..2026-01-31, both dates inclusive") from error
        return Comparison(baseline=Baseline.CUSTOM, since=window.since, until=window.until)
    if text not in (Baseline.PREVIOUS, Baseline.YEAR, Baseline.YEAR_WEEKDAY):
        raise UsageError(f"There is no comparison {text[:40]!r}", fix="Choose previous, year, year_weekday, or a window 2026-01-01..2026-01-31")
    return Comparison(baseline=Baseline(text))


def grain(text: str | None) -> Grain | None:
    """Read a grain; nothing means none. Raises UsageError."""
    if not text:
        return None
    if text not in tuple(Grain):
        raise UsageError(f"There is no grain {text[:40]!r}", fix=f"Choose one of {', '.join(Grain)}")
    return Grain(text)


def question(
    *,
    metrics: str,
    since: date,
    until: date,
    by: str = "",
    where: Iterable[str] = (),
    known_at: str | None = None,
    order_by: str = "",
    limit: int | None = None,
    periods: str | None = None,
    compare: str | None = None,
    top: int | None = None,
    totals: bool = False,
    currency: str | None = None,
    split: str = "",
) -> Question:
    """Build a question from texts; unknown names are refused by the door, which knows them. Raises UsageError."""
    window = DateWindow(since, until)
    if not names(metrics):
        raise UsageError("No metric is asked for", fix="Name some, such as spend,clicks; the catalogue of metrics lists them")
    return Question(
        metrics=names(metrics),
        by=names(by),
        since=window.since,
        until=window.until,
        where=filters(where, split=split),
        as_of=as_of(known_at),
        order_by=names(order_by),
        limit=limit,
        grain=grain(periods),
        compare=comparison(compare),
        top=top,
        totals=totals,
        currency=currency or None,
    )
