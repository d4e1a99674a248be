"""`./run query` and `./run metrics`: the door to numbers from the command line."""

import csv
import json
import re
import sys
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from domain.errors import NotFound, UsageError
from domain.questions import Filter, Operator, Question, Scope
from mrm.options import DEFAULT_HOME, HomeOption, Language, LanguageOption, SinceOption, UntilOption

if TYPE_CHECKING:
    from services.installation import Installation


NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def query(
    metrics: Annotated[str, typer.Option("--metrics", help="Names, separated by commas; ./run metrics lists them.")],
    since: SinceOption,
    until: UntilOption,
    home: HomeOption = DEFAULT_HOME,
    by: Annotated[str, typer.Option("--by", help="Dimensions, separated by commas: date, platform, currency, project, account, campaign, ad_group, ad.")] = "",
    where: Annotated[list[str] | None, typer.Option("--where", help="A filter: platform=meta_ads, campaign=1|2, campaign~name part (repeatable).")] = None,
    project: Annotated[str, typer.Option("--project", help="Only this project: its id or name.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="Answer as the numbers were known at the end of this date, or at this instant (ISO 8601).")] = "",
    order_by: Annotated[str, typer.Option("--order-by", help="Columns, separated by commas; -spend sorts downwards.")] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most this many rows.")] = None,
    output: Annotated[Format, typer.Option("--format", help="table, csv or json.")] = Format.TABLE,
) -> None:
    """Ask for metrics over a window of dates, both ends inclusive.

    Money over several currencies is refused with exit code 2: add --by currency.

    Examples:
      ./run query --metrics spend,clicks,ctr --by platform,currency --since 2026-10-01 --until 2026-10-31
      ./run query --metrics cpa --by campaign --where platform=yandex_direct --since 2026-10-01 --until 2026-10-31 --format csv
    """
    from services.installation import Installation
    from warehouse.metrics.printing import to_json

    with Installation.open(home) as installation:
        question = Question(
            metrics=_names(metrics),
            by=_names(by),
            since=since.date(),
            until=until.date(),
            where=tuple(parse_filter(w) for w in where or []),
            as_of=parse_as_of(as_of),
            order_by=_names(order_by),
            limit=limit,
        )
        answer = to_json(installation.door.ask(_scope(installation, project), question))
    if output is Format.JSON:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    columns = list(answer["rows"][0]) if answer["rows"] else [*question.by, *question.metrics]
    _print_rows(answer["rows"], columns, output)
    for warning in answer["warnings"]:
        typer.echo(f"note: {warning['message']}", err=True)


def metrics(
    home: HomeOption = DEFAULT_HOME,
    lang: LanguageOption = Language.EN,
    output: Annotated[Format, typer.Option("--format", help="table, csv or json.")] = Format.TABLE,
) -> None:
    """List every metric: its name, formula, unit and good direction."""
    from warehouse.metrics.catalogue import Catalogue

    rows = [
        {"metric": m.name, "label": m.label[str(lang)], "formula": m.formula, "unit": m.unit, "good": m.good_direction}
        for m in Catalogue.load().metrics.values()
    ]
    if output is Format.JSON:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        _print_rows(rows, ["metric", "label", "formula", "unit", "good"], output)


def parse_filter(text: str) -> Filter:
    """Read `dimension=value`, `dimension=a|b` or `dimension~part`. Raises UsageError for anything else."""
    for sign, operator in (("=", Operator.EQUALS), ("~", Operator.CONTAINS)):
        dimension, found, value = text.partition(sign)
        if found and dimension.strip().isidentifier() and value:
            values = tuple(value.split("|")) if operator is Operator.EQUALS else (value,)
            return Filter(dimension=dimension.strip(), operator=Operator.IN if len(values) > 1 else operator, values=values)
    raise UsageError(f"The filter {text!r} cannot be read", fix="Write platform=meta_ads, campaign=1|2 or campaign~part")


def parse_as_of(text: str) -> datetime | None:
    """Read a date (its end, UTC) or an ISO instant; None for an empty text. Raises UsageError."""
    if not text:
        return None
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC) - timedelta(microseconds=1)
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--as-of {text!r} is neither a date nor an instant", fix="Write 2026-03-01 or 2026-03-01T12:00:00+03:00") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _scope(installation: "Installation", project: str) -> Scope:
    organization = installation.organization().id
    if not project:
        return Scope(organization_id=organization)
    for known in installation.projects():
        if project in (known.id, known.name):
            return Scope(organization_id=organization, project_ids=(known.id,))
    raise NotFound(f"There is no project {project!r}", fix=f"Known: {', '.join(p.name for p in installation.projects())}")


def _print_rows(rows: list[dict[str, Any]], columns: list[str], output: Format) -> None:
    if output is Format.CSV:
        writer = csv.DictWriter(sys.stdout, columns)
        writer.writeheader()
        writer.writerows(rows)
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        numeric = any(NUMBER.fullmatch(str(r.get(column))) for r in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(c)) for c in columns))
    Console(soft_wrap=True, highlight=False, markup=False).print(table)


def _cell(value: object) -> str:
    """Print a value for people: ratios with six significant digits, nothing as a dash."""
    if value is None:
        return "—"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
