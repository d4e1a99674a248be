"""Embedded servers of a test's own, ended with it."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from home.directory import Home
from home.servers import read_state
from store import embedded


@pytest.fixture(scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose server the tests may kill; its data directory is made once."""
    home = Home.open(tmp_path_factory.mktemp("killed") / "home")
    yield home
    home.reset()


@pytest.fixture
def attached() -> Iterator[Callable[[Home], embedded.EmbeddedServer]]:
    """Attach to a home's server; at the end of the test every lease is given up and every server stopped. What it wrote stays for the sweep."""
    leases = []
    homes = []

    def attach(home: Home) -> embedded.EmbeddedServer:
        homes.append(home)
        server, lease = embedded.attach(home)
        leases.append(lease)
        return server

    yield attach
    for lease in leases:
        lease.close()
    for home in homes:
        if (home.path / "home.json").exists():
            state = read_state(home, embedded.SERVER)
            if state is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(state["pid"], signal.SIGTERM)
            while embedded.supervised(home):
                time.sleep(0.02)
