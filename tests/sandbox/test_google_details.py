"""Google Ads in the sandbox: what is finer than an ad, entities, totals, field metadata, quotas and page tokens."""

from datetime import date, timedelta

import pytest

from sandbox.google_ads.countries import COUNTRIES
from sandbox.google_ads.errors import CODES
from sandbox.google_ads.wire import fields, integer, message, text

ME, US, CLIENT = "2417305861", "5509318274", "1234567890"
WINDOW = "segments.date BETWEEN '2026-11-01' AND '2026-11-07'"
METRICS = "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value"


def sums(rows):
    m = [r.metrics for r in rows]
    return tuple(round(sum(getattr(x, name) for x in m), 2) for name in ("impressions", "clicks", "cost_micros", "conversions", "conversions_value"))


@pytest.fixture(scope="module")
def core(agency):
    return sums(agency.google.rows(ME, f"SELECT segments.date, {METRICS} FROM campaign WHERE {WINDOW}"))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT campaign.id, segments.device, segments.date, {} FROM campaign",
        "SELECT campaign.id, segments.ad_network_type, segments.date, {} FROM campaign",
        "SELECT campaign.id, geographic_view.country_criterion_id, geographic_view.location_type, segments.date, {} FROM geographic_view",
        "SELECT user_location_view.country_criterion_id, user_location_view.targeting_location, segments.date, {} FROM user_location_view",
        "SELECT campaign_budget.id, segments.date, {} FROM campaign_budget",
    ],
)
def test_a_breakdown_adds_up_to_its_core(agency, core, query):
    assert sums(agency.google.rows(ME, f"{query.format(METRICS)} WHERE {WINDOW}")) == core


def test_the_split_by_action_adds_up_to_the_conversions(agency, core):
    select = "SELECT campaign.id, segments.conversion_action, segments.conversion_action_name, segments.conversion_action_category, segments.date"
    rows = agency.google.rows(ME, f"{select}, metrics.conversions, metrics.conversions_value FROM campaign WHERE {WINDOW}")
    assert sums(rows)[3:] == core[3:]
    assert {(r.segments.conversion_action_name, r.segments.conversion_action_category) for r in rows} == {("Purchase", 4), ("Phone call", 11)}


def test_keywords_and_terms_of_the_search_campaigns_add_up_to_them(agency):
    search = f"WHERE {WINDOW} AND campaign.advertising_channel_type = 'SEARCH'"
    core = sums(agency.google.rows(ME, f"SELECT campaign.id, segments.date, {METRICS} FROM campaign {search}"))
    keywords = agency.google.rows(ME, f"SELECT ad_group_criterion.criterion_id, segments.date, {METRICS} FROM keyword_view {search}")
    terms = agency.google.rows(ME, f"SELECT search_term_view.search_term, segments.keyword.info.text, segments.date, {METRICS} FROM search_term_view {search}")
    assert sums(keywords) == sums(terms) == core
    assert all(r.search_term_view.search_term.startswith(r.segments.keyword.info.text) for r in terms)
    listed = agency.google.rows(ME, "SELECT ad_group_criterion.criterion_id FROM ad_group_criterion WHERE ad_group_criterion.type = 'KEYWORD'")
    assert {r.ad_group_criterion.criterion_id for r in keywords} <= {r.ad_group_criterion.criterion_id for r in listed}


def test_campaigns_name_their_budgets(agency):
    campaigns = agency.google.rows(ME, "SELECT campaign.id, campaign.campaign_budget, campaign_budget.amount_micros FROM campaign")
    budgets = agency.google.rows(ME, "SELECT campaign_budget.resource_name, campaign_budget.amount_micros, campaign_budget.period FROM campaign_budget")
    known = {r.campaign_budget.resource_name: r.campaign_budget.amount_micros for r in budgets}
    assert {r.campaign.campaign_budget: r.campaign_budget.amount_micros for r in campaigns} == known
    assert known[campaigns[0].campaign.campaign_budget] == 9_200_000_000
    assert {r.campaign_budget.period for r in budgets} == {2}


def test_a_datasets_budget_covers_its_dearest_day(serve):
    bench = serve({"platform": "google_ads", "spend": "12.34"}, {"platform": "google_ads", "date": "2026-11-02", "spend": "7"})
    (row,) = bench.google.rows(CLIENT, "SELECT campaign_budget.amount_micros FROM campaign_budget")
    assert row.campaign_budget.amount_micros == 13_000_000


def test_windows_of_the_actions_differ_by_account(agency):
    query = "SELECT conversion_action.click_through_lookback_window_days FROM conversion_action WHERE conversion_action.status = 'ENABLED'"
    windows = {a: max(r.conversion_action.click_through_lookback_window_days for r in agency.google.rows(a, query)) for a in (ME, US)}
    assert windows == {ME: 60, US: 45}


