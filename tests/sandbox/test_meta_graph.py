"""The Graph API's finer parts: breakdowns, windows, expansion, filters, summaries, tokens and what they may do."""

import json
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

ACT = "act_1029384756102938"
WEEK = {"since": "2026-11-01", "until": "2026-11-07"}
SHARED = {"level": "campaign", "time_range": WEEK, "time_increment": "1", "limit": "500"}


def error(answer):
    return answer.json()["error"]


def by_campaign(rows, measure):
    found = {}
    for row in rows:
        key = row["campaign_id"], row["date_start"]
        found[key] = round(found.get(key, 0) + float(row.get(measure, 0)), 2)
    return found


@pytest.mark.parametrize(
    "breakdowns",
    [
        "age,gender",
        "age",
        "country",
        "region",
        "publisher_platform,platform_position",
        "impression_device",
        "publisher_platform,platform_position,impression_device",
        "hourly_stats_aggregated_by_advertiser_time_zone",
    ],
)
def test_every_breakdown_adds_up_to_the_whole(agency, breakdowns):
    fields = "campaign_id,impressions,clicks,spend"
    whole = agency.graph_rows(f"{ACT}/insights", **SHARED, fields=fields)
    split = agency.graph_rows(f"{ACT}/insights", **SHARED, fields=fields, breakdowns=breakdowns)
    assert len(split) > len(whole)
    assert all(set(breakdowns.split(",")) <= row.keys() for row in split)
    for measure in ("impressions", "clicks", "spend"):
        assert by_campaign(split, measure) == by_campaign(whole, measure)


@pytest.mark.parametrize(
    "breakdowns", ["region", "comscore_market", "hourly_stats_aggregated_by_advertiser_time_zone", "hourly_stats_aggregated_by_audience_time_zone"]
)
def test_actions_off_meta_are_left_out_of_regions_and_hours(agency, breakdowns):
    rows = agency.graph_rows(f"{ACT}/insights", level="campaign", fields="actions,action_values", time_range=WEEK, breakdowns=breakdowns, limit="500")
    assert {action["action_type"] for row in rows for action in row.get("actions", ())} == {"link_click", "video_view"}
    assert not any("action_values" in row for row in rows)


@pytest.mark.parametrize(
    ("breakdowns", "words"),
    [
        ("age,country", "(action_type, age, country) is invalid"),
        ("platform_position", "(action_type, platform_position) is invalid"),
        ("publisher_platform,age", "is invalid"),
        ("dma", "dma is not valid for breakdowns param"),
    ],
)
def test_breakdowns_that_meta_does_not_combine_are_refused(agency, breakdowns, words):
    found = error(agency.graph(f"{ACT}/insights", fields="spend", breakdowns=breakdowns))
    assert (found["code"], words in found["message"]) == (100, True)


def test_reach_with_breakdowns_ends_with_thirteen_months(agency):
    def fields(since, **more):
        window = {"since": since, "until": "2025-10-31"}
        return agency.graph_rows(f"{ACT}/insights", fields="reach,impressions,frequency", time_range=window, **more)[0].keys()

    assert {"reach", "frequency"} <= fields("2025-10-23", breakdowns="country")
    assert not {"reach", "frequency"} & fields("2025-10-22", breakdowns="country")
    assert "reach" in fields("2025-10-22")


def test_leads_and_purchases_have_types_of_their_own(serve):
    bench = serve({"conversion_action": "Lead form", "conversions_value": "0"}, {"conversion_action": "Purchase", "conversions": "3"})
    row = bench.graph_rows("act_100200300/insights", fields="actions,action_values", date_preset="last_30d")[0]
    counts = {a["action_type"]: a["value"] for a in row["actions"]}
    assert (counts["omni_purchase"], counts["lead"], counts["offsite_conversion.fb_pixel_lead"]) == ("3", "2", "2")
    assert {a["action_type"] for a in row["action_values"]} == {"omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase"}


