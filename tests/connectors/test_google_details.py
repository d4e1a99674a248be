"""Google Ads in full: entities, breakdowns, the split by action, derived lookback, drift, and landed bodies read again."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.google_ads import client, reports, rows
from connectors.google_ads.batches import Batch, landed
from connectors.google_ads.client import GoogleAds
from connectors.google_ads.replaying import replay
from connectors.google_ads.reports import REPORTS
from connectors.google_ads.settings import SHIPPED_VERSIONS, GoogleAdsCredentials, GoogleAdsSettings
from connectors.patience import Patience
from domain.catalogue import Account, Column, ColumnType, KnowsLookback, Page, Report
from domain.clock import PinnedClock
from domain.errors import ConfigurationError, IncompleteAnswer, RequestRejected
from domain.windows import DateWindow
from services.windows import plan_pull

TODAY = date(2026, 5, 31)
WINDOW = DateWindow(date(2026, 5, 1), TODAY)
SHOP = Account("google_ads", "1000000021", "Shop", "EUR", "Europe/Berlin")
BARE = Account("google_ads", "1000000022", "Bare", "USD", "America/New_York")
BY_NAME = {r.name: r for r in REPORTS}
HEADER = [
    *("platform", "account_id", "account_name", "currency", "timezone", "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name"),
    *("date", "impressions", "clicks", "spend", "conversions", "conversions_value"),
    *("device", "country", "conversion_action", "keyword", "search_term"),
]


def _row(day: str, *measures: object, ids: tuple[str, str, str] = ("11", "21", "31"), **more: str) -> list[object]:
    names = {"11": "Search", "12": "Performance Max"}
    own = [ids[0], names[ids[0]], ids[1], ids[1] and "Group", ids[2], ids[2] and "Ad"]
    return [SHOP.platform, SHOP.account_id, SHOP.name, SHOP.currency, SHOP.timezone, *own, day, *measures, *(more.get(n, "") for n in HEADER[17:])]


ROWS = [
    _row("2026-05-20", 100, 10, "12.34", 0, 0, device="mobile", country="DE", keyword="sofa", search_term="red sofa"),
    _row("2026-05-20", 50, 5, "6", 0, 0, device="desktop", country="AT", keyword="sofa", search_term="blue sofa"),
    _row("2026-05-20", 0, 0, 0, "1.25", 100, device="mobile", country="DE", keyword="sofa", search_term="red sofa", conversion_action="Purchase"),
    _row("2026-05-20", 0, 0, 0, "0.5", 0, device="desktop", country="AT", keyword="sofa", search_term="blue sofa", conversion_action="Trial sign-up"),
    _row("2026-05-20", 500, 5, "3.33", "1.5", "7.25", ids=("12", "", ""), device="mobile", country="DE", conversion_action="Purchase"),
    ["google_ads", BARE.account_id, BARE.name, BARE.currency, BARE.timezone, "13", "C", "23", "G", "33", "A", "2026-05-20", 1, 1, 1, 0, 0, "", "", "", "", ""],
]


@pytest.fixture(scope="module")
def connector(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleAds]:
    path: Path = tmp_path_factory.mktemp("details") / "ads.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *ROWS])
    sandbox = start_sandbox(TODAY, path)
    credentials = GoogleAdsCredentials(developer_token="d" * 22, access_token="sandbox")
    opened = GoogleAds(credentials, GoogleAdsSettings(**sandbox.settings("google_ads")), PinnedClock(TODAY, datetime.now(UTC)), Patience())
    yield opened
    opened.close()


def pull(connector: GoogleAds, name: str, account: Account = SHOP) -> list[Page]:
    return list(connector.pages(account, connector.reports[name], WINDOW))


def rows_of(pages: list[Page]) -> list[dict[str, Any]]:
    return [r for page in pages for r in page.rows.to_pylist()]


def measures(found: list[dict[str, Any]]) -> tuple[Any, ...]:
    names = ("impressions", "clicks", "cost_micros", "conversions", "conversions_value")
    return tuple(sum(r[f"metrics_{name}"] for r in found) for name in names)


TOTAL = (650, 20, 21_670_000, Decimal("3.25"), Decimal("107.25"))
SEARCH = (150, 15, 18_340_000, Decimal("1.75"), Decimal("100"))
EXPECTED = {
    "account_daily": TOTAL,
    "campaign_daily": TOTAL,
    "device_daily": TOTAL,
    "network_daily": TOTAL,
    "geo_daily": TOTAL,
    "ad_group_daily": SEARCH,
    "ad_daily": SEARCH,
    "keyword_daily": SEARCH,
    "search_term_daily": SEARCH,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_levels_reconcile_and_a_breakdown_never_exceeds_its_core(connector: GoogleAds, name: str) -> None:
    assert measures(rows_of(pull(connector, name))) == EXPECTED[name]


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: r.name)
def test_a_natural_key_holds_every_breakdown(connector: GoogleAds, report: Report) -> None:
    found = rows_of(pull(connector, report.name))
    assert found
    assert len({tuple(r[k] for k in report.key) for r in found}) == len(found)
    assert not {c.name for c in report.columns if c.nullable} & set(report.key)


def test_the_split_by_action_reconciles_with_the_total_and_stays_fractional(connector: GoogleAds) -> None:
    found = rows_of(pull(connector, "conversion_action_daily"))
    by_action = {(r["campaign_id"], r["segments_conversion_action_name"]): r["metrics_conversions"] for r in found}
    assert by_action == {("11", "Purchase"): Decimal("1.25"), ("11", "Trial sign-up"): Decimal("0.5"), ("12", "Purchase"): Decimal("1.5")}
    assert sum(r["metrics_conversions_value"] for r in found) == TOTAL[4]
    listed = {f"customers/{SHOP.account_id}/conversionActions/{r['conversion_action_id']}" for r in rows_of(pull(connector, "conversion_actions"))}
    assert {r["segments_conversion_action"] for r in found} == listed


def test_entities_carry_status_budget_and_parents(connector: GoogleAds) -> None:
    campaigns = {r["campaign_id"]: r for r in rows_of(pull(connector, "campaigns"))}
    assert {i: (c["campaign_status"], c["campaign_budget_amount_micros"]) for i, c in campaigns.items()} == {
        "11": ("ENABLED", 19_000_000),
        "12": ("ENABLED", 4_000_000),
    }
    assert {r["campaign_budget_id"] for r in rows_of(pull(connector, "budgets"))} == {c["campaign_budget_id"] for c in campaigns.values()}
    (ad,) = rows_of(pull(connector, "ads"))
    assert (ad["campaign_id"], ad["ad_group_id"], ad["ad_group_ad_ad_id"], ad["ad_group_ad_ad_type"]) == ("11", "21", "31", "RESPONSIVE_SEARCH_AD")
    (keyword,) = rows_of(pull(connector, "keywords"))
    assert (keyword["ad_group_criterion_keyword_text"], keyword["ad_group_criterion_quality_info_quality_score"]) == ("sofa", None)
    countries = {r["geo_target_constant_id"]: r["geo_target_constant_country_code"] for r in rows_of(pull(connector, "countries"))}
    assert {countries[r["geographic_view_country_criterion_id"]] for r in rows_of(pull(connector, "geo_daily"))} == {"DE", "AT"}


def test_an_account_without_details_is_complete_and_empty(connector: GoogleAds) -> None:
    for name in ("keyword_daily", "search_term_daily", "geo_daily", "conversion_action_daily", "keywords"):
        assert [(p.rows.num_rows, bool(p.proof)) for p in pull(connector, name, BARE)] == [(0, True)]


def test_the_lookback_is_derived_from_the_windows_of_the_enabled_actions(connector: GoogleAds) -> None:
    report = connector.reports["account_daily"]
    assert isinstance(connector, KnowsLookback)
    assert (connector.lookback_days(SHOP, report), connector.lookback_days(BARE, report)) == (46, 31)
    assert connector.least_lookback_days(report) == 7
    seen = dict.fromkeys(DateWindow(date(2025, 4, 1), TODAY).dates(), TODAY)
    planned = plan_pull(report, TODAY, date(2015, 1, 1), seen, lookback_days=connector.lookback_days(SHOP, report))
    assert [w.days for w in planned.windows] == [46]


def test_landed_bodies_give_the_same_rows_without_the_network(connector: GoogleAds) -> None:
    for name, report in connector.reports.items():
        pages = pull(connector, name)
        again = list(replay(report, SHOP, (p.body for p in pages)))
        assert pa.concat_tables(again).equals(pa.concat_tables([p.rows for p in pages])), name


def test_a_landed_body_that_ends_inside_a_message_is_refused(connector: GoogleAds) -> None:
    (page,) = pull(connector, "campaign_daily")
    with pytest.raises(IncompleteAnswer, match="ends inside a message"):
        list(replay(connector.reports["campaign_daily"], SHOP, [page.body[:-1]]))


def test_a_field_that_is_new_to_us_lands_and_changes_no_row(connector: GoogleAds) -> None:
    (page,) = pull(connector, "campaign_daily")
    (batch,) = landed(page.body, "v26")
    unknown = b"\xc2\x3e\x03new"
    grown = Batch(batch.body + unknown, "v26").delimited()
    assert unknown in grown
    assert pa.concat_tables(replay(connector.reports["campaign_daily"], SHOP, [grown])).equals(page.rows)


@pytest.fixture
def without_a_field(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Make `ads` select a field that Google does not know, as after its removal from the API."""

    def make(*, optional: bool) -> Report:
        path = "ad_group_ad.ad.once_upon_a_time" if optional else "ad_group_ad.ad.needed"
        paths = {**reports.PATHS, "ads": (*reports.PATHS["ads"], path)}
        for module in (reports, rows, client):
            monkeypatch.setattr(module, "PATHS", paths)
        if optional:
            monkeypatch.setattr(client, "OPTIONAL", {path})
        column = Column(path.replace(".", "_"), ColumnType.STRING, "Gone", nullable=optional)
        return replace(BY_NAME["ads"], columns=(*BY_NAME["ads"].columns, column))

    return make


