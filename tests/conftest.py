"""Fixtures that several rooms' tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from home.directory import Home

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
    yield Home.open(tmp_path / "home")
