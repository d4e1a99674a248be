"""The dbt project over a real warehouse: empty, full, incremental, and what each build reads."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

AUGUST = (date(2024, 8, 1), date(2024, 8, 31))
JULY = (date(2024, 7, 1), date(2024, 7, 31))
LATER = datetime(2025, 6, 2, 12, tzinfo=UTC)
FACT = ("+fct_ad_performance_daily",)
COMPARED = (*FACT, "+campaign_metrics", "+dim_account", "+dim_account_project", "+dim_campaign", "+dim_ad_group", "+dim_ad", "+dim_fx_rate")
"""The marts whose checksums are compared."""


def _google(
    mart: Any,
    account: str,
    days: Sequence[date],
    *,
    cents: int = 150,
    window: tuple[date, date] | None = None,
    ads: int = 2,
    at: datetime | None = None,
    organization: str = "org",
) -> None:
    """Load an account whose campaigns show one ad-less rest of 0.10 a day, and whose account shows 0.01 more than its campaigns."""
    window = window or (min(days), max(days))
    when = {"at": at} if at else {}
    common = {"customer_id": account, "customer_currency_code": "EUR", "customer_time_zone": "UTC", "campaign_id": "c", "campaign_name": "Кампания"}

    def row(day: date, micros: int, **more: Any) -> dict[str, Any]:
        return {
            **common,
            "segments_date": day,
            "metrics_impressions": 100,
            "metrics_clicks": 3,
            "metrics_cost_micros": micros,
            "metrics_conversions": Decimal("0.5"),
            **more,
        }

    ad_rows = [
        row(day, cents * 10_000, ad_group_id="g", ad_group_name="G", ad_group_ad_ad_id=str(n), ad_group_ad_ad_name=f"ad {n}")
        for day in days
        for n in range(ads)
    ]
    mart.load("raw_google_ads__ad_daily", account, ad_rows, window, organization=organization, **when)
    mart.load("raw_google_ads__campaign_daily", account, [row(day, (ads * cents + 10) * 10_000) for day in days], window, organization=organization, **when)
    mart.load("raw_google_ads__account_daily", account, [row(day, (ads * cents + 11) * 10_000) for day in days], window, organization=organization, **when)


def _lose_a_month(mart: Any) -> None:
    """Take a month out of the fact, see the tests fail, and put it back."""
    with mart.warehouse.client() as client:
        partition = client.command("SELECT toString((toUInt8(cityHash64('org') % 16), 202408))")
        client.command(f"ALTER TABLE marts.fct_ad_performance_daily DETACH PARTITION {partition}")
        assert mart.dbt("test", "--select", "levels_reconcile") == {"levels_reconcile": "fail"}
        client.command(f"ALTER TABLE marts.fct_ad_performance_daily ATTACH PARTITION {partition}")


def _ads_without_their_campaigns(mart: Any, account: str, day: date) -> None:
    common = {"segments_date": day, "customer_currency_code": "EUR"}
    ad = {**common, "campaign_id": "x", "ad_group_id": "g", "ad_group_ad_ad_id": "1", "metrics_cost_micros": 5_000_000}
    mart.load("raw_google_ads__ad_daily", account, [ad], (day, day))
    mart.load("raw_google_ads__account_daily", account, [{**common, "metrics_cost_micros": 6_000_000}], (day, day))


def _days(window: tuple[date, date]) -> list[date]:
    return [window[0] + timedelta(days=n) for n in range((window[1] - window[0]).days + 1)]


def test_models_build_over_empty_raw_tables_and_again(mart: Any) -> None:
    first = mart.dbt("build")
    assert set(first.values()) <= {"success", "pass", "no-op"}
    again = mart.dbt("run", "--exclude", "config.materialized:view")  # a view is replaced whatever it was
    assert again == {name: first[name] for name in again}
    assert {"fct_ad_performance_daily", "campaign_metrics"} <= set(again)
    assert mart.rows("SELECT count() FROM marts.fct_ad_performance_daily") == [(0,)]


def test_parts_and_residuals_add_up_to_what_the_platform_reports(mart: Any) -> None:
    _google(mart, "1", _days(AUGUST))
    _google(mart, "1", _days(JULY), at=datetime(2025, 6, 1, 12, 5, tzinfo=UTC))
    mart.load(
        "raw_google_ads__accounts",
        "1",
        [{"id": "1", "descriptive_name": "One", "currency_code": "EUR", "time_zone": "UTC"}],
        (date(2025, 6, 1), date(2025, 6, 1)),
    )
    mart.assign([{"project_id": "p", "platform": "google_ads", "account_id": "1", "since": date(2024, 1, 1)}])
    _ads_without_their_campaigns(mart, "2", date(2024, 8, 5))
    plan, statuses = mart.build(*COMPARED)
    assert plan.partitions == ("202407", "202408", "202506")
    assert statuses["levels_reconcile"] == "pass"
    by_level = mart.rows(
        "SELECT level_of_row, count(), sum(spend), sum(impressions) FROM marts.fct_ad_performance_daily WHERE account_id = '1' GROUP BY 1 ORDER BY 1"
    )
    assert by_level == [
        ("account_residual", 62, Decimal("0.62"), 0),
        ("ad", 124, Decimal("186"), 12400),
        ("campaign_residual", 62, Decimal("6.2"), -6200),
    ]
    assert statuses["residuals_are_not_negative"] == "warn"
    assert mart.rows("SELECT round(sum(cost), 6), sum(conversions), any(`dimensions.value`) FROM marts.campaign_metrics") == [(192.2, 0, ["1", "EUR"])]


def test_a_day_whose_campaigns_were_never_pulled_keeps_its_ads(mart: Any) -> None:
    rows = mart.rows("SELECT level_of_row, campaign_id, spend FROM marts.fct_ad_performance_daily WHERE account_id = '2' ORDER BY 1")
    assert rows == [("account_residual", "", Decimal(1)), ("ad", "x", Decimal(5))]


def test_the_owners_table_has_the_owners_schema(mart: Any) -> None:
    described = mart.rows("SELECT name, type FROM system.columns WHERE database = 'marts' AND table = 'campaign_metrics' ORDER BY position")
    assert described == [
        ("date", "Date"),
        ("project_id", "String"),
        ("campaign_id", "String"),
        ("platform", "String"),
        ("impressions", "UInt64"),
        ("clicks", "UInt64"),
        ("conversions", "UInt64"),
        ("cost", "Float64"),
        ("revenue", "Float64"),
        ("dimensions.key", "Array(String)"),
        ("dimensions.value", "Array(String)"),
        ("created_at", "DateTime"),
    ]
    keys = mart.rows("SELECT engine, partition_key, sorting_key FROM system.tables WHERE database = 'marts' AND name = 'campaign_metrics'")
    assert keys == [("MergeTree", "toYYYYMM(date)", "project_id, platform, campaign_id, date")]


def test_a_restated_month_and_an_emptied_one_give_the_marts_of_a_full_build_and_a_lost_one_is_seen(mart: Any) -> None:
    before = mart.checksums()
    _google(mart, "1", _days(AUGUST), cents=175, at=LATER)
    _google(mart, "1", [], window=JULY, at=LATER)
    plan, _ = mart.build(*COMPARED)
    assert plan.partitions == ("202407", "202408")
    assert mart.rows("SELECT count(), sum(spend), min(date_day) FROM marts.fct_ad_performance_daily WHERE account_id = '1'") == [
        (124, Decimal("111.91"), AUGUST[0])
    ]
    incremental = mart.checksums()
    assert incremental["fct_ad_performance_daily"] != before["fct_ad_performance_daily"]
    mart.build(*COMPARED, full=True)
    assert mart.checksums() == incremental
    _lose_a_month(mart)


def test_an_unchanged_ledger_needs_no_build(mart: Any) -> None:
    _google(mart, "1", _days(AUGUST), cents=175, at=LATER + timedelta(hours=1))
    assert mart.build() == (None, {})


def test_a_moved_account_moves_all_its_months_in_the_owners_table(mart: Any) -> None:
    moved = LATER + timedelta(days=1)
    mart.assign(
        [
            {"project_id": "p", "platform": "google_ads", "account_id": "1", "since": date(2024, 1, 1), "until": date(2024, 8, 10)},
            {"project_id": "q", "platform": "google_ads", "account_id": "1", "since": date(2024, 8, 11)},
        ],
        at=moved,
    )
    plan, _ = mart.build("+campaign_metrics")
    assert plan.partitions == ("202506",)
    moved_days = mart.rows("SELECT project_id, count(), min(date), max(date) FROM marts.campaign_metrics GROUP BY 1 ORDER BY 1")
    assert moved_days == [("p", 10, date(2024, 8, 1), date(2024, 8, 10)), ("q", 21, date(2024, 8, 11), date(2024, 8, 31))]


def test_the_facts_build_reads_only_the_months_that_changed(mart: Any) -> None:
    manifest = json.loads((mart.home.directory("dbt") / "target" / "manifest.json").read_text())
    model = manifest["nodes"]["model.mrm.fct_ad_performance_daily"]["compiled_code"]
    one_month = model.replace("`raw`.`pinned_partitions`", "(SELECT 'org' AS organization_id, 202408 AS partition)")
    plan = "\n".join(line for (line,) in mart.rows(f"EXPLAIN indexes = 1 {one_month}"))
    scans = dict(re.findall(r"ReadFromMergeTree \(raw\.(raw_google_ads__\w+_daily)\).*?Parts: (\d+/\d+)", plan, re.DOTALL))
    assert set(scans) == {"raw_google_ads__ad_daily", "raw_google_ads__campaign_daily", "raw_google_ads__account_daily"}
    for parts in scans.values():
        chosen, held = map(int, parts.split("/"))
        assert 0 < chosen < held


def _parts(mart: Any, mart_name: str = "fct_ad_performance_daily") -> dict[str, str]:
    """Return the data part of each partition of a mart."""
    return dict(
        mart.rows(
            "SELECT partition, any(concat(name, hash_of_all_files)) FROM system.parts WHERE active AND database = 'marts' AND table = {t:String} GROUP BY 1",
            t=mart_name,
        )
    )


def test_one_organizations_lookback_leaves_the_rest_of_its_month_and_everybody_elses_month_alone(mart: Any) -> None:
    _google(mart, "9", _days(AUGUST), organization="neighbour")
    mart.build(*FACT)
    restated_days = "organization_id = 'neighbour' AND date_day BETWEEN '2024-08-12' AND '2024-08-14'"
    rest = f"SELECT sum(cityHash64(*)) FROM marts.fct_ad_performance_daily WHERE NOT ({restated_days})"
    before, untouched = _parts(mart), mart.rows(rest)
    _google(mart, "9", _days((date(2024, 8, 12), date(2024, 8, 14))), cents=999, organization="neighbour", at=LATER)
    plan, statuses = mart.build(*FACT)
    assert plan.partitions == ("202408",)
    assert len(plan.parts) == 1
    after = _parts(mart)
    assert {partition for partition in after if after[partition] != before[partition]} == {
        mart.rows("SELECT toString((toUInt8(cityHash64('neighbour') % 16), 202408))")[0][0]
    }
    assert mart.rows(rest) == untouched
    restated = """SELECT date_day, sum(spend) FROM marts.fct_ad_performance_daily
        WHERE organization_id = 'neighbour' AND date_day BETWEEN {a:Date} AND {b:Date} GROUP BY 1 ORDER BY 1"""
    assert mart.rows(restated, a=date(2024, 8, 11), b=date(2024, 8, 12)) == [(date(2024, 8, 11), Decimal("3.11")), (date(2024, 8, 12), Decimal("20.09"))]
    assert statuses["levels_reconcile"] == "pass"
    kept = "SELECT uniqExact({}) FROM system.{} WHERE active AND database = 'marts' AND table = 'fct_ad_performance_daily'"
    assert mart.rows(kept.format("parent_name", "projection_parts")) == mart.rows(kept.format("name", "parts")), "a replaced part brings its sums along"
    sums = "SELECT account_id, date_day, sum(spend), count() FROM marts.fct_ad_performance_daily GROUP BY 1, 2 ORDER BY 1, 2"
    assert mart.rows(sums) == mart.rows(f"{sums} SETTINGS optimize_use_projections = 0")


def test_a_currency_that_nobody_knows_stops_the_build(mart: Any) -> None:
    day = date(2024, 11, 1)
    row = {"Date": day, "Impressions": 1, "Cost": Decimal(1), "IncludeVAT": "YES", "CampaignId": "1", "AdGroupId": "1", "AdId": "1"}
    for report in ("ad_daily", "campaign_daily", "account_daily"):
        mart.load(f"raw_yandex_direct__{report}", "login", [row], (day, day))
    with pytest.raises(AssertionError, match="fct_ad_performance_daily_has_one_row_per_key"):
        mart.build(*FACT)