def test_countries_have_googles_criterion_ids(agency, serve):
    query = "SELECT geo_target_constant.id, geo_target_constant.country_code FROM geo_target_constant WHERE geo_target_constant.target_type = 'Country'"
    known = {r.geo_target_constant.country_code: r.geo_target_constant.id for r in agency.google.rows(ME, query)}
    assert (len(known), known["US"], known["DE"], known["RU"]) == (len(COUNTRIES), 2840, 2276, 2643)
    bench = serve(*({"platform": "google_ads", "country": name} for name in ("DE", "de", "Germany", "Nowhere")))
    rows = bench.google.rows(CLIENT, "SELECT geographic_view.country_criterion_id, metrics.clicks FROM geographic_view WHERE segments.date = '2026-11-01'")
    assert [(r.geographic_view.country_criterion_id, r.metrics.clicks) for r in rows] == [(2276, 30)]


def test_assets_are_of_the_ads(agency):
    rows = agency.google.rows(US, "SELECT asset.id, asset.name, asset.type, asset.text_asset.text FROM asset")
    assert {r.asset.type_ for r in rows} == {2, 4, 5}
    assert all(r.asset.text_asset.text == r.asset.name for r in rows if r.asset.type_ == 5)


def test_a_page_tells_the_total_and_the_summary_if_asked(agency):
    request = text(1, ME) + text(2, f"SELECT campaign.id, metrics.clicks FROM campaign WHERE {WINDOW} LIMIT 2")
    answer = agency.google.unary("GoogleAdsService", "Search", request + message(10, integer(2, 1) + integer(3, 1)))
    clicks = sum(r.metrics.clicks for r in agency.google.rows(ME, f"SELECT metrics.clicks FROM campaign WHERE {WINDOW}"))
    assert (len(answer[1]), answer[3]) == (2, [6])
    assert dict(fields(dict(fields(answer[6][0]))[4]))[131] == clicks
    alone = agency.google.unary("GoogleAdsService", "Search", request + message(10, integer(1, 1) + integer(2, 1)))
    assert 1 not in alone
    assert alone[6] == answer[6]


def test_fields_are_described_as_the_api_does(agency):
    query = "SELECT name, data_type, enum_values, is_repeated WHERE name IN ('campaign.status', 'metrics.clicks', 'segments.date', 'no.such')"
    answer = agency.google.unary("GoogleAdsFieldService", "SearchGoogleAdsFields", text(1, query) + integer(3, 4))
    described = {bytes(dict(fields(r))[21]).decode(): dict(fields(r)) for r in answer[1]}
    assert {name: one[12] for name, one in described.items()} == {"campaign.status": 5, "metrics.clicks": 8, "segments.date": 3}
    assert b"ENABLED" in [v for n, v in fields(answer[1][0]) if n == 29]
    rest = agency.http.get(f"{agency.state['google_ads']['rest']}/v26/googleAdsFields/campaign.id", headers=agency.google.headers)
    assert rest.json()["dataType"] == "INT64"
    error = agency.google.refused(agency.google.unary, "GoogleAdsFieldService", "SearchGoogleAdsFields", text(1, "SELECT name FROM campaign"))
    assert error.code == CODES["query_error"]["UNEXPECTED_FROM_CLAUSE"]


def test_an_explorers_operations_are_counted_by_the_day(agency):
    token = "explorer".ljust(22, "x")
    quotas = agency.sandbox.google_ads.quotas
    for _ in range(2_880):
        quotas.take(token, agency.sandbox.clock.now())
    error = agency.google.refused(agency.google.rows, ME, "SELECT customer.id FROM customer", developer_token=token)
    assert (error.status, error.category) == ("RESOURCE_EXHAUSTED", "quota_error")
    assert 0 < error.retry_delay <= 86_400
    agency.control("DELETE", "limits")
    assert len(agency.google.rows(ME, "SELECT customer.id FROM customer", developer_token=token)) == 1


def test_a_page_token_of_another_day_has_expired(serve):
    rows = ({"platform": "google_ads", "ad_id": str(n), "date": f"2026-11-{d:02d}"} for n in range(1, 1001) for d in range(1, 12))
    bench = serve(*rows)
    request = text(1, CLIENT) + text(2, "SELECT ad_group_ad.ad.id, segments.date, metrics.clicks FROM ad_group_ad WHERE segments.date DURING THIS_MONTH")
    first = bench.google.unary("GoogleAdsService", "Search", request)
    following = request + message(3, first[2][0])
    assert (len(first[1]), len(bench.google.unary("GoogleAdsService", "Search", following)[1])) == (10_000, 1_000)
    bench.control("POST", "clock", {"today": (date(2026, 11, 23) + timedelta(days=1)).isoformat()})
    error = bench.google.refused(bench.google.unary, "GoogleAdsService", "Search", following)
    assert error.code == CODES["request_error"]["EXPIRED_PAGE_TOKEN"]
