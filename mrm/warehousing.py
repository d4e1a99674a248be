"""`./run warehouse`: backup and restore of the embedded ClickHouse."""

from pathlib import Path
from typing import Annotated

import typer

from home.directory import Home
from mrm.options import DEFAULT_HOME, HomeOption

app = typer.Typer(no_args_is_help=True, help="Look after the embedded ClickHouse.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The archive to write, e.g. warehouse.zip; it must not exist.")], home: HomeOption = DEFAULT_HOME) -> None:
    """Write every database into one archive, while the server goes on serving.

    Example: ./run warehouse backup /backups/mrm.zip
    """
    from warehouse.client import Warehouse
    from warehouse.embedded.backup import backup as write

    with Warehouse.open(Home.open(home)) as warehouse:
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
