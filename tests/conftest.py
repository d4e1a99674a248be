"""Fixtures that several rooms' tests share."""

import os
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from home.directory import Home

if TYPE_CHECKING:
    from store.database import Store
    from store.embedded import EmbeddedServer

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The recorded responses beside the checkout; tests that need them skip where they are absent."""
    path = SHARED / "fixtures"
    if not path.exists():
        pytest.skip("../shared/fixtures is absent")  # house: the recordings are never copied into the project
    return path


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """An empty home of the test's own."""
    home = Home.open(tmp_path / "home")
    yield home
    if (home.path / "home.json").exists():
        _remove_outside(home)


@pytest.fixture(scope="session")
def postgres_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose embedded PostgreSQL runs for the whole session."""
    from store import embedded

    home = Home.open(tmp_path_factory.mktemp("postgres") / "home")
    server, lease = embedded.attach(home)
    yield home
    lease.close()
    os.kill(server.pid, signal.SIGTERM)
    while embedded.supervised(home):
        time.sleep(0.02)
    _remove_outside(home)


def _remove_outside(home: Home) -> None:
    """Delete what a home keeps outside itself; its servers must have ended."""
    for path in home.settings.get("outside", "").split(os.pathsep):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_home: Home) -> "EmbeddedServer":
    """The session's server; its database `mrm` is migrated to head, and the template of every test's own."""
    from store import embedded
    from store.database import Store

    Store.open(postgres_home).close()
    server, lease = embedded.attach(postgres_home)
    lease.close()
    return server


@pytest.fixture
def database_url(postgres_template: "EmbeddedServer") -> Iterator[str]:
    """The URL of an empty, migrated database of the test's own."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_template.superuser_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template mrm owner mrm strategy file_copy")
        yield postgres_template.url.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def store(home: Home, database_url: str) -> Iterator["Store"]:
    """An empty store of the test's own, with the keys of the test's home."""
    from store.database import Store
    from store.settings import StoreSettings

    with Store.open(home, StoreSettings(database_url=database_url)) as opened:
        yield opened
