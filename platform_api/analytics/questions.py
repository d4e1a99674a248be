"""From query parameters to a question, and from an answer to JSON."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time

from domain.errors import UsageError
from domain.questions import Answer, Filter, Operator, Question
from domain.windows import DateWindow
from platform_api.analytics.schemas import Cell, MetricsAnswer
from warehouse.metrics.printing import printed as printed_value

_FILTER = re.compile(r"(?P<dimension>[a-z_]{1,40})(?P<operator>[=~])(?P<value>.{0,2000})", re.DOTALL)


def names(text: str) -> tuple[str, ...]:
    """Split a list such as `spend,clicks`; empty parts fall away."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def window(since: date, until: date, max_days: int) -> DateWindow:
    """Check the window; raises UsageError where it is turned round or wider than `max_days`."""
    asked = DateWindow(since, until)
    if asked.days > max_days:
        raise UsageError(f"The window {asked} spans {asked.days} days", why=f"At most {max_days} are answered at once", fix="Ask for less")
    return asked


def filters(texts: Iterable[str]) -> tuple[Filter, ...]:
    """Read filters: `platform=google_ads`, `campaign~brand` for a part of the text; a dimension given twice means any of its values.

    Values may hold any character, `=` and `|` included. Raises UsageError for anything else.
    """
    found: dict[tuple[str, Operator], list[str]] = {}
    for text in texts:
        match = _FILTER.fullmatch(text)
        if match is None:
            raise UsageError(f"The filter {text[:80]!r} cannot be read", fix="Write where=dimension=value or where=dimension~part, once for each value")
        operator = Operator.CONTAINS if match["operator"] == "~" else Operator.EQUALS
        found.setdefault((match["dimension"], operator), []).append(match["value"])
    return tuple(
        Filter(dimension=dimension, operator=Operator.IN if operator is Operator.EQUALS and len(values) > 1 else operator, values=tuple(values))
        for (dimension, operator), values in found.items()
    )


def as_of(text: str | None) -> datetime | None:
    """Read an instant; a bare date means the end of that day, and a time without a zone is UTC."""
    if text is None:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"as_of={text[:40]!r} is no date", fix="Write 2026-01-31 or 2026-01-31T12:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def question(
    *, metrics: str, by: str, since: date, until: date, where: Sequence[str], known_at: str | None, order_by: str, limit: int | None, max_days: int
) -> Question:
    """Build the question of a metrics request; unknown names are refused by the door, which knows them."""
    asked = window(since, until, max_days)
    if not names(metrics):
        raise UsageError("No metric is asked for", fix="Add metrics=spend,clicks; GET /api/v1/metrics-catalogue lists them")
    return Question(
        metrics=names(metrics),
        by=names(by),
        since=asked.since,
        until=asked.until,
        where=filters(where),
        as_of=as_of(known_at),
        order_by=names(order_by),
        limit=limit,
    )


def rows(answer: Answer) -> list[dict[str, Cell]]:
    """Print all rows of an answer."""
    units = {column.name: column.unit for column in answer.columns}
    return [{name: printed_value(value, units[name]) for name, value in row.items()} for row in answer.rows]


def printed(answer: Answer) -> MetricsAnswer:
    """Print an answer for the wire."""
    return MetricsAnswer(
        columns=answer.columns,
        rows=rows(answer),
        data_version=answer.data_version,
        building=answer.building,
        freshness=answer.freshness,
        warnings=answer.warnings,
        sql=answer.sql,
        query_hash=answer.query_hash,
    )
