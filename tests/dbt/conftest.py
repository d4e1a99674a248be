"""A fresh warehouse per test module, dbt over it."""

from collections.abc import Iterator
from typing import Any

import pytest

from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory, builder: Any) -> Iterator[Any]:
    """A warehouse with every raw table and nothing in them."""
    home = Home.open(tmp_path_factory.mktemp("dbt") / "home")
    with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
        yield builder.MartBuilder(home, warehouse)
    Warehouse.stop(home)