def test_videos_are_played_and_watched_through_pictures_are_not_and_levels_agree(serve):
    film = {"ad_id": "32", "ad_name": "Видео 15s", "impressions": "1000"}
    bench = serve({}, film)
    asked = {"fields": "ad_id,actions,video_thruplay_watched_actions", "date_preset": "last_30d"}
    picture, played = bench.graph_rows("act_100200300/insights", level="ad", **asked)
    plays = {a["action_type"]: int(a["value"]) for a in played["actions"]}["video_view"]
    [through] = played["video_thruplay_watched_actions"]
    assert 0 < int(through["value"]) < plays < 1000
    assert through["action_type"] == "video_view"
    assert "video_view" not in {a["action_type"] for a in picture["actions"]}
    assert "video_thruplay_watched_actions" not in picture
    [account] = bench.graph_rows("act_100200300/insights", level="account", **asked)
    assert {a["action_type"]: int(a["value"]) for a in account["actions"]}["video_view"] == plays
    assert account["video_thruplay_watched_actions"] == [through]
    [alone] = bench.graph_rows("act_100200300/insights", fields="video_thruplay_watched_actions", date_preset="last_30d")
    assert alone["video_thruplay_watched_actions"] == [through]


def test_clicks_and_views_make_up_the_default_window(serve):
    bench = serve({"conversions": "100", "conversions_value": "1000"})
    windows = ["1d_view", "1d_ev", "1d_click", "7d_click", "28d_click"]
    fields = "actions,action_values"
    row = bench.graph_rows("act_100200300/insights", fields=fields, date_preset="last_30d", action_attribution_windows=windows)[0]
    counts, worth = (
        {k: float(v) for k, v in next(a for a in row[f] if a["action_type"] == "omni_purchase").items() if k != "action_type"} for f in fields.split(",")
    )
    assert counts["value"] == counts["7d_click"] + counts["1d_view"] == 100
    assert 0 < counts["1d_ev"] < counts["1d_click"] < counts["7d_click"] < counts["28d_click"]
    assert worth["7d_click"] == counts["7d_click"] * 10


@pytest.mark.parametrize(("currency", "spend", "minor"), [("JPY", "1500", "1500"), ("KWD", "12.345", "12345"), ("USD", "12.34", "1234")])
def test_spend_is_in_major_units_and_what_was_spent_in_all_in_minor_ones(serve, currency, spend, minor):
    bench = serve({"currency": currency, "spend": spend})
    assert bench.graph_rows("act_100200300/insights", fields="spend", date_preset="last_30d")[0]["spend"] == spend
    assert bench.graph("act_100200300", fields="amount_spent").json()["amount_spent"] == minor


def test_fields_expand_into_parents_children_and_insights(agency):
    fields = "name,campaign{name,objective},adset{name},creative{id,name,object_type},insights.date_preset(last_7d){spend,impressions}"
    ad = agency.graph_rows(f"{ACT}/ads", fields=fields, limit="1")[0]
    assert ad["campaign"]["objective"] == "OUTCOME_SALES"
    assert ad["creative"].keys() == {"id", "name", "object_type"}
    own = agency.graph_rows(f"{ad['id']}/insights", fields="spend,impressions", date_preset="last_7d")
    assert ad["insights"]["data"] == own
    campaign = agency.graph(ad["campaign"]["id"], fields="adsets.limit(2){name,ads.limit(1){id}}").json()
    assert len(campaign["adsets"]["data"]) == 2
    assert len(campaign["adsets"]["data"][0]["ads"]["data"]) == 1
    creative = agency.graph(ad["creative"]["id"], fields="account_id,call_to_action_type").json()
    assert creative["account_id"] == ACT.removeprefix("act_")
    assert error(agency.graph(f"{ACT}/ads", fields="name{"))["code"] == 2500
    assert "nonexisting field (nonsense) on node type (Campaign)" in error(agency.graph(f"{ACT}/ads", fields="campaign{nonsense}"))["message"]


def test_an_edge_has_pages_of_five_hundred_a_way_back_and_a_count(agency):
    first = agency.graph(f"{ACT}/ads", fields="id", limit="3", summary="total_count").json()
    every = agency.graph_rows(f"{ACT}/ads", fields="id", limit="9999")
    assert first["summary"]["total_count"] == len(every)
    second = agency.http.get(first["paging"]["next"]).json()
    assert agency.http.get(second["paging"]["previous"]).json()["data"] == first["data"]
    assert [r["id"] for r in every[3:6]] == [r["id"] for r in second["data"]]


