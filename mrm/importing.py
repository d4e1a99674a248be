"""`./run import`: costs of a channel that has no connector, from a CSV file."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from home.directory import Home
from home.servers import locked
from mrm import screens
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, Language, LanguageOption, TodayOption, date_option
from mrm.sandboxing import move_clock
from mrm.wording import counted

if TYPE_CHECKING:
    from services.importing import Imported
    from services.installation import Installation


def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file with a row per day and campaign.")],
    platform: Annotated[str, typer.Option("--platform", help="What the channel is called in reports, e.g. vk_ads.")],
    integration: Annotated[str, typer.Option("--integration", help="The integration that owns its accounts; made where it is new.")],
    mapping: Annotated[Path | None, typer.Option("--mapping", help="Which columns are which: YAML, as in docs/connectors/import.md.")] = None,
    account: Annotated[str, typer.Option("--account", help="The account's id, where the file has no column for it.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217 currency, where the file has none.")] = "",
    timezone: Annotated[str, typer.Option("--timezone", help="IANA time zone of the dates, where the file has none.")] = "",
    vat: Annotated[str, typer.Option("--vat", help="yes or no: whether the cost includes VAT, where the file does not say.")] = "",
    since: Annotated[datetime | None, date_option("--since", "First date that the file covers; default: its first row's.")] = None,
    until: Annotated[datetime | None, date_option("--until", "Last date that the file covers; default: its last row's.")] = None,
    project: Annotated[str, typer.Option("--project", help="Assign its accounts to this project, made where it is new. Default: the integration.")] = "",
    home: HomeOption = DEFAULT_HOME,
    today: TodayOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = Language.EN,
) -> None:
    """Import a channel's daily costs, then build the marts where days changed.

    The days that the file covers are replaced whole, so a corrected file corrects them, and the same file again changes nothing.
    A value that cannot be used is named by row and column, and nothing of the file is kept.

    Example: ./run import vk.csv --platform vk_ads --integration "VK" --account shop --currency RUB --timezone Europe/Moscow --vat yes
    """
    from mrm.connecting import assign
    from mrm.jobs import run_job
    from services.installation import Installation

    given = {"account_id": account, "currency": currency, "timezone": timezone, "vat_included": vat}
    covered = (since.date() if since else None, until.date() if until else None)
    opened = Home.open(home)
    move_clock(opened, today)
    progress = screens.Progress(quiet=as_json, language=str(lang))
    with locked(opened, "demo"), Installation.open(opened.path, progress=progress.report) as installation, progress:
        done = _imported(installation, file, platform, integration, mapping, given, covered)
        assign(installation, project or integration, [(platform, part.account_id) for part in done])
        run_job(installation, integration_ids=[done[0].integration_id])
        build = installation.builds.last()
    if as_json:
        parts = [{**asdict(part), "window": str(part.window)} for part in done]
        typer.echo(json.dumps({"imported": parts, "data_version": build.build_id if build else 0}, ensure_ascii=False))
        return
    for part in done:
        typer.echo(described(platform, part))
    if ignored := done[0].ignored_columns:
        typer.echo(f"note: ignored columns: {', '.join(ignored)}. The mapping file says what a column is", err=True)


def described(platform: str, part: "Imported") -> str:
    """Say in one line what an import did to an account."""
    rows, changed = counted(part.rows, "row"), counted(part.dates_changed, "day")
    return f"{platform} {part.account_id}: {rows} of {part.window}, {changed} changed, {counted(part.dates_verified, 'day')} unchanged"


def _imported(
    installation: "Installation",
    file: Path,
    platform: str,
    integration: str,
    mapping: Path | None,
    given: Mapping[str, str],
    covered: tuple[date | None, date | None],
) -> "list[Imported]":
    """Commit the file's days; `covered` are its first and last date where the command names them."""
    from connectors.imports.mapping import read_mapping
    from services.importing import Importing, import_costs

    read = read_mapping(mapping)
    installation.ensure_organization()
    rooms = Importing(installation.store, installation.ledger, installation.landing, installation.clock)
    since, until = covered
    return import_costs(rooms, installation.actor, file, platform=platform, integration=integration, mapping=read, given=given, since=since, until=until)
