"""Files that libraries keep by SQLite are quick for a block and whole after it."""

import sqlite3
from types import ModuleType

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from store.sqlite_files import engines_kept, sqlite_kept_open


def test_rows_stand_in_the_log_until_the_block_ends_and_in_the_file_after_it(tmp_path):
    path = tmp_path / "history.db"
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with sqlite_kept_open():
        for statement in ("PRAGMA journal_mode = WAL", "CREATE TABLE runs (id)", "INSERT INTO runs VALUES (1)", "INSERT INTO runs VALUES (2)"):
            with engine.begin() as connection:
                connection.execute(text(statement))
        assert path.with_name("history.db-wal").stat().st_size > 0  # closing a connection checkpointed nothing
        with engine.connect() as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 1
    assert not path.with_name("history.db-wal").exists()
    assert sqlite3.connect(path).execute("SELECT sum(id) FROM runs").fetchone() == (3,)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_module_that_makes_an_engine_for_every_statement_makes_one_per_address_in_the_block(tmp_path):
    library = ModuleType("library")
    library.create_engine = create_engine
    first, second = (f"sqlite:///{tmp_path / name}" for name in ("a.db", "b.db"))
    with engines_kept(library):
        made = [library.create_engine(address, poolclass=NullPool) for address in (first, second, first)]
    assert made[0] is made[2]
    assert made[0] is not made[1]
    assert library.create_engine is create_engine
