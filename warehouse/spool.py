"""A load's rows on disk until the commit knows which dates changed: one compressed Arrow stream in the home's spool.

The file stays locked by its owner (flock), so a sweep can tell a living load's file from one whose owner died.
"""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from domain.errors import DiskFull

SUFFIX = ".arrow"


class Spool:
    """Rows written in order and read back once or more. Made on the first write; `close` deletes it."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._schema = path, schema
        self._file = path.open("xb")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        with disk_full(path):
            self._writer = pa.ipc.new_stream(self._file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))

    def write(self, rows: pa.Table) -> None:
        """Append rows of the spool's schema. Raises DiskFull."""
        with disk_full(self._path):
            self._writer.write_table(rows)

    def read(self) -> Iterator[pa.Table]:
        """Yield everything written so far, in pieces. Nothing can be written afterwards. Raises DiskFull."""
        with disk_full(self._path):
            self._writer.close()
            self._file.flush()
        with pa.OSFile(str(self._path)) as source, pa.ipc.open_stream(source) as stream:
            for batch in stream:
                yield pa.Table.from_batches([batch])

    def close(self) -> None:
        """Delete the file; twice is harmless."""
        self._path.unlink(missing_ok=True)
        try:
            self._file.close()
        except OSError:
            return  # a full disk refuses the last buffered bytes of a file that is gone anyway


def sweep_spool(directory: Path) -> int:
    """Delete the spool files whose owner is gone; return how many."""
    swept = 0
    for path in directory.glob(f"*{SUFFIX}"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
                swept += 1
        except (BlockingIOError, FileNotFoundError):
            continue
    return swept


@contextmanager
def disk_full(path: Path) -> Iterator[None]:
    """Turn the system's ENOSPC and EDQUOT into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"No space is left for {path.parent}", why=str(error), fix="Free some disk space and sync again; nothing was half written"
            ) from error
        raise
