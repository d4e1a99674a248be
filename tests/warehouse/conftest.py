"""Fixtures of the warehouse's tests: a real embedded server, one per session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings


@pytest.fixture(scope="session")
def warehouse_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home whose embedded server the session's tests share."""
    directory: Path = tmp_path_factory.mktemp("warehouse")
    return Home.open(directory / "home")


@pytest.fixture(scope="session")
def warehouse(warehouse_home: Home) -> Iterator[Warehouse]:
    """The embedded ClickHouse of the session; it is stopped at the end."""
    with Warehouse.open(warehouse_home, WarehouseSettings(clickhouse_url=None)) as opened:
        yield opened
    Warehouse.stop(warehouse_home)
