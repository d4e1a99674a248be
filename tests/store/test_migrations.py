"""Migrations: from empty to the metadata and back, once under many, on the oldest server too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from domain.errors import ConfigurationError
from home.directory import Home
from store import migrating
from store.database import Store
from store.embedded.binaries import copied, wheel
from store.embedded.cluster import Cluster, Passwords
from store.embedded.place import Place, place_of
from store.settings import StoreSettings
from store.tables import metadata


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def objects(connection: Connection) -> int:
    query = "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relname not like 'alembic%'"
    return int(connection.execute(text(query)).scalar_one())


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True}), metadata))


def test_from_empty_they_give_the_metadata_and_back_they_leave_nothing(connection: Connection) -> None:
    assert differences(connection) == []
    before = objects(connection)
    migrating.downgrade(connection, "base")
    assert objects(connection) == 0
    migrating.migrate(connection)
    assert objects(connection) == before
    assert differences(connection) == []


def test_each_step_goes_down_and_up(connection: Connection) -> None:
    script = ScriptDirectory.from_config(migrating.config(connection))
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert script.get_current_head() == migrating.HEAD
    for revision, below in zip(revisions, [*revisions[1:], "base"], strict=True):
        migrating.downgrade(connection, below)
        migrating.migrate(connection, revision)
        migrating.downgrade(connection, below)
    migrating.migrate(connection)
    assert differences(connection) == []


def test_many_processes_that_open_an_empty_database_migrate_it_once(home: Home, connection: Connection, database_url: str) -> None:
    migrating.downgrade(connection, "base")
    connection.execute(text("drop table alembic_version"))
    connection.commit()

    def open_store(_: int) -> None:
        with Store.open(home, StoreSettings(database_url=database_url)) as store:
            store.ready()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_store, range(8)))
    assert connection.execute(text("select version_num from alembic_version")).scalars().all() == [migrating.HEAD]


def test_a_database_of_a_newer_release_is_left_alone(home: Home, connection: Connection, database_url: str) -> None:
    connection.execute(text("update alembic_version set version_num = '9999'"))
    connection.commit()
    with pytest.raises(ConfigurationError, match="newer release"):
        Store.open(home, StoreSettings(database_url=database_url))


def test_they_work_on_postgresql_16_too(home: Home) -> None:
    place = place_of(home, Path("/var/lib/mrm"))
    binaries = copied(place.data.with_name("binaries16"), "pginstall") if place.uid is not None else wheel("pginstall")
    cluster = Sixteen(Place(place.data, binaries, place.uid, place.gid), Passwords("first", "second"), home.directory("logs") / "sixteen.log")
    cluster.initialise()
    cluster.start()
    try:
        with psycopg.connect(cluster.url()) as connection:
            assert connection.info.server_version // 10000 == 16
        with Store.open(home, StoreSettings(database_url=cluster.url())) as store, store.system() as transaction:
            assert transaction.execute(text("select count(*) from projects")).scalar_one() == 0
        engine = create_engine(cluster.url().replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            assert differences(connection) == []
            migrating.downgrade(connection, "base")
            assert objects(connection) == 0
        engine.dispose()
    finally:
        cluster.stop()


class Sixteen(Cluster):
    """PostgreSQL 16, which knows no built-in locale provider."""

    locale = ("--locale=C",)
