"""The operational store: a migrated PostgreSQL, and transactions that see one organization or, for the system's own work, all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from domain.errors import ConfigurationError, DiskFull, MrmError, Unreachable, UsageError
from home.directory import Home
from home.servers import Lease
from store import embedded
from store.encryption import KeyRing, Vault
from store.migrating import migrate
from store.settings import StoreSettings

APP_ROLE, SYSTEM_ROLE = "mrm_app", "mrm_system"
"""Roles that cannot log in and bypass no row-level security: a transaction takes one of them until its end."""
_TRIES = 3
_BEGIN = text("select set_config('role', :role, true), set_config('app.org', :organization_id, true)")

Transaction = Connection
"""What repositories take: an open transaction with its scope set."""


class Store:
    """One PostgreSQL: thread-safe, a context manager, its embedded server leased until `close`."""

    def __init__(self, connect: "Callable[[], psycopg.Connection[Any]] | _Embedded", vault: Vault, settings: StoreSettings) -> None:
        self.vault = vault
        self._embedded = connect if isinstance(connect, _Embedded) else None
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=connect.connect if isinstance(connect, _Embedded) else connect,
            pool_size=settings.pool_size,
            max_overflow=settings.pool_size,
            hide_parameters=True,
        )

    @classmethod
    def open(cls, home: Home, settings: StoreSettings | None = None) -> "Store":
        """Attach to the home's server (started when none runs) or to MRM_DATABASE_URL, migrated to head.

        Raises Unreachable, DirectoryTaken, DiskFull or ConfigurationError.
        """
        settings = settings or StoreSettings()
        vault = Vault(KeyRing.open(home, settings))
        if settings.database_url is not None:
            url = database_url(settings.database_url.get_secret_value())
            store = cls(lambda: _connect(url, settings), vault, settings)
        else:
            store = cls(_Embedded(home, settings), vault, settings)
        try:
            with store._engine.connect() as connection:
                migrate(connection)
        except ProgrammingError as error:
            store.close()
            raise _not_migrated(error) from error
        except BaseException as error:
            store.close()
            raise _translated(error) from error
        return store

    @contextmanager
    def transaction(self, organization_id: str) -> Iterator[Transaction]:
        """Open a transaction that sees and writes one organization's rows only; it commits at the end of the block."""
        with self._begin(APP_ROLE, organization_id) as connection:
            yield connection

    @contextmanager
    def system(self) -> Iterator[Transaction]:
        """Open a transaction over all organizations, for logins, the sync queue and the command line; never for a request's data."""
        with self._begin(SYSTEM_ROLE, "") as connection:
            yield connection

    def ready(self) -> None:
        """Return when a connection answers; raises Unreachable otherwise."""
        with self.system() as transaction:
            transaction.execute(text("select 1"))

    def keep(self) -> None:
        """Start the embedded server again when it was killed together with its supervisor; a no-op while it lives, and with a URL."""
        if self._embedded is not None:
            self._embedded.keep()

    def close(self) -> None:
        """Close the connections and give the embedded server's lease up; twice is harmless."""
        self._engine.dispose()
        if self._embedded is not None:
            self._embedded.lease.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _begin(self, role: str, organization_id: str) -> Iterator[Transaction]:
        try:
            with self._scoped(role, organization_id) as connection:
                yield connection
                connection.commit()
        except DBAPIError as error:
            raise _translated(error) from error

    def _scoped(self, role: str, organization_id: str) -> Connection:
        """Return a connection with its scope set; one that died in the pool is found out here, before any work, and replaced."""
        for _ in range(_TRIES):
            connection = self._engine.connect()
            try:
                connection.execute(_BEGIN, {"role": role, "organization_id": organization_id})
            except DBAPIError as error:
                connection.close()
                if not error.connection_invalidated:
                    raise
                broken = error
            else:
                return connection
        raise broken


class _Embedded:
    """The home's own server, found again when it moved or was killed."""

    def __init__(self, home: Home, settings: StoreSettings) -> None:
        self._home = home
        self._settings = settings
        self.lease: Lease
        self._server, self.lease = embedded.attach(home, settings)

    def keep(self) -> None:
        """Attach anew where the server's supervisor is gone; one that lives starts a killed server again by itself."""
        if not embedded.supervised(self._home):
            self._attach()

    def _attach(self) -> None:
        """Find the server again, or start it, and wait until it answers. The lease that we hold keeps a new one too."""
        self._server, lease = embedded.attach(self._home, self._settings)
        lease.close()

    def connect(self) -> psycopg.Connection[Any]:
        """Connect; a server that was killed comes back within half a minute, started anew when its supervisor died too."""
        try:
            return _connect(self._server.url, self._settings)
        except psycopg.OperationalError:
            self._attach()
            return _connect(self._server.url, self._settings)


def database_url(given: str) -> str:
    """Return MRM_DATABASE_URL as libpq takes it; raises ConfigurationError, without its password, for anything else."""
    scheme, _, rest = given.partition("://")
    url = f"postgresql://{rest}"
    try:
        if scheme.partition("+")[0] not in {"postgresql", "postgres"}:
            raise psycopg.ProgrammingError(f"its scheme is {scheme!r}")
        conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        why = str(error).strip().replace(rest, "…")
        raise ConfigurationError("MRM_DATABASE_URL is no address of a PostgreSQL", why=why, fix="Write postgresql://user:password@host:5432/database") from None
    return url


def _connect(url: str, settings: StoreSettings) -> psycopg.Connection[Any]:
    seconds = settings.statement_timeout_seconds
    options = f"-c statement_timeout={seconds}s -c idle_in_transaction_session_timeout={seconds}s -c timezone=UTC"
    return psycopg.connect(url, connect_timeout=5, options=options, application_name="mrm")


def _not_migrated(error: ProgrammingError) -> MrmError:
    """Say what the database's user lacks to make our tables and roles."""
    why = str(error.orig).splitlines()[0]
    fix = f"Let a superuser run: CREATE ROLE {APP_ROLE}; CREATE ROLE {SYSTEM_ROLE}; GRANT {APP_ROLE}, {SYSTEM_ROLE} TO <user> WITH ADMIN OPTION, INHERIT FALSE"
    return ConfigurationError("The database could not be migrated", why=why, fix=f"{fix}; the user must own the database")


def _translated(error: BaseException) -> BaseException:
    """Turn a driver's error into one that a person can act on; others stay as they are."""
    if isinstance(error, MrmError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.errors.DiskFull):
        return DiskFull("PostgreSQL cannot write", why=str(cause).splitlines()[0], fix="Free space on its disk, then try again: nothing written is lost")
    if isinstance(cause, psycopg.DataError | psycopg.errors.CheckViolation | psycopg.errors.NotNullViolation):
        return UsageError("A value cannot be stored", why=str(cause).splitlines()[0], fix="Shorten or correct it")
    if isinstance(cause, psycopg.OperationalError) and (cause.sqlstate is None or cause.sqlstate[:2] in {"08", "57", "28", "3D"}):
        lines = str(cause).strip().splitlines() or ["the connection broke"]
        return Unreachable("PostgreSQL does not answer", why=lines[0], fix="Check MRM_DATABASE_URL, or ./run doctor for the embedded server")
    return error
