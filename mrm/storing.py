"""`./run store`: backup and restore of the PostgreSQL store."""

from pathlib import Path
from typing import Annotated

import typer

from home.directory import Home
from mrm.options import DEFAULT_HOME, HomeOption, existing

app = typer.Typer(no_args_is_help=True, help="Look after the PostgreSQL store.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The archive to write.")], home: HomeOption = DEFAULT_HOME) -> None:
    """Write organizations, projects, integrations and artifacts into one archive. Keys are not in it: keep the home's keys apart.

    Example: ./run store backup /backups/store.dump
    """
    from store.backup import backup as write

    write(existing(home), file.resolve())
    typer.echo(f"{file}: {file.stat().st_size:,} bytes")


@app.command("rotate-keys")
def rotate_keys(
    keep_keys: Annotated[
        bool, typer.Option("--keep-keys", help="Only wrap everything by the newest key; make none, forget none (keys of MRM_STORE_KEY).")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Seal every credential by a new key and forget the old ones. Processes that run take the new key by themselves.

    Restoring an older backup of the store needs the keys of its day: keep home/keys beside your backups.

    Example: ./run store rotate-keys
    """
    from services.installation import Installation
    from services.integrations import rewrap_credentials

    with Installation.open(existing(home).path) as installation:
        ring = installation.store.vault.ring
        if not keep_keys:
            ring.turn_over()
        sealed = rewrap_credentials(installation.store)
        gone = 0 if keep_keys else ring.forget_old()
    typer.echo(f"credentials sealed by the key {ring.newest}: {sealed}; old keys forgotten: {gone}")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="An archive that backup wrote.", exists=True)], home: HomeOption = DEFAULT_HOME) -> None:
    """Restore an archive in one transaction.

    Example: ./run store restore /backups/store.dump --home restored
    """
    from store.backup import restore as read

    read(Home.open(home), file.resolve())
    typer.echo("restored")
