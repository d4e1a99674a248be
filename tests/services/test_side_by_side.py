"""What one run does beside itself: begun once, waited for by name."""

import threading

import pytest

from services.side_by_side import SideBySide


def test_the_first_that_asks_begins_all_parts_and_each_part_runs_once():
    shared, runs, both = SideBySide(), [], threading.Barrier(2, timeout=30)

    def part(name):
        runs.append(name)
        both.wait()  # neither ends before the other has begun
        return name.upper()

    parts = {"a": lambda: part("a"), "b": lambda: part("b")}
    assert shared.result("run", parts, "a") == "A"
    assert shared.result("run", {name: lambda: part("again") for name in parts}, "b") == "B"
    assert sorted(runs) == ["a", "b"]


def test_an_error_reaches_the_one_that_waits_for_it_and_another_try_runs_again():
    shared, tries = SideBySide(), []

    def fails_once():
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("away")
        return len(tries)

    with pytest.raises(ConnectionError, match="away"):
        shared.result("run", {"a": fails_once, "b": lambda: 5}, "a")
    assert shared.result("run", {"a": fails_once}, "a") == 2
    assert shared.result("run", {}, "b") == 5


def test_what_was_begun_before_anybody_asked_is_waited_for_and_not_run_again():
    shared, runs = SideBySide(), []
    shared.begin("run", {"a": lambda: runs.append("a") or "early"})
    assert shared.result("run", {"a": lambda: "late"}, "a") == "early"
    assert runs == ["a"]