def test_edges_filter_by_state_name_id_and_time(agency):
    def ids(edge, **condition):
        return [r["id"] for r in agency.graph_rows(f"{ACT}/{edge}", fields="id", limit="500", filtering=[condition])]

    campaigns = agency.graph_rows(f"{ACT}/campaigns", fields="id,name,effective_status,updated_time,daily_budget", limit="500")
    paused = [c["id"] for c in campaigns if c["effective_status"] == "PAUSED"]
    assert ids("campaigns", field="effective_status", operator="IN", value=["PAUSED"]) == paused != []
    assert ids("campaigns", field="campaign.effective_status", operator="NOT_IN", value=["PAUSED"]) == [c["id"] for c in campaigns if c["id"] not in paused]
    assert ids("campaigns", field="name", operator="CONTAIN", value="Leads") == [c["id"] for c in campaigns if "Leads" in c["name"]]
    assert ids("campaigns", field="campaign.updated_time", operator="GREATER_THAN", value=4_000_000_000) == []
    assert len(ids("campaigns", field="campaign.updated_time", operator="GREATER_THAN", value=1)) == len(campaigns)
    assert next(c for c in campaigns if c["name"].startswith("Catalog"))["daily_budget"] == "410000"


def test_insights_filter_by_what_is_and_what_is_not(agency):
    params = {"level": "campaign", "fields": "campaign_id,campaign_name", "time_range": WEEK, "limit": "500"}
    every = [r["campaign_id"] for r in agency.graph_rows(f"{ACT}/insights", **params)]

    def kept(operator, value, field="campaign.id"):
        return [r["campaign_id"] for r in agency.graph_rows(f"{ACT}/insights", **params, filtering=[{"field": field, "operator": operator, "value": value}])]

    assert kept("IN", every[:2]) == every[:2]
    assert kept("NOT_IN", every[:2]) == every[2:]
    assert set(kept("CONTAIN", "Leads", "campaign.name")) < set(every)
    assert kept("IN", ["ACTIVE"], "campaign.effective_status") == every


def test_rows_come_sorted_summed_and_over_several_ranges(agency):
    params = {"level": "campaign", "fields": "campaign_id,spend,impressions", "limit": "500"}
    rows = agency.graph_rows(f"{ACT}/insights", **params, time_range=WEEK, sort=["spend_descending"])
    assert [float(r["spend"]) for r in rows] == sorted((float(r["spend"]) for r in rows), reverse=True)
    page = agency.graph(f"{ACT}/insights", **params, time_range=WEEK, summary=["spend"]).json()
    assert page["summary"]["spend"] == f"{sum(float(r['spend']) for r in rows):.2f}"
    assert page["summary"].keys() == {"spend", "date_start", "date_stop"}
    assert "weren't there" in error(agency.graph(f"{ACT}/insights", **params, time_range=WEEK, summary=["clicks"]))["message"]
    both = [WEEK, {"since": "2026-11-08", "until": "2026-11-09"}]
    ranges = agency.graph_rows(f"{ACT}/insights", fields="spend", time_ranges=both)
    assert [(r["date_start"], r["date_stop"]) for r in ranges] == [("2026-11-01", "2026-11-07"), ("2026-11-08", "2026-11-09")]
    assert ranges[0]["spend"] == page["summary"]["spend"]


def test_a_failed_run_says_why_since_v25(agency):
    agency.control("POST", "faults", {"platform": "meta_ads", "kind": "report_failed", "code": 2601, "account_id": ACT})
    run = agency.graph(f"{ACT}/insights", method="POST", fields="spend", time_range=WEEK).json()["report_run_id"]
    state = [agency.graph(run).json() for _ in range(4)][-1]
    assert (state["async_status"], state["error_code"], state["async_percent_completion"]) == ("Job Failed", 2601, 0)
    assert error(agency.graph(f"{run}/insights"))["code"] == 2601


