"""The window that a request may ask for, and an answer as JSON."""

from datetime import date

from domain.errors import UsageError
from domain.questions import Answer
from domain.windows import DateWindow
from platform_api.analytics.schemas import Cell, MetricsAnswer
from warehouse.metrics.printing import printed as printed_value


def window(since: date, until: date, max_days: int) -> DateWindow:
    """Check the window; raises UsageError where it is turned round or wider than `max_days`."""
    asked = DateWindow(since, until)
    if asked.days > max_days:
        raise UsageError(f"The window {asked} spans {asked.days} days", why=f"At most {max_days} are answered at once", fix="Ask for less")
    return asked


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
        comparison=answer.comparison,
        currency=answer.currency,
    )
