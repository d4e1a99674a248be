"""`./run query` and `./run metrics`: the door to numbers from the command line."""

import csv
import json
import re
import sys
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from domain import asking
from domain.asking import FILTERS
from domain.errors import UsageError
from domain.money import rounded
from domain.questions import Answer, Grain, Scope
from mrm.naming import project_named
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, Language, LanguageOption, SinceOption, UntilOption, existing

if TYPE_CHECKING:
    from services.installation import Installation


PIPED_WIDTH = 400
"""Characters of a line that goes to no terminal: nothing is folded."""
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"


def query(
    metrics: Annotated[str, typer.Option("--metrics", help="Names, separated by commas; ./run metrics lists them.")],
    since: SinceOption,
    until: UntilOption,
    home: HomeOption = DEFAULT_HOME,
    by: Annotated[str, typer.Option("--by", help="Dimensions, separated by commas: date, platform, currency, project, account, campaign, ad_group, ad …")] = "",
    where: Annotated[list[str] | None, typer.Option("--where", help=f"A filter (repeatable): {FILTERS}; | separates several values.")] = None,
    grain: Annotated[Grain | None, typer.Option("--grain", help="By periods: adds the dimension date; weeks start on Monday.")] = None,
    compare: Annotated[
        str, typer.Option("--compare", help="previous (as many days before), year (the same dates), year_weekday (364 days), or 2026-01-01..2026-01-31.")
    ] = "",
    top: Annotated[int | None, typer.Option("--top", min=1, help="Keep so many rows by the first metric or --order-by; the rest is one row, other.")] = None,
    totals: Annotated[bool, typer.Option("--totals", help="Add a row over all rows; ratios are ratios of sums.")] = False,
    currency: Annotated[str, typer.Option("--currency", help="Convert money by the rate of each row's date: EUR, RUB … or base (./run currency).")] = "",
    project: Annotated[str, typer.Option("--project", help="Only this project: its id or name.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="Answer as the numbers were known at the end of this date, or at this instant (ISO 8601).")] = "",
    order_by: Annotated[str, typer.Option("--order-by", help="Columns, separated by commas; -spend sorts downwards.")] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most this many rows.")] = None,
    output: Annotated[Format, typer.Option("--format", help="table, csv, json or arrow (an Arrow IPC stream on stdout).")] = Format.TABLE,
) -> None:
    """Ask for metrics over a window of dates, both ends inclusive.

    Money over several currencies is refused with exit code 2: add --by currency, or convert with --currency.

    Examples:
      ./run query --metrics spend,clicks,ctr --by platform,currency --since 2026-10-01 --until 2026-10-31
      ./run query --metrics spend,roas --by campaign --top 5 --totals --currency EUR --since 2026-10-01 --until 2026-10-31
      ./run query --metrics spend,cpa --grain month --compare year --where platform=yandex_direct --since 2026-01-01 --until 2026-10-31 --format csv
    """
    from services.installation import Installation

    with Installation.open(existing(home).path) as installation:
        question = asking.question(
            metrics=metrics,
            by=by,
            since=since.date(),
            until=until.date(),
            where=where or (),
            known_at=as_of,
            order_by=order_by,
            limit=limit,
            periods=grain,
            compare=compare,
            top=top,
            totals=totals,
            currency=currency,
            split="|",
        )
        answer = installation.door.ask(_scope(installation, project), question)
    _print_answer(answer, output)


def metrics(
    home: HomeOption = DEFAULT_HOME,
    lang: LanguageOption = Language.EN,
    output: Annotated[Format, typer.Option("--format", help="table, csv or json.")] = Format.TABLE,
    as_json: JsonOption = False,
) -> None:
    """List every metric: its name, formula, unit and good direction; as JSON with descriptions, synonyms and dimensions."""
    from warehouse.metrics.catalogue import Catalogue
    from warehouse.metrics.documenting import entries

    catalogue = Catalogue.load()
    if as_json or output is Format.JSON:
        typer.echo(json.dumps(entries(catalogue), ensure_ascii=False))
        return
    rows = [
        {"metric": m.name, "label": m.label[str(lang)], "formula": m.formula, "unit": m.unit, "additivity": m.additivity, "good": m.good_direction}
        for m in catalogue.metrics.values()
    ]
    _print_rows(rows, list(rows[0]), output)


def currency(
    code: Annotated[str, typer.Argument(help="ISO 4217, such as EUR; without it the present one is printed.")] = "",
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Set the organization's base currency, which --currency base converts into.

    Example: ./run currency EUR
    """
    from services.installation import Installation

    with Installation.open(existing(home).path) as installation:
        typer.echo(installation.set_base_currency(code) if code else installation.base_currency or "none is set")


def _scope(installation: "Installation", project: str) -> Scope:
    organization, base = installation.organization().id, installation.base_currency
    if not project:
        return Scope(organization_id=organization, base_currency=base)
    return Scope(organization_id=organization, project_ids=(project_named(installation, project).id,), base_currency=base)


def _print_answer(answer: Answer, output: Format) -> None:
    """Print an answer's rows on stdout and, where the form has no place for them, its warnings on stderr."""
    from warehouse.metrics.printing import arrow_stream, to_json

    if output is Format.ARROW:
        sys.stdout.buffer.write(arrow_stream(answer))
    elif output is Format.JSON:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
        return
    else:
        rows = to_json(answer)["rows"]
        _print_rows(_for_people(answer, rows) if output is Format.TABLE else rows, [column.name for column in answer.columns], output)
    for warning in answer.warnings:
        typer.echo(f"note: {warning.message}", err=True)


def _for_people(answer: Answer, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print money with its currency's own number of decimals, where the answer or the row says which currency it is."""
    money = [column.name for column in answer.columns if column.unit == "money"]
    shown = []
    for row, exact in zip(rows, answer.rows, strict=True):
        code = answer.currency or str(exact.get("currency") or "")
        amounts = {name: rounded(value, code) for name in money if code and isinstance(value := exact.get(name), Decimal)}
        shown.append({**row, **amounts})
    return shown


def _print_rows(rows: list[dict[str, Any]], columns: list[str], output: Format) -> None:
    if output is Format.ARROW:
        raise UsageError("A list has no Arrow form", fix="Choose table, csv or json")
    if output is Format.CSV:
        writer = csv.DictWriter(sys.stdout, columns)
        writer.writeheader()
        writer.writerows(rows)
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        numeric = any(NUMBER.fullmatch(str(r.get(column))) for r in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in rows:
        table.add_row(*(_cell(row.get(c)) for c in columns))
    Console(soft_wrap=True, highlight=False, markup=False, width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def _cell(value: object) -> str:
    """Print a value for people: ratios with six significant digits, nothing as a dash."""
    if value is None:
        return "—"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
