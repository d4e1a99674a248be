"""Bring a database to the newest schema, once, whoever comes first. Alembic is imported only when there is something to do: it is slow."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from domain.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""The newest revision; a database that stands there is not looked at further."""
OLDEST_SERVER = 160000
_LOCK = 7_306_113_001


def migrate(connection: Connection, revision: str = "head") -> None:
    """Upgrade to a revision in one transaction under an advisory lock; commits.

    Raises ConfigurationError for a server older than PostgreSQL 16, and for a database of a newer release of ours.
    """
    if _version(connection) == HEAD and revision == "head":
        connection.rollback()
        return
    if connection.execute(text("select current_setting('server_version_num')::int")).scalar_one() < OLDEST_SERVER:
        raise ConfigurationError("The database server is too old", why="PostgreSQL 16 or newer is needed", fix="Upgrade it, or unset MRM_DATABASE_URL")
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    known = {path.name.split("_")[0] for path in (Path(__file__).parent / "migrations" / "versions").glob("*.py")}
    current = _version(connection)
    if current is not None and current not in known:
        raise ConfigurationError("The database is of a newer release", why=f"Its schema is at {current}, ours ends at {HEAD}", fix="Upgrade this installation")
    from alembic import command

    command.upgrade(config(connection), revision)
    connection.commit()


def downgrade(connection: Connection, revision: str) -> None:
    """Take a database back to a revision (`base`: empty) under the same lock; commits."""
    from alembic import command

    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    command.downgrade(config(connection), revision)
    connection.commit()


def config(connection: Connection) -> "Config":
    """Return Alembic's configuration for our migrations on an open connection."""
    from alembic.config import Config

    alembic = Config()
    alembic.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    alembic.attributes["connection"] = connection
    return alembic


def _version(connection: Connection) -> str | None:
    if connection.execute(text("select to_regclass('alembic_version')")).scalar_one() is None:
        return None
    version: str | None = connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()
    return version