def test_tokens_tell_what_they_may_do_and_until_when(agency):
    lacking = "sandbox-without-ads_read"
    rows = agency.graph("me/permissions", access_token=lacking).json()["data"]
    assert {r["permission"]: r["status"] for r in rows}["ads_read"] == "declined"
    for path in (ACT, "me/adaccounts", f"{ACT}/campaigns"):
        refused = agency.graph(path, access_token=lacking)
        assert (refused.status_code, error(refused)["code"]) == (403, 200)
    app = agency.graph("debug_token", input_token="sandbox", access_token="123456789012345|secret").json()["data"]
    assert (app["is_valid"], "ads_read" in app["scopes"]) == (True, True)
    assert datetime.fromtimestamp(app["expires_at"], UTC).date() == date(2027, 1, 22)
    assert agency.graph("debug_token", input_token="expired-1").json()["data"]["error"]["subcode"] == 463
    assert agency.graph("debug_token", input_token="EAAB").json()["data"]["is_valid"] is False


def test_tokens_are_exchanged_and_codes_taken(agency):
    app = {"client_id": "1", "client_secret": "s", "access_token": ""}
    assert agency.graph("oauth/access_token", **app, code="sandbox-code-1", redirect_uri="http://x/").json()["access_token"].startswith("sandbox-long-lived")
    assert agency.graph("oauth/access_token", **app, grant_type="client_credentials").json()["access_token"] == "1|s"
    assert error(agency.graph("oauth/access_token", **app, code="stolen"))["code"] == 100
    assert error(agency.graph("oauth/access_token", **app, grant_type="fb_exchange_token", fb_exchange_token="expired-1"))["code"] == 190
    assert error(agency.graph("oauth/access_token", access_token="", grant_type="fb_exchange_token", fb_exchange_token="sandbox"))["code"] == 101
    url = f"{agency.state['meta_ads']['endpoint']}/v26.0/dialog/oauth?redirect_uri=http://127.0.0.1:1/back&state=s1"
    back = parse_qs(urlsplit(agency.http.get(url, follow_redirects=False).headers["location"]).query)
    assert (back["state"], back["code"][0].startswith("sandbox-code")) == (["s1"], True)


def test_a_batch_has_fifty_parts_at_most_and_each_its_own_headers(agency):
    part = {"method": "GET", "relative_url": f"{ACT}?fields=name"}
    assert error(agency.graph("", method="POST", batch=[part] * 51))["code"] == 100
    answers = agency.graph("", method="POST", batch=[part, {"method": "GET", "relative_url": f"{ACT}/insights?fields=spend"}]).json()
    assert [a["code"] for a in answers] == [200, 200]
    assert "X-Business-Use-Case-Usage" in {h["name"] for h in answers[1]["headers"]}
    assert json.loads(answers[1]["body"])["data"]


def test_the_official_client_reads_the_same_totals_at_once_and_as_a_run(agency):
    """The package is pointed at the sandbox by its session's address alone."""
    from facebook_business.adobjects.adaccount import AdAccount
    from facebook_business.api import FacebookAdsApi, FacebookSession

    session = FacebookSession(access_token="sandbox", timeout=30)
    session.GRAPH = agency.state["meta_ads"]["endpoint"]
    session.requests.trust_env = False
    api = FacebookAdsApi(session)
    account = AdAccount(ACT, api=api)
    params = {"level": "ad", "time_range": WEEK, "time_increment": 1, "limit": 100, "action_attribution_windows": ["7d_click", "1d_view"]}
    fields = ["ad_id", "spend", "impressions", "actions"]
    now = list(account.get_insights(fields, params))
    run = account.get_insights(fields, params, is_async=True)
    while run.api_get()["async_status"] != "Job Completed":
        pass
    later = list(run.get_result(params={"limit": 100}))
    mine = agency.graph_rows(f"{ACT}/insights", level="ad", fields=",".join(fields), time_range=WEEK, time_increment="1", limit="500")
    assert sum(float(r["spend"]) for r in now) == sum(float(r["spend"]) for r in later) == sum(float(r["spend"]) for r in mine)
    assert len(now) == len(later) == len(mine) > 100
    assert {c["id"] for c in account.get_campaigns(["name", "daily_budget"])} == {r["id"] for r in agency.graph_rows(f"{ACT}/campaigns", fields="id")}
    assert len(list(account.get_ad_creatives(["title"], {"limit": 7}))) == len(list(account.get_ads(["creative"], {"limit": 500})))
    session.requests.close()
