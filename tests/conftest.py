"""Fixtures that several rooms' tests share."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from home.directory import Home

if TYPE_CHECKING:
    from store.database import Store
    from store.embedded import EmbeddedServer

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
TOGETHER = ("tests/warehouse/metrics", "tests/platform_api", "tests/dashboards", "tests/journeys")
"""Directories whose files share what takes long to make: one worker takes them all. Other files go to the workers one by one."""
SLOW = (
    *("tests/journeys", "tests/dbt/test_marts.py", "tests/warehouse/metrics", "tests/services/syncing/test_property.py", "tests/dashboards"),
    *("tests/services/syncing/test_syncing.py", "tests/dbt", "tests/platform_api", "tests/warehouse/ledger", "tests/services/syncing"),
)
"""What takes longest, first, so that the workers end together."""
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slowest."""
    items.sort(key=lambda item: next((n for n, path in enumerate(SLOW) if item.nodeid.startswith(path)), len(SLOW)))


class _Together(LoadFileScheduling):
    """Give each file to one worker, and the files of a directory that stays together to the same."""

    def _split_scope(self, nodeid: str) -> str:
        return next((path for path in TOGETHER if nodeid.startswith(path)), str(super()._split_scope(nodeid)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Together:
    """Schedule by our rule."""
    return _Together(config, log)


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


@pytest.fixture(scope="session")
def builder(repository: Path) -> Any:
    """The module `mart_builder`, which rooms share: raw rows in, marts out. The tests' directories are no packages, so it is loaded from its file."""
    name = "mart_builder"
    spec = importlib.util.spec_from_file_location(name, repository / "tests" / "dbt" / "mart_builder.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


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


def _copy(server: "EmbeddedServer") -> str:
    """Make a database from the migrated template, and return its URL."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template mrm owner mrm")
    return server.url.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture
def database_url(postgres_template: "EmbeddedServer") -> Iterator[str]:
    """The URL of an empty, migrated database of the test's own; slower than `store`, for tests of the database itself."""
    import psycopg

    url = _copy(postgres_template)
    yield url
    with psycopg.connect(postgres_template.superuser_url, autocommit=True) as connection:
        connection.execute(f"drop database {url.rsplit('/', 1)[1]} with (force)")


@pytest.fixture(scope="session")
def shared_database(postgres_template: "EmbeddedServer") -> str:
    """The URL of the database that the tests with a `store` share, one after the other."""
    return _copy(postgres_template)


@pytest.fixture
def store(home: Home, shared_database: str) -> Iterator["Store"]:
    """An empty, migrated store with the keys of the test's home; emptied again afterwards."""
    import psycopg

    from store.database import Store
    from store.settings import StoreSettings

    with Store.open(home, StoreSettings(database_url=shared_database)) as opened:
        yield opened
    with psycopg.connect(shared_database) as connection:
        connection.execute("truncate organizations, users cascade")


@dataclass
class RunningSandbox:
    """A sandbox on loopback: its state file, and its control plane."""

    state: dict[str, Any]
    process: "subprocess.Popen[bytes]"

    def settings(self, platform: str) -> dict[str, str]:
        """The settings of an integration that points here."""
        return {name: str(value) for name, value in self.state[platform].items()}

    def control(self, what: str, body: Any = None, method: str = "") -> Any:
        """Call the control plane: POST with a body, GET without."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.state['control']}/__sandbox__/{what}", data=data, method=method or ("GET" if body is None else "POST"))
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def fault(self, platform: str, kind: str, **more: Any) -> None:
        """Script what goes wrong next."""
        self.control("faults", {"platform": platform, "kind": kind, **more})

    def move(self, today: date) -> None:
        """Set the platforms' clock."""
        self.control("clock", {"today": today.isoformat()})


@pytest.fixture(scope="session")
def start_sandbox(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningSandbox]]:
    """Start a sandbox, of a dataset or the generated agency: `start_sandbox(today, *datasets)`. All end with the session."""
    running: list[RunningSandbox] = []

    def start(today: date, *datasets: Path) -> RunningSandbox:
        place = tmp_path_factory.mktemp("sandbox")
        state = place / "state.json"
        command = [sys.executable, "-m", "sandbox", "--quiet", "--state", str(state), "--dir", str(place / "files"), "--today", today.isoformat()]
        command += [part for path in datasets for part in ("--dataset", str(path))]
        process = subprocess.Popen(command, cwd=repository, env={**os.environ, "PYTHONPATH": str(repository)})
        while not state.exists():
            assert process.poll() is None, "the sandbox did not start"
            time.sleep(0.02)
        running.append(RunningSandbox(json.loads(state.read_text()), process))
        return running[-1]

    yield start
    for sandbox in running:
        sandbox.process.terminate()
    for sandbox in running:
        sandbox.process.wait(timeout=20)
