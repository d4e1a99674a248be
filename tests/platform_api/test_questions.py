"""Windows, limits, cursors and kept answers."""

from datetime import UTC, date, datetime

import pytest

from domain.errors import TooManyRequests, UsageError
from platform_api.analytics.etags import Answers
from platform_api.analytics.questions import window
from platform_api.cursors import Cursors
from platform_api.limits import RateLimit
from store.records import After


def test_windows_are_bounded():
    assert window(date(2026, 1, 1), date(2026, 1, 31), 31).days == 31
    with pytest.raises(UsageError):
        window(date(2026, 1, 1), date(2026, 2, 1), 31)


def test_a_limit_frees_places_as_time_passes_and_counts_each_key():
    now = [0.0]
    limit = RateLimit(2, 60, now=lambda: now[0])
    limit.hit("a", "x")
    limit.hit("a", "y")
    with pytest.raises(TooManyRequests) as refused:
        limit.hit("a", "z")
    assert refused.value.retry_after == 60
    limit.hit("b", "z")
    now[0] = 60.0
    limit.hit("a", "z")


def test_a_limit_remembers_a_bounded_number_of_keys():
    limit = RateLimit(1, 60, keys=3, now=lambda: 0.0)
    for key in "abcd":
        limit.hit(key)
    limit.hit("a")
    with pytest.raises(TooManyRequests):
        limit.hit("d")


def test_a_cursor_is_good_for_its_organization_alone():
    cursors = Cursors(b"secret")
    last = After(datetime(2026, 3, 1, tzinfo=UTC), "id")
    sealed = cursors.seal("one", last)
    assert cursors.open("one", sealed) == last
    assert cursors.open("one", None) is None
    for organization, cursor in (("two", sealed), ("one", sealed[:-2]), ("one", "ы"), ("one", "")):
        with pytest.raises(UsageError):
            cursors.open(organization, cursor)
    with pytest.raises(UsageError):
        Cursors(b"other").open("one", sealed)


def test_kept_answers_stay_within_their_place():
    answers = Answers(100)
    for n in range(6):
        answers.keep(str(n), b"x" * 20)
    assert answers.get("0") is None
    assert answers.get("5") == b"x" * 20
    answers.keep("large", b"x" * 26)
    assert answers.get("large") is None
