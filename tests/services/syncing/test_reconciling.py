"""The marts against a separate account-level request."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.meta_ads.conversions import conversions
from domain.windows import DateWindow
from services.reconciling import reconcile
from warehouse.reconciliation import AccountDay

START = date(2026, 3, 10)
ZERO = dict.fromkeys(("impressions", "clicks", "spend", "conversions"), Decimal(0))


def reader(
    told: Any, platform: str, accounts: tuple[str, ...], change: Callable[[AccountDay], AccountDay] = lambda row: row
) -> Callable[[DateWindow], list[AccountDay]]:
    """Totals as the marts would give them, from the dataset's truth."""

    def read(window: DateWindow) -> list[AccountDay]:
        days: dict[tuple[str, date], list[tuple[int, int, Decimal, Decimal]]] = {}
        for account in accounts:
            for (day, _, _), numbers in told(platform, account, START).items():
                if window.since <= day <= window.until:
                    days.setdefault((account, day), []).append(numbers)
        return [change(AccountDay(*place, *(sum(column) for column in zip(*numbers, strict=True)))) for place, numbers in days.items()]

    return read


@pytest.mark.parametrize("platform", ["google_ads", "meta_ads", "yandex_direct"])
def test_equal_numbers_reconcile_to_zero(agency: Any, told: Any, accounts_of: Any, platform: str) -> None:
    found = reconcile(agency.access(platform), agency.warehouse, agency.home.clock, totals=reader(told, platform, accounts_of[platform]))
    assert found.reconciled == ZERO
    assert found.rounding == ZERO
    assert found.accounts == 2
    assert found.data_through == START


def test_each_days_difference_counts_by_itself_and_is_named(agency: Any, told: Any, accounts_of: Any) -> None:
    def apart(row: AccountDay) -> AccountDay:
        sign = 1 if row.date == START else -1 if row.date == START - timedelta(days=1) else 0
        return replace(row, clicks=row.clicks + sign, spend=row.spend + sign * Decimal("2.5"))

    window = DateWindow(START - timedelta(days=1), START)
    found = reconcile(
        agency.access("google_ads"), agency.warehouse, agency.home.clock, window, totals=reader(told, "google_ads", accounts_of["google_ads"], apart)
    )
    assert found.reconciled == {**ZERO, "clicks": Decimal(4), "spend": Decimal(10)}
    assert {(d.account_id, d.date, d.measure) for d in found.differences if d.measure == "clicks"} == {
        (a, day, "clicks") for a in accounts_of["google_ads"] for day in window.dates()
    }


def test_directs_rounding_of_cents_stands_apart(agency: Any, told: Any, accounts_of: Any) -> None:
    window = DateWindow(START, START)
    totals = reader(told, "yandex_direct", accounts_of["yandex_direct"], lambda row: replace(row, spend=row.spend + Decimal("0.02")))
    found = reconcile(agency.access("yandex_direct"), agency.warehouse, agency.home.clock, window, totals=totals)
    assert found.reconciled == ZERO
    assert found.rounding == {**ZERO, "spend": Decimal("0.04")}


def test_a_day_that_only_one_side_has_is_a_difference(agency: Any, told: Any, accounts_of: Any) -> None:
    window = DateWindow(START, START)
    found = reconcile(agency.access("meta_ads"), agency.warehouse, agency.home.clock, window, totals=lambda window: [])
    assert found.reconciled["impressions"] == 2 * 1570


def test_an_account_that_cannot_be_asked_is_named_and_not_compared(agency: Any, told: Any, accounts_of: Any) -> None:
    lost = accounts_of["meta_ads"][0]
    agency.sandbox.fault("meta_ads", "lost_account", account_id=lost, times=None)
    found = reconcile(agency.access("meta_ads"), agency.warehouse, agency.home.clock, totals=reader(told, "meta_ads", accounts_of["meta_ads"]))
    assert [f.account_id for f in found.failures] == [lost]
    assert found.reconciled == ZERO


@pytest.mark.parametrize(
    ("actions", "count"),
    [
        (
            '[{"action_type":"purchase","value":"5"},{"action_type":"omni_purchase","value":"5"},{"action_type":"offsite_conversion.fb_pixel_purchase","value":"5"}]',
            5,
        ),
        ('[{"action_type":"offsite_conversion.fb_pixel_purchase","value":"5"},{"action_type":"onsite_web_purchase","value":"5"}]', 5),
        ('[{"action_type":"purchase","value":"5"},{"action_type":"lead","value":"2"}]', 7),
        ('[{"action_type":"offsite_content_view_add_meta_leads","value":"9"},{"action_type":"link_click","value":"40"}]', 0),
        ("[]", 0),
        (None, 0),
    ],
)
def test_one_conversion_under_many_names_counts_once(actions: str | None, count: int) -> None:
    assert conversions(actions) == count
