"""Which dates a pull asks for."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from connectors import registry
from connectors.retention import months_before
from domain.windows import DateWindow
from services.windows import HISTORY_DAYS, LOAD_DAYS, find_gaps, plan_pull

TODAY = date(2026, 11, 23)
REPORT = registry.report("meta_ads", "ad_daily")
DETAIL = replace(REPORT, first_pull_days=35)
OLD = date(2015, 1, 1)


def seen(since: date, until: date, on: date) -> dict[date, date]:
    return dict.fromkeys(DateWindow(since, until).dates(), on)


def test_the_first_pull_reaches_four_hundred_days_back() -> None:
    plan = plan_pull(REPORT, TODAY, OLD, {})
    assert [w.days for w in plan.windows] == [HISTORY_DAYS]


def test_the_history_can_begin_earlier_and_is_loaded_newest_first_in_bounded_loads() -> None:
    plan = plan_pull(REPORT, TODAY, OLD, {}, history_since=TODAY - timedelta(days=1000))
    assert [w.days <= LOAD_DAYS for w in plan.windows] == [True] * 3
    assert plan.windows[0].until == TODAY
    assert sum(w.days for w in plan.windows) == 1001


def test_a_routine_pull_asks_for_what_was_provisional() -> None:
    before = seen(TODAY - timedelta(days=401), TODAY - timedelta(days=1), TODAY - timedelta(days=1))
    plan = plan_pull(REPORT, TODAY, OLD, before)
    assert plan.windows == (DateWindow(TODAY - timedelta(days=REPORT.lookback_days), TODAY),)


def test_after_days_without_a_pull_the_lookback_is_counted_from_the_last_look() -> None:
    last = TODAY - timedelta(days=10)
    plan = plan_pull(REPORT, TODAY, OLD, seen(TODAY - timedelta(days=420), last, last))
    assert plan.windows == (DateWindow(last - timedelta(days=REPORT.lookback_days - 1), TODAY),)


def test_a_gap_in_the_history_is_filled() -> None:
    gap = TODAY - timedelta(days=200)
    before = {d: on for d, on in seen(TODAY - timedelta(days=401), TODAY, TODAY).items() if d != gap}
    plan = plan_pull(REPORT, TODAY, OLD, before)
    assert plan.windows == (DateWindow(TODAY - timedelta(days=REPORT.lookback_days - 1), TODAY), DateWindow(gap, gap))


def test_an_asked_window_is_taken_whole_and_ends_today() -> None:
    plan = plan_pull(REPORT, TODAY, OLD, seen(TODAY - timedelta(days=401), TODAY, TODAY), since=date(2026, 1, 1), until=date(2027, 1, 1))
    assert plan.windows == (DateWindow(date(2026, 1, 1), TODAY),)


def test_a_window_before_what_the_platform_keeps_is_cut_with_a_word() -> None:
    plan = plan_pull(REPORT, TODAY, date(2026, 1, 1), {}, since=date(2020, 1, 1))
    assert plan.windows == (DateWindow(date(2026, 1, 1), TODAY),)
    assert "answers from 2026-01-01" in plan.notes[0]


def test_a_window_that_lies_wholly_before_is_empty_and_says_so() -> None:
    plan = plan_pull(REPORT, TODAY, date(2026, 1, 1), {}, since=date(2020, 1, 1), until=date(2020, 2, 1))
    assert plan.windows == ()
    assert plan.notes


def test_the_first_pull_of_a_detail_report_reaches_back_as_far_as_it_says() -> None:
    assert plan_pull(DETAIL, TODAY, OLD, {}).windows == (DateWindow(TODAY - timedelta(days=34), TODAY),)
    assert plan_pull(DETAIL, TODAY, OLD, {}, history_since=TODAY - timedelta(days=9)).windows == (DateWindow(TODAY - timedelta(days=9), TODAY),)


def test_an_asked_window_overrides_the_bound_of_a_detail_report() -> None:
    assert plan_pull(DETAIL, TODAY, OLD, {}, since=date(2026, 1, 1)).windows == (DateWindow(date(2026, 1, 1), TODAY),)


def test_stale_is_what_a_routine_pull_would_have_looked_at() -> None:
    last, since = TODAY - timedelta(days=2), TODAY - timedelta(days=9)
    found = find_gaps(REPORT, TODAY, OLD, seen(since, last, last), since=since, until=last, lookback_days=3)
    assert found == ((), (DateWindow(TODAY - timedelta(days=4), last),))


def test_older_gaps_of_a_detail_report_stay_and_what_was_pulled_is_looked_at_again() -> None:
    before = seen(date(2026, 9, 1), date(2026, 9, 10), TODAY - timedelta(days=60)) | seen(TODAY - timedelta(days=34), TODAY, TODAY)
    plan = plan_pull(DETAIL, TODAY, OLD, before, lookback_days=90)
    assert plan.windows == (DateWindow(TODAY - timedelta(days=34), TODAY), DateWindow(date(2026, 9, 1), date(2026, 9, 10)))


def test_a_detail_report_catches_up_with_the_days_since_its_last_pull() -> None:
    last = TODAY - timedelta(days=60)
    plan = plan_pull(DETAIL, TODAY, OLD, seen(last - timedelta(days=34), last, last))
    assert plan.windows == (DateWindow(last - timedelta(days=DETAIL.lookback_days - 1), TODAY),)


def test_a_lookback_of_the_account_takes_the_place_of_the_reports() -> None:
    plan = plan_pull(REPORT, TODAY, OLD, seen(TODAY - timedelta(days=420), TODAY, TODAY), lookback_days=90)
    assert plan.windows == (DateWindow(TODAY - timedelta(days=89), TODAY),)


def test_a_snapshot_is_today() -> None:
    assert plan_pull(registry.report("meta_ads", "accounts"), TODAY, OLD, {}).windows == (DateWindow(TODAY, TODAY),)


@pytest.mark.parametrize(
    ("platform", "today", "oldest"),
    [
        ("meta_ads", date(2026, 11, 23), date(2023, 10, 23)),
        ("meta_ads", date(2026, 3, 31), date(2023, 2, 28)),
        ("yandex_direct", date(2026, 11, 23), date(2023, 11, 1)),
        ("google_ads", date(2026, 11, 23), date(2015, 11, 23)),
    ],
)
def test_retention_is_counted_in_calendar_months_of_the_account(platform: str, today: date, oldest: date) -> None:
    assert registry.oldest_date(platform, today) == oldest


def test_months_before_meets_short_months() -> None:
    assert months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert months_before(date(2024, 1, 15), 12) == date(2023, 1, 15)
