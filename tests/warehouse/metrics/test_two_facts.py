"""Advertising and web analytics in one answer; what does not add up; what the reader is warned of."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import UsageError
from domain.questions import Caveat

WINDOW = {"organization": "web", "since": date(2024, 3, 8), "until": date(2024, 3, 10)}
ADS = "organization_id, integration_id, platform, account_id, date_day, level_of_row, impressions, clicks, spend, currency_code, vat_included"
SESSIONS = "organization_id, integration_id, platform, account_id, date_day, source, sessions, users, conversions, conversions_value, currency_code"


@pytest.fixture(scope="module")
def web(agency: Any) -> Iterator[Any]:
    """Three days of an organization: ads on the first two, sessions on the first and the third."""
    agency.mart.rows(
        f"""INSERT INTO marts.fct_ad_performance_daily ({ADS}) VALUES
        ('web', 'i', 'google_ads', 'g', '2024-03-08', 'ad', 100, 10, 10, 'EUR', false),
        ('web', 'i', 'yandex_direct', 'y', '2024-03-09', 'ad', 100, 10, 20, 'EUR', true)"""
    )
    agency.mart.rows(
        f"""INSERT INTO marts.fct_sessions_daily ({SESSIONS}) VALUES
        ('web', 'w', 'ga4', 'p', '2024-03-08', 'google', 5, 4, 1, 50, 'EUR'), ('web', 'w', 'ga4', 'p', '2024-03-08', 'direct', 7, 6, 0, 0, 'EUR'),
        ('web', 'w', 'ga4', 'p', '2024-03-10', 'google', 3, 2, 0.5, 30, 'EUR')"""
    )
    yield agency
    for fact in ("fct_ad_performance_daily", "fct_sessions_daily"):
        agency.mart.rows(f"ALTER TABLE marts.{fact} DELETE WHERE organization_id = 'web' SETTINGS mutations_sync = 1")


def test_spend_meets_the_revenue_that_analytics_counted(web: Any) -> None:
    rows = web.ask("spend", "sessions", "session_revenue", "mer", "blended_drr", "cost_per_session", by=("date",), totals=True, **WINDOW).rows
    assert [row["date"] and row["date"].day for row in rows] == [8, 9, 10, None]
    assert [row["mer"] for row in rows] == [5.0, None, None, pytest.approx(80 / 30)]
    assert [row["spend"] for row in rows] == [10, 20, None, 30], "no row of a fact is no zero"
    assert [row["sessions"] for row in rows] == [12, None, 3, 15]
    assert [row["cost_per_session"] for row in rows] == [Decimal("0.833333333333"), None, None, 2]
    assert web.ask("mer", **WINDOW).rows == [{"mer": pytest.approx(80 / 30)}]
    without = web.ask("mer", organization="web", since=date(2024, 3, 9), until=date(2024, 3, 9))
    assert without.rows == [{"mer": None}]
    assert [(w.code, "sessions" in w.message) for w in without.warnings if w.code == "no_data"] == [("no_data", True)]


def test_what_facts_do_not_share_is_refused_by_name(web: Any) -> None:
    with pytest.raises(UsageError, match="platform is not the same thing in sessions and ad_performance") as refused:
        web.ask("mer", by=("platform",), **WINDOW)
    assert "by date, currency, project" in refused.value.fix
    with pytest.raises(UsageError, match="ad_performance has no dimension source"):
        web.ask("sessions", "spend", by=("source",), **WINDOW)
    with pytest.raises(UsageError, match="ad_performance has no dimension source"):
        web.ask("spend", by=("source",), **WINDOW)
    assert web.ask("sessions", as_of="2024-03-10T00:00:00Z", **WINDOW).rows == [{"sessions": 0}], "nothing had been pulled then"


def test_users_are_never_summed(web: Any) -> None:
    answer = web.ask("users", "sessions", by=("date",), totals=True, **WINDOW)
    assert [row["users"] for row in answer.rows] == [None, 2, None]
    assert [row["sessions"] for row in answer.rows] == [12, 3, 15]
    assert "users cannot be summed" in _said(answer.warnings)["non_additive"]
    exact = web.ask("users", by=("date", "source"), **WINDOW)
    assert sorted(row["users"] for row in exact.rows) == [2, 4, 6]
    assert "non_additive" not in _said(exact.warnings)
    assert web.ask("users", by=("source",), top=1, **WINDOW).rows[0]["users"] == 6


def test_costs_with_and_without_vat_are_not_added_up_silently(web: Any) -> None:
    assert "mixed_vat" in _said(web.ask("spend", **WINDOW).warnings)
    assert "mixed_vat" not in _said(web.ask("spend", by=("platform",), **WINDOW).warnings)
    assert "mixed_vat" in _said(web.ask("spend", by=("platform",), totals=True, **WINDOW).warnings), "the total adds them up"
    assert "mixed_vat" in _said(web.ask("spend", by=("account",), top=1, **WINDOW).warnings), "and so does the row of the rest"
    assert "mixed_vat" not in _said(web.ask("spend", by=("account",), top=50, **WINDOW).warnings), "nothing is left to add up"
    assert "mixed_vat" not in _said(web.ask("clicks", **WINDOW).warnings)


def test_days_that_may_be_restated_are_said(agency: Any) -> None:
    from warehouse.metrics.door import MetricDoor

    door = MetricDoor(agency.mart.warehouse, agency.door._clock, agency.door._catalogue, provisional={"meta_ads": 3})
    agency.door, usual = door, agency.door
    try:
        said = _said(agency.ask("clicks", since=date(2024, 4, 1), until=date(2024, 4, 10)).warnings)
        assert said["provisional_days"] == "meta_ads may still restate the days from 2024-04-09 on"
        assert "provisional_days" not in _said(agency.ask("clicks", since=date(2024, 4, 1), until=date(2024, 4, 8)).warnings)
    finally:
        agency.door = usual


def _said(warnings: list[Caveat]) -> dict[str, str]:
    return {warning.code: warning.message for warning in warnings}
