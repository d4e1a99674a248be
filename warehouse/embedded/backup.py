"""Backup and restore of the embedded ClickHouse, by ClickHouse's own BACKUP and RESTORE while it serves."""

import os
import shutil
import uuid
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from domain.errors import Conflict, MrmError, UsageError
from warehouse.client import Warehouse

_OWN = ("system", "information_schema", "INFORMATION_SCHEMA")


def backup(warehouse: Warehouse, file: Path) -> None:
    """Write every database with its tables and rows into one new archive; the ending (.zip, .tar, .tar.gz, .tar.zst) chooses its kind.

    Raises Conflict where the file exists, UsageError for a warehouse that is not the home's own or for another ending.
    """
    place = _staging(warehouse, file)
    if file.exists():
        raise Conflict(f"{file} exists", fix="Name a file that does not exist yet")
    with warehouse.client() as client:
        try:
            client.command("BACKUP " + ", ".join(f"DATABASE `{name}`" for name in _databases(client)) + f" TO File('{place.name}')")
            _move(place, file)
        except DatabaseError as error:
            raise MrmError("The backup failed; nothing was written", why=str(error), fix="Free some disk space, or read the log of the server") from error
        finally:
            place.unlink(missing_ok=True)


def restore(warehouse: Warehouse, file: Path) -> None:
    """Restore an archive into a warehouse without tables of its own.

    Raises Conflict where a table exists, UsageError for a file that is no archive of ours.
    """
    place = _staging(warehouse, file)
    with warehouse.client() as client:
        tables = client.query(
            "SELECT database || '.' || name FROM system.tables WHERE database NOT IN {own:Array(String)} LIMIT 3", {"own": list(_OWN)}
        ).result_rows
        if tables:
            raise Conflict(
                f"The warehouse is not empty: {', '.join(row[0] for row in tables)}",
                fix="Restore into a new --home, or pass --reset before: nothing is overwritten",
            )
        shutil.copyfile(file, place)
        try:
            client.command(f"RESTORE ALL FROM File('{place.name}') SETTINGS allow_different_database_def = 1")
        except DatabaseError as error:
            raise UsageError(f"{file} could not be restored", why=str(error), fix="Pass an archive that `warehouse backup` wrote") from error
        finally:
            place.unlink(missing_ok=True)


def _staging(warehouse: Warehouse, file: Path) -> Path:
    """Name a file where the engine may write: it knows backups by name in its own directory alone."""
    if warehouse.backups is None:
        raise UsageError("Backup and restore are for the embedded ClickHouse", fix="Use the BACKUP statement of your own server")
    ending = next((end for end in (".zip", ".tar.gz", ".tar.zst", ".tar") if file.name.endswith(end)), "")
    if not ending:
        raise UsageError(f"{file.name} is no archive's name", fix="Let it end in .zip, .tar, .tar.gz or .tar.zst")
    warehouse.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    return warehouse.backups / f"{uuid.uuid4().hex}{ending}"


def _databases(client: Client) -> list[str]:
    rows = client.query("SELECT name FROM system.databases WHERE name NOT IN {own:Array(String)} ORDER BY name", {"own": list(_OWN)}).result_rows
    return [row[0] for row in rows]


def _move(source: Path, target: Path) -> None:
    """Put the finished archive in its place in one step, also across file systems."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.move(source, temporary)
        os.link(temporary, target)
    except FileExistsError as error:
        raise Conflict(f"{target} exists", fix="Name a file that does not exist yet") from error
    except OSError as error:
        raise MrmError(f"{target} cannot be written", why=str(error), fix="Choose a directory that can be written and has space") from error
    finally:
        temporary.unlink(missing_ok=True)
