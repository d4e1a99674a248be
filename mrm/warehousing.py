"""`./run warehouse`: backup and restore of the embedded ClickHouse; forgetting, retention, grants."""

from pathlib import Path
from typing import Annotated

import typer

from home.directory import Home
from mrm.options import DEFAULT_HOME, HomeOption, existing

app = typer.Typer(no_args_is_help=True, help="Look after the embedded ClickHouse.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The archive to write, e.g. warehouse.zip; it must not exist.")], home: HomeOption = DEFAULT_HOME) -> None:
    """Write every database into one archive, while the server goes on serving.

    Example: ./run warehouse backup /backups/mrm.zip
    """
    from warehouse.client import Warehouse
    from warehouse.embedded.backup import backup as write

    with Warehouse.open(existing(home)) as warehouse:
        write(warehouse, file.resolve())
    typer.echo(f"{file}: {file.stat().st_size:,} bytes")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="An archive that backup wrote.", exists=True)], home: HomeOption = DEFAULT_HOME) -> None:
    """Restore an archive into an empty home; tables that exist are never overwritten.

    Example: ./run warehouse restore /backups/mrm.zip --home restored
    """
    from warehouse.client import Warehouse
    from warehouse.embedded.backup import restore as read

    with Warehouse.open(Home.open(home)) as warehouse:
        read(warehouse, file.resolve())
    typer.echo("restored")


@app.command()
def forget(
    integration: Annotated[str, typer.Option("--integration", help="An integration's id: everything that it pulled, and its credentials.")] = "",
    organization: Annotated[str, typer.Option("--organization", help="An organization's id: everything of it, and people of no other.")] = "",
    client_id: Annotated[str, typer.Option("--client-id", help="A visitor's id in analytics: their visits, in every organization.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would go, and delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Delete everything of an integration, an organization or a visitor: raw rows, ledger, landing files, marts, store.

    A tombstone with the number of rows stays. Backups made earlier are not touched.

    Example: ./run warehouse forget --integration 5b1e… --dry-run
    """
    from domain.errors import UsageError
    from services.forgetting import find
    from services.forgetting import forget as forget_subject
    from services.installation import Installation

    if bool(integration) + bool(client_id) + bool(organization and not integration) != 1:
        raise UsageError("Exactly one of --integration, --organization and --client-id says whom to forget", fix="Give one of them")
    if not (dry_run or yes):
        typer.confirm(f"Delete everything of {integration or client_id or organization}, for good?", abort=True)
    with Installation.open(existing(home).path) as opened:
        for what in find(opened.store, organization_id=organization, integration_id=integration, client_id=client_id):
            gone = forget_subject(opened.store, opened.warehouse, opened.landing, what, by=_me(), dry_run=dry_run)
            verb = "would go" if dry_run else "gone"
            for table, rows in gone.rows.items():
                typer.echo(f"{table}: {rows:,} rows {verb}")
            typer.echo(f"landing: {gone.files:,} files {verb}; store: {gone.store_rows:,} rows {verb}")


@app.command()
def prune(
    keep_days: Annotated[int, typer.Option("--keep-days", min=1, help="As of any instant of so many last days stays answerable.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go, and delete nothing.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Delete the raw rows of loads that were superseded more than so many days ago, by the home's clock.

    Example: ./run warehouse prune --keep-days 400
    """
    from datetime import timedelta

    from services.installation import Installation
    from warehouse.pruning import prune as prune_loads

    with Installation.open(existing(home).path) as opened, opened.warehouse.client() as client:
        gone = prune_loads(client, opened.clock.now() - timedelta(days=keep_days), by=_me(), dry_run=dry_run)
        typer.echo(f"{gone.rows:,} rows of {gone.slices:,} superseded slices {'would go' if dry_run else 'gone'}")


@app.command()
def grants(
    organization: Annotated[str, typer.Argument(help="The organization's id.")],
    cluster: Annotated[str, typer.Option("--cluster", help="ON CLUSTER this one.")] = "",
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Print the SQL of an organization's read-only user for a ClickHouse server: profile, user, grants, row policies.

    The embedded engine has no users: run it on your server with clickhouse-client, then set a password for the user.

    Example: ./run warehouse grants 5b1e… > grants.sql
    """
    from services.installation import Installation
    from warehouse.grants import grants as statements
    from warehouse.raw import mart_columns

    with Installation.open(existing(home).path) as opened, opened.warehouse.client(readonly=True) as client:
        typer.echo(";\n".join(statements(organization, mart_columns(client), cluster)) + ";")


@app.command("cluster-ddl")
def cluster_ddl(cluster: Annotated[str, typer.Argument(help="The cluster's name in the server's configuration.")]) -> None:
    """Print the SQL of the ledger's and raw tables for a cluster: replicated local tables, distributed ones over them.

    Example: ./run warehouse cluster-ddl mrm > cluster.sql
    """
    from services.installation import ALL_REPORTS
    from warehouse.clustering import clustered
    from warehouse.raw import ledger_statements, report_statement

    statements = [*ledger_statements(), *(report_statement(report) for report in ALL_REPORTS)]
    typer.echo(";\n".join(one for statement in statements for one in clustered(statement, cluster)) + ";")


def _me() -> str:
    """Name who asks: the machine's user."""
    import getpass

    return getpass.getuser()
