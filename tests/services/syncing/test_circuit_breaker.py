"""When a platform counts as down, and what says nothing of it."""

from collections.abc import Sequence
from datetime import date

import pytest

from connectors.patience import NotInTime
from domain.errors import MrmError, PermissionDenied, ReportTooLarge, TransientFailure
from domain.windows import DateWindow
from services.circuit_breaker import CircuitBreaker
from services.outcomes import AccountOutcome

DAY = DateWindow(date(2026, 3, 1), date(2026, 3, 1))
DOWN = TransientFailure("HTTP 503", platform="meta_ads", fix="Sync again")


def outcome(error: MrmError | None = None, windows: Sequence[DateWindow] = ()) -> AccountOutcome:
    return AccountOutcome("meta_ads", "integration", "act_1", "ad_daily", windows=tuple(windows), error=error)


def ended(*outcomes: AccountOutcome) -> bool:
    breaker = CircuitBreaker()
    for one in outcomes:
        breaker.note(one)
    return breaker.open


def test_two_reports_in_a_row_that_nobody_answers_open_it() -> None:
    assert not ended(outcome(DOWN))
    assert ended(outcome(DOWN), outcome(DOWN))


def test_a_committed_window_closes_it() -> None:
    assert not ended(outcome(DOWN), outcome(DOWN), outcome(windows=[DAY]))
    assert not ended(outcome(DOWN), outcome(windows=[DAY]), outcome(DOWN))
    assert not ended(outcome(DOWN, windows=[DAY]), outcome(DOWN, windows=[DAY]))


@pytest.mark.parametrize(
    "said",
    [
        outcome(),
        outcome(NotInTime("the report was not ready", platform="yandex_direct", fix="Sync again")),
        outcome(ReportTooLarge("too much data", platform="meta_ads", fix="Ask for less")),
        outcome(PermissionDenied("no access", platform="meta_ads", fix="Connect again")),
    ],
    ids=["nothing was due", "not ready in time", "too large", "refused"],
)
def test_what_says_nothing_of_the_platform_neither_opens_nor_closes_it(said: AccountOutcome) -> None:
    assert not ended(said, said)
    assert ended(outcome(DOWN), said, outcome(DOWN))
    assert ended(outcome(DOWN), outcome(DOWN), said)