def test_an_optional_field_that_google_dropped_is_null_with_a_note(connector: GoogleAds, without_a_field: Callable[..., Report]) -> None:
    (page,) = connector.pages(SHOP, without_a_field(optional=True), WINDOW)
    assert page.rows["ad_group_ad_ad_once_upon_a_time"].to_pylist() == [None]
    assert page.rows["ad_group_ad_ad_id"].to_pylist() == ["31"]
    assert page.notes == ("ads: Google no longer knows ad_group_ad.ad.once_upon_a_time, its column is NULL",)


def test_a_field_that_numbers_need_is_refused_loudly(connector: GoogleAds, without_a_field: Callable[..., Report]) -> None:
    with pytest.raises(RequestRejected, match=r"ad_group_ad\.ad\.needed"):
        list(connector.pages(SHOP, without_a_field(optional=False), WINDOW))


def test_a_type_that_google_changed_is_refused_loudly(connector: GoogleAds) -> None:
    report = connector.reports["campaign_daily"]
    retyped = [replace(c, type=ColumnType.INTEGER) if c.name == "campaign_name" else c for c in report.columns]
    with pytest.raises(IncompleteAnswer, match="campaign_name does not read as integer"):
        list(connector.pages(SHOP, replace(report, columns=tuple(retyped)), WINDOW))


def test_the_supported_versions_are_those_of_the_library_and_a_retired_one_is_named() -> None:
    from google.ads.googleads.client import _VALID_API_VERSIONS

    from connectors.registry import connect

    assert sorted(SHIPPED_VERSIONS) == sorted(_VALID_API_VERSIONS)
    with pytest.raises(ConfigurationError, match="switched v21 off on 2026-08-05; this release speaks v23"):
        connect("google_ads", {"developer_token": "d" * 22, "access_token": "sandbox"}, {"api_version": "v21"}, PinnedClock(TODAY, datetime.now(UTC)))
