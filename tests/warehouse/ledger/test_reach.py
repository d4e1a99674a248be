"""How far an integration's data reach: to the first gap, and not held back by an account that ended."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from warehouse.reach import reach

NOON = datetime(2024, 4, 10, 9, tzinfo=UTC)


def through(agency):
    with agency.warehouse.client(readonly=True) as client:
        return reach(client, "org", "int").data_through


def test_a_gap_ends_it_until_it_is_filled(agency, ad, day):
    agency.pull([ad(0, "a", 1)], day(0), day(9), NOON)
    assert through(agency) == date(2024, 3, 10)
    agency.pull([ad(20, "a", 1)], day(20), day(39), NOON)
    assert through(agency) == date(2024, 3, 10)
    agency.pull([], day(10), day(19), NOON)
    assert through(agency) == date(2024, 4, 9)  # the day of the pull is not over


def test_a_gap_of_long_ago_does_not_count(agency, ad, day):
    agency.pull([], day(-900), day(-800), NOON)
    agency.pull([ad(20, "a", 1)], day(0), day(39), NOON)
    assert through(agency) == date(2024, 4, 9)


def test_an_account_that_ended_holds_nobody_back_and_one_that_lags_does(agency, day):
    gone = replace(agency, key=replace(agency.key, account_id="gone"))
    gone.pull([], day(0), day(20), NOON - timedelta(days=13))
    agency.pull([], day(0), day(39), NOON)
    assert through(agency) == date(2024, 3, 21)
    agency.pull([], day(40), day(41), NOON + timedelta(days=2))
    assert through(agency) == date(2024, 4, 11)
