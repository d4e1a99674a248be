"""Parts of the command line that need no server."""

from home.directory import Home
from mrm.doctor import examine
from mrm.serving import describe_home


def test_the_doctor_looks_at_an_empty_home_without_starting_anything(home: Home) -> None:
    checks = {check.name: check.level for check in examine(home, 8750)}
    assert checks["python"] == "ok"
    assert checks["integrations"] == "warning"
    assert checks["clickhouse"] == checks["postgres"] == "ok"


def test_nothing_runs_in_an_empty_home(home: Home) -> None:
    found = describe_home(home)
    assert found["running"] == {}
    assert found["login"] is None
