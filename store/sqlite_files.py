"""SQLite files that libraries of ours keep (Dagster's history), made quick for a block: no fsync and no checkpoint per row."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def sqlite_kept_open() -> Iterator[None]:
    """Keep every SQLite file that SQLAlchemy opens open until the block ends, and sync it at checkpoints alone.

    A library that opens a connection for every statement else pays a checkpoint at each close. What it committed survives
    kill -9 as before; a power cut may take the last rows, never the file.
    """
    kept: dict[str, sqlite3.Connection] = {}

    def opened(connection: object, _: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("PRAGMA synchronous = NORMAL")
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        if path and path not in kept:
            kept[path] = sqlite3.connect(path, check_same_thread=False)
        if path:  # reading attaches the keeper to the file's write-ahead log, whenever that is made
            kept[path].execute("PRAGMA schema_version").fetchone()

    event.listen(Engine, "connect", opened)
    try:
        yield
    finally:
        event.remove(Engine, "connect", opened)
        for connection in kept.values():
            connection.close()


@contextmanager
def engines_kept(module: ModuleType) -> Iterator[None]:
    """Let a module that calls `create_engine` for every statement have one engine per address until the block ends.

    An engine learns its server and compiles each statement once; a new one does so again.
    """
    create_engine = vars(module)["create_engine"]
    kept: dict[tuple[str, str], Engine] = {}

    def create(url: str, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own options
        key = url, repr(sorted(options.items()))
        if key not in kept:
            kept[key] = create_engine(url, **options)
        return kept[key]

    vars(module)["create_engine"] = create
    try:
        yield
    finally:
        vars(module)["create_engine"] = create_engine
        for engine in kept.values():
            engine.dispose()
