"""`./run store`: backup and restore of the PostgreSQL store."""

from pathlib import Path
from typing import Annotated

import typer

from home.directory import Home
from mrm.options import DEFAULT_HOME, HomeOption

app = typer.Typer(no_args_is_help=True, help="Look after the PostgreSQL store.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The archive to write.")], home: HomeOption = DEFAULT_HOME) -> None:
    """Write organizations, projects, integrations and artifacts into one archive. Keys are not in it: keep the home's keys apart.

    Example: ./run store backup /backups/store.dump
    """
    from store.backup import backup as write

    write(Home.open(home), file.resolve())
    typer.echo(f"{file}: {file.stat().st_size:,} bytes")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="An archive that backup wrote.", exists=True)], home: HomeOption = DEFAULT_HOME) -> None:
    """Restore an archive in one transaction.

    Example: ./run store restore /backups/store.dump --home restored
    """
    from store.backup import restore as read

    read(Home.open(home), file.resolve())
    typer.echo("restored")
