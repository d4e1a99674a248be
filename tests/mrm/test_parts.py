"""Parts of the command line that need no server."""

from datetime import UTC, datetime

import pytest

from domain.errors import UsageError
from domain.questions import Filter, Operator
from home.directory import Home
from mrm.doctor import examine
from mrm.query import parse_as_of, parse_filter
from mrm.serving import describe_home


def test_a_filter_is_read_by_its_sign() -> None:
    assert parse_filter("platform=meta_ads") == Filter(dimension="platform", values=("meta_ads",))
    assert parse_filter("campaign=1|2") == Filter(dimension="campaign", operator=Operator.IN, values=("1", "2"))
    assert parse_filter("campaign~бренд") == Filter(dimension="campaign", operator=Operator.CONTAINS, values=("бренд",))
    with pytest.raises(UsageError):
        parse_filter("campaign")


def test_a_date_as_of_means_its_end() -> None:
    assert parse_as_of("2026-03-01") == datetime(2026, 3, 1, 23, 59, 59, 999999, UTC)
    assert parse_as_of("") is None
    with pytest.raises(UsageError):
        parse_as_of("yesterday")


def test_the_doctor_looks_at_an_empty_home_without_starting_anything(home: Home) -> None:
    checks = {check.name: check.level for check in examine(home, 8750)}
    assert checks["python"] == "ok"
    assert checks["integrations"] == "warning"
    assert checks["clickhouse"] == checks["postgres"] == "ok"


def test_nothing_runs_in_an_empty_home(home: Home) -> None:
    found = describe_home(home)
    assert found["running"] == {}
    assert found["login"] is None
