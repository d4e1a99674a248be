"""Backup and restore of the operational store, with the wheel's own pg_dump, pg_restore and psql.

The keys that open sealed credentials (home/keys/store.json or MRM_STORE_KEY) are not in a backup: keep them elsewhere.
"""

import os
import subprocess
import tempfile
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.errors import ConfigurationError, DiskFull, MrmError, Unreachable, UsageError
from home.directory import Home
from store import embedded
from store.database import SYSTEM_ROLE, Store, database_url
from store.embedded.binaries import wheel
from store.settings import StoreSettings
from store.tables import metadata

_LOCK_TIMEOUT = "-c lock_timeout=30s"


def backup(home: Home, target: Path, settings: StoreSettings | None = None) -> Path:
    """Write all rows into one file (mode 0600) that replaces `target` in one step, while others go on working.

    Raises UsageError where the target's directory is absent, DiskFull, Unreachable or ConfigurationError.
    """
    if not target.parent.is_dir():
        raise UsageError(f"There is no directory {target.parent}", fix="Make it, or give another file")
    settings = settings or StoreSettings()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with Store.open(home, settings):
            options = ["--format=custom", "--no-owner", f"--role={SYSTEM_ROLE}", "--enable-row-security", f"--file={unfinished}"]
            os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            _run("pg_dump", options, _url(home, settings))
        unfinished.replace(target)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written", why=str(error), fix="Give another file") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def restore(home: Home, source: Path, settings: StoreSettings | None = None) -> None:
    """Replace all rows by those of a backup, in one transaction, then migrate them to this release.

    Raises UsageError for a file that is no backup, and leaves everything as it was; likewise on every other error.
    """
    if not source.is_file():
        raise UsageError(f"There is no file {source}", fix="Give a file that a backup wrote")
    settings = settings or StoreSettings()
    with tempfile.TemporaryDirectory(dir=home.directory("spool")) as directory, Store.open(home, settings):
        clearing, script = Path(directory, "clear.sql"), Path(directory, "rows.sql")
        try:
            _run("pg_restore", ["--no-owner", f"--file={script}", str(source)])
        except ConfigurationError as error:
            raise UsageError(f"{source} is no backup of ours", why=error.why, fix="Give a file that a backup wrote") from error
        clearing.write_text("".join(f'drop table if exists "{table}" cascade;\n' for table in ["alembic_version", *metadata.tables]))
        options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
        _run("psql", [*options, f"--file={clearing}", f"--file={script}"], _url(home, settings))
    Store.open(home, settings).close()


def _url(home: Home, settings: StoreSettings) -> str:
    """Return the database's address; the caller holds the store open."""
    if settings.database_url is not None:
        return database_url(settings.database_url.get_secret_value())
    server, lease = embedded.attach(home, settings)
    lease.close()
    return server.url


def _run(program: str, options: list[str], url: str | None = None) -> None:
    """Run one of the wheel's programs; the password goes by the environment, never by the process list."""
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGOPTIONS": _LOCK_TIMEOUT}
    if url is not None:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
        environment["PGPASSWORD"] = parts.pop("password", "")
        options = [*options, f"--dbname={make_conninfo('', **parts)}"]
    done = subprocess.run([str(wheel().program(program)), *options], capture_output=True, check=False, env=environment)  # noqa: S603
    if done.returncode != 0:
        raise _explained(program, done.stderr.decode(errors="replace").strip())


def _explained(program: str, printed: str) -> MrmError:
    why = printed.splitlines()[0] if printed else "it printed nothing"
    if "No space left on device" in printed:
        return DiskFull(f"{program} could not write", why=why, fix="Free space, then run the same again: the store is as it was")
    if "connection to server" in printed:
        return Unreachable("PostgreSQL does not answer", why=why, fix="Check MRM_DATABASE_URL, or run ./run doctor")
    return ConfigurationError(f"{program} failed", why=why, fix="The store is as it was; run ./run doctor")
