"""Metrica pulled into slices: visits change for three days, logs end yesterday, a lost counter does not stop the other."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.errors import PermissionDenied
from services.reconciling import reconcile
from warehouse.reconciliation import SessionDay

START = date(2026, 3, 10)
ONE, TWO = "71530264", "71530299"
HEADER = (
    *("platform", "account_id", "account_name", "currency", "timezone", "date", "source", "medium", "campaign", "sessions", "users"),
    *("conversions", "conversions_value", "goal_id", "as_of"),
)
Line = tuple[str, date, str, int, str, str, date]
"""Counter, date, campaign, sessions, conversions, their value, as of."""
ZEROED, VANISHED = START - timedelta(days=1), START - timedelta(days=2)


def lines() -> Iterator[Line]:
    """Four days; today's conversion comes on the third day after it, one day is restated to zero, of another a campaign vanishes."""
    for counter in (ONE, TWO):
        for back in range(4):
            day = START - timedelta(days=back)
            yield counter, day, "A", 40, "2", "10.01", day
            yield counter, day, "B", 7, "0", "0", day
        for campaign, sessions, conversions, value in (("A", 41, "3", "15.02"), ("B", 7, "0", "0")):
            yield counter, START, campaign, sessions, conversions, value, START + timedelta(days=3)
        yield counter, ZEROED, "A", 0, "0", "0", START + timedelta(days=1)
        yield counter, VANISHED, "A", 40, "2", "10.01", START + timedelta(days=1)


def truth(counter: str, today: date) -> list[tuple[date, str, Decimal]]:
    """The visits that Metrica answers on a day of its clock, by date and campaign."""
    mine = [line for line in lines() if line[0] == counter and line[6] <= today]
    newest = {line[1]: max(other[6] for other in mine if other[1] == line[1]) for line in mine}
    return sorted((line[1], line[2], Decimal(line[3])) for line in mine if line[6] == newest[line[1]])


@pytest.fixture(scope="module")
def counters(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    place: Path = tmp_path_factory.mktemp("counters")
    with (place / "web.csv").open("w", newline="") as file:
        rows = [["yandex_metrica", c, "Site", "RUB", "Europe/Moscow", d, "yandex", "cpc", name, s, s, n, v, "11", a] for c, d, name, s, n, v, a in lines()]
        csv.writer(file).writerows([HEADER, *rows])
    with (place / "visits.csv").open("w", newline="") as file:
        visits = [[ONE, str(2**64 - back), "9", f"{START - timedelta(days=back)} 10:00:00", "yandex", "cpc", "A", "11", "5.01"] for back in range(6)]
        csv.writer(file).writerows([["account_id", "visit_id", "client_id", "date_time", "source", "medium", "campaign", "goals", "revenue"], *visits])
    return start_sandbox(START, place / "web.csv", place / "visits.csv")


@pytest.fixture
def metrica(agency: Any, counters: Any) -> Iterator[Any]:
    """An agency that pulls Metrica; its quotas are given back before each pull."""
    counters.control("limits", method="DELETE")
    yield replace(agency, sandbox=counters).on(START)
    counters.control("faults", method="DELETE")


def stored(agency: Any, as_of: str = "2099-01-01") -> list[tuple[Any, ...]]:
    rows = agency.stored("raw_yandex_metrica__traffic_daily", "date, ifNull(UTMCampaign, ''), visits, goal_id", ONE, as_of)
    return [tuple(row[:3]) for row in rows if not row[3]]


def pulled(agency: Any, today: date, **settings: str) -> Any:
    agency.on(today).sandbox.control("limits", method="DELETE")
    return agency.sync("yandex_metrica", {"visits": "false", **settings})


def test_after_each_day_the_slices_equal_the_answer_of_that_day(metrica: Any) -> None:
    answers = {}
    for days in (0, 1, 3):
        today = START + timedelta(days=days)
        assert pulled(metrica, today, counter_ids=ONE).failures == ()
        answers[today] = stored(metrica)
        assert answers[today] == truth(ONE, today)
    assert (START, "A", Decimal(40)) in answers[START]
    assert (START, "A", Decimal(41)) in answers[START + timedelta(days=3)]
    assert (VANISHED, "B", Decimal(7)) not in answers[START + timedelta(days=1)]
    again = {outcome.report: outcome.dates_changed for outcome in pulled(metrica, today, counter_ids=ONE).outcomes}
    assert (again["counter_daily"], again["traffic_daily"]) == (0, 0)
    for today, answer in answers.items():
        assert stored(metrica, f"{today} 23:59:59") == answer


def test_what_is_stored_is_held_against_the_counters_own_totals(metrica: Any) -> None:
    told = [SessionDay(ONE, START - timedelta(days=back), 47, Decimal(2), Decimal("10.01")) for back in range(4)]
    found = reconcile(metrica.access("yandex_metrica", counter_ids=ONE), metrica.warehouse, metrica.home.clock, totals=lambda window: told)
    assert found.reconciled == {"sessions": 0, "conversions": 0, "conversions_value": 0}
    wrong = reconcile(metrica.access("yandex_metrica", counter_ids=ONE), metrica.warehouse, metrica.home.clock, totals=lambda window: told[1:])
    assert wrong.reconciled == {"sessions": 47, "conversions": 2, "conversions_value": Decimal("10.01")}


def test_a_lost_counter_is_named_and_the_other_is_complete(metrica: Any) -> None:
    metrica.sandbox.fault("yandex_metrica", "lost_account", account_id=TWO, times=None)
    result = pulled(metrica, START)
    assert [type(f) for f in result.failures] == [PermissionDenied]
    assert TWO in str(result.failures[0])
    assert stored(metrica) == truth(ONE, START)


def test_logs_reach_yesterday_and_come_again_while_visits_change(metrica: Any) -> None:
    for days in (0, 1):
        assert pulled(metrica, START + timedelta(days=days), visits="true", counter_ids=ONE).failures == ()
    windows = [(since, until) for report, since, until in metrica.loads("report, since, until") if report.endswith("visits")]
    assert windows == [(START - timedelta(days=7), START - timedelta(days=1)), (START - timedelta(days=3), START)]
    visits = metrica.stored("raw_yandex_metrica__visits", "visitID, goalsPrice, purchaseRevenue", ONE)
    assert visits[0] == ("18446744073709551611", "[5010]", "[5.01]")
    assert len(visits) == 6
