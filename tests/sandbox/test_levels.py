"""Every platform tells the truth of the dataset, at every level, on every day of the clock."""

from datetime import date
from decimal import Decimal

import pytest

PLATFORMS = ("google_ads", "meta_ads", "yandex_direct")
LEVELS = ("account", "campaign", "ad_group", "ad")
TZ = {"timezone": "Europe/Moscow"}


def measures(impressions, clicks, spend, conversions, value):
    keys = ("impressions", "clicks", "spend", "conversions", "conversions_value")
    return dict(zip(keys, map(Decimal, (impressions, clicks, spend, conversions, value)), strict=True))


@pytest.fixture
def everywhere(serve):
    def start(*rows, today=date(2026, 11, 23)):
        return serve(*({**row, "platform": p} for p in PLATFORMS for row in rows), today=today)

    return start


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_row_exists_at_its_own_level_and_above_only(everywhere, platform):
    whole = {"impressions": "1000", "clicks": "0", "spend": "0", "conversions": "0", "conversions_value": "0"}
    bench = everywhere(
        {},
        {"ad_id": "", "ad_name": "", "clicks": "20", "impressions": "20", "spend": "1.10", "conversions": "0", "conversions_value": "0"},
        {**whole, "ad_group_id": "", "ad_group_name": "", "ad_id": "", "ad_name": "", "campaign_id": "12", "campaign_name": "Performance Max"},
        {**whole, "campaign_id": "", "ad_group_id": "", "ad_id": "", "impressions": "5000"},
    )
    seen = {level: bench.totals(platform, level, "2026-11-01", "2026-11-01")["impressions"] for level in LEVELS}
    assert seen == {"ad": 100, "ad_group": 120, "campaign": 1120, "account": 6120}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_sums_are_exact_to_the_cent(everywhere, platform, level):
    rows = [
        {"ad_id": str(300 + n), "date": f"2026-11-{1 + n % 9:02d}", "spend": f"{n}.{n:02d}", "conversions": str(n % 4), "conversions_value": f"{n % 4}.10"}
        for n in range(60)
    ]
    bench = everywhere(*rows)
    spend = sum(Decimal(r["spend"]) for r in rows)
    goals = sum(int(r["conversions"]) for r in rows)
    value = sum(Decimal(r["conversions_value"]) for r in rows)
    assert bench.totals(platform, level, "2026-11-01", "2026-11-23") == measures(6000, 600, spend, goals, value)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_conversions_may_be_fractional(everywhere, platform):
    bench = everywhere({"conversions": "2.75"})
    assert bench.totals(platform, "ad", "2026-11-01", "2026-11-01")["conversions"] == Decimal("2.75")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_days_after_the_clock_are_not_served(everywhere, platform):
    bench = everywhere({"date": "2026-11-10"}, {"date": "2026-11-11"}, today=date(2026, 11, 10))
    assert bench.totals(platform, "ad", "2026-11-01", "2026-11-30")["clicks"] == 10
    bench.control("POST", "clock", {"today": "2026-11-11"})
    assert bench.totals(platform, "ad", "2026-11-01", "2026-11-30")["clicks"] == 20


@pytest.mark.parametrize(("timezone", "days"), [("Pacific/Kiritimati", 2), ("Etc/GMT+12", 1), ("Pacific/Pago_Pago", 1)])
def test_today_is_the_date_in_the_accounts_own_zone(everywhere, timezone, days):
    bench = everywhere({"timezone": timezone, "date": "2026-11-10"}, {"timezone": timezone, "date": "2026-11-11"}, today=date(2026, 11, 10))
    for platform in PLATFORMS:
        assert bench.totals(platform, "account", "2026-11-01", "2026-11-30")["clicks"] == 10 * days


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_newest_as_of_that_the_clock_has_reached_is_the_answer(everywhere, platform):
    bench = everywhere(
        {"conversions": "100", "as_of": "2026-11-02"},
        {"conversions": "140", "as_of": "2026-11-22"},
        today=date(2026, 11, 21),
    )
    assert bench.totals(platform, "ad", "2026-11-01", "2026-11-01")["conversions"] == 100
    bench.control("POST", "clock", {"today": "2026-11-22"})
    assert bench.totals(platform, "ad", "2026-11-01", "2026-11-01")["conversions"] == 140
    bench.control("POST", "clock", {"today": "2026-11-01"})
    assert bench.totals(platform, "ad", "2026-11-01", "2026-11-01")["clicks"] == 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_row_that_the_newer_as_of_lacks_has_vanished(everywhere, platform):
    bench = everywhere(
        {"campaign_id": "11", "ad_id": "31"},
        {"campaign_id": "12", "ad_id": "32", "ad_group_id": "22"},
        {"campaign_id": "12", "ad_id": "32", "ad_group_id": "22", "clicks": "7", "as_of": "2026-11-05"},
        {"campaign_id": "11", "ad_id": "31", "date": "2026-11-02"},
        today=date(2026, 11, 4),
    )
    assert bench.totals(platform, "campaign", "2026-11-01", "2026-11-01")["clicks"] == 20
    bench.control("POST", "clock", {"today": "2026-11-05"})
    assert bench.totals(platform, "campaign", "2026-11-01", "2026-11-01")["clicks"] == 7
    assert bench.totals(platform, "campaign", "2026-11-02", "2026-11-02")["clicks"] == 10


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_day_restated_to_zero_has_no_rows(everywhere, platform):
    nothing = {"impressions": "0", "clicks": "0", "spend": "0", "conversions": "0", "conversions_value": "0", "as_of": "2026-11-05"}
    bench = everywhere({}, nothing)
    assert bench.totals(platform, "ad", "2026-11-01", "2026-11-01") == measures(0, 0, 0, 0, 0)


def test_a_conversion_without_delivery_is_a_row_all_the_same(everywhere):
    bench = everywhere({"impressions": "0", "clicks": "0", "spend": "0", "conversions": "3", "conversions_value": "9"})
    for platform in PLATFORMS:
        assert bench.totals(platform, "ad", "2026-11-01", "2026-11-01") == measures(0, 0, 0, 3, 9)


def test_rows_split_by_device_add_up_where_the_device_is_not_asked(everywhere):
    bench = everywhere({"device": "mobile"}, {"device": "desktop", "clicks": "5"})
    for platform in PLATFORMS:
        assert bench.totals(platform, "ad", "2026-11-01", "2026-11-01")["clicks"] == 15


def test_the_shared_campaign_data_are_served_to_the_cent(serve, fixtures):
    bench = serve(paths=[fixtures / "datasets/kag_facebook/kag.dataset.csv"], today=date(2023, 9, 30))
    for level in ("account", "campaign", "ad"):
        totals = bench.totals("meta_ads", level, "2023-08-01", "2023-08-31", "100000000000916")
        assert totals == measures(213434828, 38165, "58705.23", 3264, 0)


def test_the_agency_reconciles_at_every_level(agency):
    for account in (a for a in agency.state["dataset"]["accounts"] if a["platform"] not in ("ga4", "yandex_metrica")):
        platform = account["platform"]
        top = agency.totals(platform, "account", "2026-10-01", "2026-10-31", account["account_id"])
        campaigns = agency.totals(platform, "campaign", "2026-10-01", "2026-10-31", account["account_id"])
        assert campaigns == top
        assert top["spend"] > 0
        assert top["conversions"] > 0
