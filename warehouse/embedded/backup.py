"""Backup and restore of the embedded ClickHouse, by ClickHouse's own BACKUP and RESTORE while it serves."""

import os
import shutil
import uuid
import zipfile
from pathlib import Path

from clickhouse_connect.driver.binding import quote_identifier
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from domain.errors import Conflict, MrmError, UsageError
from warehouse.client import Warehouse

_OWN = ("system", "information_schema", "INFORMATION_SCHEMA")
_TABLES = "SELECT database || '.' || name FROM system.tables WHERE database NOT IN {own:Array(String)} LIMIT 3"


def backup(warehouse: Warehouse, file: Path) -> None:
    """Write every database with its tables and rows into one new archive; the ending (.zip, .tar, .tar.gz, .tar.zst) chooses its kind.

    The server goes on serving; each table is as it was at one moment of the backup. Raises Conflict where the file exists,
    UsageError for a warehouse that is not the home's own or for another ending.
    """
    place = _staging(warehouse, file)
    if file.exists():
        raise Conflict(f"{file} exists", fix="Name a file that does not exist yet")
    with warehouse.client() as client:
        try:
            client.command("BACKUP " + ", ".join(f"DATABASE {quote_identifier(name)}" for name in _databases(client)) + f" TO {_as_engine_names(place)}")
            if place.suffix == ".zip":
                _zip(place.with_suffix(""), place)
            _move(place, file)
        except DatabaseError as error:
            raise MrmError("The backup failed; nothing was written", why=str(error), fix="Free some disk space, or read the log of the server") from error
        finally:
            _remove(place)


def restore(warehouse: Warehouse, file: Path) -> None:
    """Restore an archive into a warehouse without tables of its own.

    Raises Conflict where a table exists, UsageError for a file that is no archive of ours.
    """
    place = _staging(warehouse, file)
    with warehouse.client() as client:
        tables = client.query(_TABLES, {"own": list(_OWN)}).result_rows
        if tables:
            names = ", ".join(row[0] for row in tables)
            raise Conflict(f"The warehouse is not empty: {names}", fix="Restore into a new --home, or pass --reset before: nothing is overwritten")
        try:
            if place.suffix == ".zip":
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(place.with_suffix(""))
            else:
                shutil.copyfile(file, place)
            client.command(f"RESTORE ALL FROM {_as_engine_names(place)} SETTINGS allow_different_database_def = 1")
        except (DatabaseError, zipfile.BadZipFile) as error:
            raise UsageError(f"{file} could not be restored", why=str(error), fix="Pass an archive that `warehouse backup` wrote") from error
        finally:
            _remove(place)


def _as_engine_names(place: Path) -> str:
    """Name the staging place in SQL; the engine has no zip, so a zip is a directory to it."""
    return f"File('{place.stem}/')" if place.suffix == ".zip" else f"File('{place.name}')"


def _zip(directory: Path, file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:  # the parts are compressed already
        for path in sorted(directory.rglob("*")):
            archive.write(path, path.relative_to(directory))


def _remove(place: Path) -> None:
    place.unlink(missing_ok=True)
    if place.suffix == ".zip":
        shutil.rmtree(place.with_suffix(""), ignore_errors=True)


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
