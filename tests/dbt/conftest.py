"""A fresh warehouse per test module, dbt over it."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings


def _load_builder() -> Any:
    """Load the helper beside this file; the tests' directories are no packages."""
    name = "mart_builder"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("mart_builder.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A warehouse with every raw table and nothing in them."""
    home = Home.open(tmp_path_factory.mktemp("dbt") / "home")
    with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
        yield _load_builder().MartBuilder(home, warehouse)
    Warehouse.stop(home)


@pytest.fixture(scope="session")
def builder() -> Any:
    """The helper's module, for its constants."""
    return _load_builder()


Loader = Callable[..., None]
