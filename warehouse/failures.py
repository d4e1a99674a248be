"""What ClickHouse's refusals mean to a person."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from domain.errors import SIGNS_OF_A_FULL_DISK, DiskFull, MrmError, Unreachable

_NOT_ENOUGH_SPACE = ("code: 243", *SIGNS_OF_A_FULL_DISK)

AWAY: tuple[type[Exception], ...] = (MrmError, ClickHouseError, OSError)
"""What a call to a server that is gone, full or refusing may raise."""


def reason(error: BaseException) -> str:
    """Say in one line why a connection failed: the system's own words where libraries have wrapped them."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    return str(error).splitlines()[0]


@contextmanager
def translated() -> Iterator[None]:
    """Turn a full disk into DiskFull and a lost connection into Unreachable; other errors of ClickHouse pass as they are."""
    try:
        yield
    except DatabaseError as error:
        if any(sign in str(error) for sign in _NOT_ENOUGH_SPACE):
            raise DiskFull(
                "ClickHouse has no disk space left", why=str(error), fix="Free some disk space and run it again; nothing was half written"
            ) from error
        if isinstance(error, OperationalError):
            raise Unreachable("ClickHouse does not answer", why=str(error), fix="Run ./run doctor; what was not committed is pulled again") from error
        raise
