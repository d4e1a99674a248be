"""The Graph API: insights at once and as report runs, paging, absent keys, and its refusals."""

import json
from datetime import date

import pytest

ACT = "act_1029384756102938"
OCTOBER = {"since": "2026-10-01", "until": "2026-10-31"}


def error(answer):
    return answer.json()["error"]


def test_the_users_ad_accounts_are_listed_in_pages(agency):
    first = agency.graph("me/adaccounts", fields="account_id,name,currency,timezone_name,account_status", limit="2").json()
    assert [a["currency"] for a in first["data"]] == ["RUB", "USD"]
    assert first["data"][0]["id"] == ACT
    assert len(agency.graph_rows("me/adaccounts", limit="2")) == 3


def test_a_token_of_one_account_lists_that_account_alone(agency):
    only = agency.graph_rows("me/adaccounts", access_token=f"sandbox-only-{ACT.removeprefix('act_')}")
    assert [a["id"] for a in only] == [ACT]


def test_without_fields_a_node_gives_its_ids(agency):
    assert agency.graph(ACT).json() == {"account_id": ACT.removeprefix("act_"), "id": ACT}


def test_metrics_are_strings_and_dates_are_always_there(agency):
    row = agency.graph_rows(f"{ACT}/insights", fields="impressions,clicks,spend,cpc,ctr", time_range=OCTOBER)[0]
    assert row.keys() == {"impressions", "clicks", "spend", "cpc", "ctr", "date_start", "date_stop"}
    assert all(isinstance(v, str) for v in row.values())
    assert (row["date_start"], row["date_stop"]) == ("2026-10-01", "2026-10-31")


def test_one_purchase_stands_in_every_tier(serve):
    bench = serve({"conversions": "5", "conversions_value": "99.90"})
    row = bench.graph_rows("act_100200300/insights", fields="actions,action_values", date_preset="last_30d")[0]
    assert {a["action_type"]: a["value"] for a in row["actions"]} == {
        "link_click": "10",
        "omni_purchase": "5",
        "purchase": "5",
        "offsite_conversion.fb_pixel_purchase": "5",
    }
    assert {a["value"] for a in row["action_values"]} == {"99.90"}


def test_windows_that_were_asked_for_stand_beside_the_value(serve):
    bench = serve({})
    row = bench.graph_rows("act_100200300/insights", fields="actions", date_preset="last_30d", action_attribution_windows=["7d_click", "1d_view"], limit="1")[0]
    purchase = next(a for a in row["actions"] if a["action_type"] == "omni_purchase")
    assert purchase == {"action_type": "omni_purchase", "value": "2", "7d_click": "2"}


def test_what_has_no_value_is_an_absent_key(serve):
    bench = serve(
        {"clicks": "0", "conversions": "0", "conversions_value": "0"},
        {"date": "2026-11-02", "impressions": "0", "clicks": "0", "spend": "0"},
    )
    fields = "impressions,clicks,spend,cpc,ctr,inline_link_clicks,actions,action_values,video_p25_watched_actions,quality_ranking"
    delivered, late = bench.graph_rows("act_100200300/insights", fields=fields, date_preset="last_30d", time_increment="1")
    assert delivered == {"impressions": "100", "clicks": "0", "spend": "12.34", "ctr": "0", "date_start": "2026-11-01", "date_stop": "2026-11-01"}
    assert late.keys() == {"impressions", "spend", "actions", "action_values", "date_start", "date_stop"}
    assert late["spend"] == "0"


def test_names_travel_as_they_are(serve):
    name = 'Лето "2026"\\n, 100%\t'
    bench = serve({"campaign_name": name, "ad_name": name})
    row = bench.graph_rows("act_100200300/insights", level="ad", fields="campaign_name,ad_name", date_preset="last_30d")[0]
    assert (row["campaign_name"], row["ad_name"]) == (name, name)


@pytest.mark.parametrize(
    ("increment", "starts"),
    [
        ("all_days", ["2026-10-30"]),
        ("monthly", ["2026-10-30", "2026-11-01"]),
        ("2", ["2026-10-30", "2026-11-01", "2026-11-03"]),
        ("1", ["2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03"]),
    ],
)
def test_time_increment_cuts_the_window(agency, increment, starts):
    rows = agency.graph_rows(f"{ACT}/insights", fields="impressions", time_range={"since": "2026-10-30", "until": "2026-11-03"}, time_increment=increment)
    assert [r["date_start"] for r in rows] == starts
    assert rows[-1]["date_stop"] == "2026-11-03"
    whole = agency.graph_rows(f"{ACT}/insights", fields="impressions", time_range={"since": "2026-10-30", "until": "2026-11-03"})
    assert sum(int(r["impressions"]) for r in rows) == int(whole[0]["impressions"])


def test_a_coarser_level_has_no_finer_keys(agency):
    row = agency.graph_rows(f"{ACT}/insights", level="campaign", fields="campaign_id,adset_id,ad_name,spend", time_range=OCTOBER)[0]
    assert row.keys() == {"campaign_id", "spend", "date_start", "date_stop"}


def test_pages_follow_cursors_and_miss_nothing(agency):
    params = {"level": "ad", "fields": "ad_id,impressions", "time_range": OCTOBER, "time_increment": "1"}
    paged = agency.graph_rows(f"{ACT}/insights", **params, limit="99")
    assert paged == agency.graph_rows(f"{ACT}/insights", **params, limit="5000")
    assert len({(r["ad_id"], r["date_start"]) for r in paged}) == len(paged)
    page = agency.graph(f"{ACT}/insights", **params).json()
    assert len(page["data"]) == 25
    assert page["paging"]["cursors"].keys() == {"before", "after"}


def test_a_page_may_be_smaller_than_the_limit(agency):
    params = {"level": "ad", "fields": "ad_id", "time_range": {"since": "2026-05-01", "until": "2026-11-23"}, "time_increment": "1"}
    page = agency.graph(f"{ACT}/insights", **params, limit="100000").json()
    assert len(page["data"]) == 5000
    assert "next" in page["paging"]


def test_filtering_keeps_the_named_objects(agency):
    campaigns = agency.graph_rows(f"{ACT}/campaigns", fields="name")
    filtering = [{"field": "campaign.id", "operator": "IN", "value": [campaigns[0]["id"]]}]
    rows = agency.graph_rows(f"{ACT}/insights", level="campaign", fields="campaign_id", time_range=OCTOBER, filtering=filtering)
    assert [r["campaign_id"] for r in rows] == [campaigns[0]["id"]]
    own = agency.graph_rows(f"{campaigns[0]['id']}/insights", fields="campaign_id,spend", time_range=OCTOBER)
    assert own[0]["campaign_id"] == campaigns[0]["id"]


def test_edges_below_an_account_are_there(agency):
    ads = agency.graph_rows(f"{ACT}/ads", fields="id,name,adset_id,campaign_id,effective_status", limit="500")
    sets = {s["id"] for s in agency.graph_rows(f"{ACT}/adsets", fields="campaign_id,name", limit="500")}
    assert {a["adset_id"] for a in ads} == sets
    one = agency.graph(ads[0]["id"], fields="name,campaign_id").json()
    assert one == {k: ads[0][k] for k in ("name", "campaign_id", "id")}
    assert len(agency.graph_rows(f"{ads[0]['campaign_id']}/ads", limit="500")) == sum(a["campaign_id"] == ads[0]["campaign_id"] for a in ads)


def start_run(bench, **params):
    merged = {"level": "campaign", "fields": "campaign_id,spend", "time_range": OCTOBER, "time_increment": "1", **params}
    return bench.graph(f"{ACT}/insights", method="POST", **merged).json()["report_run_id"]


def test_a_report_run_goes_through_its_states(agency):
    run = start_run(agency)
    seen = [agency.graph(run).json() for _ in range(5)]
    assert [(s["async_status"], s["async_percent_completion"]) for s in seen] == [
        ("Job Not Started", 0),
        ("Job Started", 10),
        ("Job Running", 100),
        ("Job Completed", 100),
        ("Job Completed", 100),
    ]
    assert seen[0]["account_id"] == ACT.removeprefix("act_")
    rows = agency.graph_rows(f"{run}/insights", limit="40")
    assert rows == agency.graph_rows(f"{ACT}/insights", level="campaign", fields="campaign_id,spend", time_range=OCTOBER, time_increment="1", limit="40")


def test_a_report_read_too_early_has_the_recorded_error(agency, fixtures):
    recorded = json.loads((fixtures / "meta_ads/error_2601_report_not_ready.json").read_text())["error"]
    answer = agency.graph(f"{start_run(agency)}/insights")
    assert answer.status_code == 400
    assert {**error(answer), "fbtrace_id": ""} == {**recorded, "fbtrace_id": ""}


def test_a_run_answers_as_it_stood_when_it_began(serve):
    bench = serve({"as_of": "2026-11-02"}, {"clicks": "77", "as_of": "2026-11-03"}, today=date(2026, 11, 2))
    params = {"fields": "clicks", "time_range": {"since": "2026-11-01", "until": "2026-11-01"}}
    run = bench.graph("act_100200300/insights", method="POST", **params).json()["report_run_id"]
    bench.control("POST", "clock", {"today": "2026-11-03"})
    for _ in range(4):
        bench.graph(run)
    assert bench.graph_rows(f"{run}/insights")[0]["clicks"] == "10"
    assert bench.graph_rows("act_100200300/insights", **params)[0]["clicks"] == "77"


def test_several_requests_go_in_one_batch(agency):
    parts = [{"method": "GET", "relative_url": f"{ACT}?fields=name"}, {"method": "GET", "relative_url": "v26.0/act_1?fields=name"}]
    answer = agency.graph("", method="POST", batch=parts).json()
    assert [p["code"] for p in answer] == [200, 400]
    assert json.loads(answer[0]["body"])["name"] == "Северный дом"


def test_usage_headers_come_with_every_answer_about_an_account(agency):
    answer = agency.graph(f"{ACT}/insights", fields="spend")
    assert json.loads(answer.headers["X-Business-Use-Case-Usage"])[ACT.removeprefix("act_")][0]["estimated_time_to_regain_access"] == 0
    assert json.loads(answer.headers["X-Ad-Account-Usage"])["reset_time_duration"] == 0
    assert "acc_id_util_pct" in json.loads(answer.headers["X-FB-Ads-Insights-Throttle"])


REFUSALS = {
    "an unknown insights field": (f"{ACT}/insights", {"fields": "spend,nonsense"}, 400, 100, 0, "nonsense is not valid for fields param"),
    "an unknown account field": (ACT, {"fields": "nonsense"}, 400, 100, 0, "nonexisting field (nonsense)"),
    "an unknown edge": (f"{ACT}/nonsense", {}, 400, 100, 0, "nonexisting field (nonsense)"),
    "an unknown account": ("act_999", {"fields": "name"}, 400, 100, 33, "does not exist"),
    "an unknown alias": ("someone", {}, 404, 803, 0, "aliases you requested do not exist: someone"),
    "an unknown level": (f"{ACT}/insights", {"level": "keyword"}, 400, 100, 0, "level must be one of"),
    "an unknown breakdown": (f"{ACT}/insights", {"breakdowns": "shoe_size"}, 400, 100, 0, "breakdowns"),
    "a window that has ended": (f"{ACT}/insights", {"action_attribution_windows": ["7d_view"]}, 400, 100, 0, "action_attribution_windows"),
    "a window the wrong way round": (f"{ACT}/insights", {"time_range": {"since": "2026-10-02", "until": "2026-10-01"}}, 400, 100, 0, "before or the same as"),
    "a bad date": (f"{ACT}/insights", {"time_range": {"since": "01.10.2026", "until": "2026-10-01"}}, 400, 100, 0, "time_range"),
    "a time range that is no object": (f"{ACT}/insights", {"time_range": "october"}, 400, 100, 0, "time_range"),
    "a bad preset": (f"{ACT}/insights", {"date_preset": "last_century"}, 400, 100, 0, "date_preset"),
    "a bad increment": (f"{ACT}/insights", {"time_increment": "0"}, 400, 100, 0, "time_increment"),
    "a bad limit": (f"{ACT}/insights", {"limit": "none"}, 400, 100, 0, "limit"),
    "a bad cursor": (f"{ACT}/insights", {"after": "QUJD"}, 400, 100, 0, "cursor"),
    "a foreign token": (ACT, {"access_token": "EAAB"}, 400, 190, 0, "Cannot parse access token"),
    "an expired token": (ACT, {"access_token": "expired-1"}, 400, 190, 463, "Session has expired"),
    "no token": (ACT, {"access_token": ""}, 400, 104, 0, "access token is required"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_request_is_refused_as_meta_does(agency, case):
    path, params, status, code, subcode, words = REFUSALS[case]
    answer = agency.graph(path, **params)
    found = error(answer)
    assert (answer.status_code, found["code"], found.get("error_subcode", 0)) == (status, code, subcode)
    assert words in found["message"]
    assert found["fbtrace_id"]


def test_a_token_in_the_header_is_as_good(agency):
    url = f"{agency.state['meta_ads']['endpoint']}/v26.0/{ACT}"
    assert agency.http.get(url, headers={"Authorization": "Bearer sandbox"}).status_code == 200


@pytest.mark.parametrize(("version", "code"), [("v19.0", 2635), ("v99.0", 2500)])
def test_a_version_that_is_not_served_is_refused(agency, version, code):
    answer = agency.http.get(f"{agency.state['meta_ads']['endpoint']}/{version}/{ACT}?access_token=sandbox")
    assert error(answer)["code"] == code


@pytest.mark.parametrize(("timezone", "earliest"), [("Pacific/Auckland", "2023-10-24"), ("America/New_York", "2023-10-23")])
def test_thirty_seven_months_count_in_the_accounts_zone(serve, timezone, earliest):
    bench = serve({"timezone": timezone}, today=date(2026, 11, 23))
    day = date.fromisoformat(earliest)
    inside = bench.graph("act_100200300/insights", fields="spend", time_range={"since": earliest, "until": "2026-11-01"})
    assert inside.status_code == 200
    before = bench.graph("act_100200300/insights", fields="spend", time_range={"since": day.replace(day=day.day - 1).isoformat(), "until": "2026-11-01"})
    assert error(before)["code"] == 3018


def test_a_long_lived_token_can_be_had(agency):
    app = {"client_id": "1", "client_secret": "s", "access_token": ""}
    answer = agency.graph("oauth/access_token", **app, grant_type="fb_exchange_token", fb_exchange_token="sandbox")
    assert answer.json()["expires_in"] == 60 * 24 * 3600
    assert agency.graph(ACT, access_token=answer.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("breakdowns", ["country", "region", "age,gender", "publisher_platform,platform_position", "impression_device"])
def test_a_breakdown_of_days_without_delivery_is_empty(serve, breakdowns):
    bench = serve({"platform": "meta_ads", "account_id": "100200300", "date": "2026-11-01"})
    window = json.dumps({"since": "2026-10-01", "until": "2026-10-03"})
    params = {"level": "campaign", "fields": "campaign_id,spend", "time_range": window, "time_increment": 1}
    assert bench.graph_rows("act_100200300/insights", **params, breakdowns=breakdowns) == []


def test_country_and_device_are_breakdowns(serve):
    bench = serve({"country": "DE", "device": "mobile"}, {"country": "FR", "device": "mobile", "clicks": "4"})
    params = {"fields": "clicks", "date_preset": "last_30d"}
    rows = bench.graph_rows("act_100200300/insights", **params, breakdowns=["country"])
    assert [(r["country"], r["clicks"]) for r in rows] == [("DE", "10"), ("FR", "4")]
    devices = bench.graph_rows("act_100200300/insights", **params, breakdowns="impression_device")
    assert {r["impression_device"] for r in devices} == {"android_smartphone", "iphone"}
    assert sum(int(r.get("clicks", 0)) for r in devices) == 14


def test_rows_can_be_filtered_by_their_measures(agency):
    params = {"level": "ad", "fields": "ad_id,spend", "time_range": OCTOBER, "limit": "500"}
    every = agency.graph_rows(f"{ACT}/insights", **params)
    bound = sorted(float(r["spend"]) for r in every)[-3]
    filtering = [{"field": "spend", "operator": "GREATER_THAN", "value": bound}]
    assert len(agency.graph_rows(f"{ACT}/insights", **params, filtering=filtering)) == 2
    unknown = agency.graph(f"{ACT}/insights", **params, filtering=[{"field": "moon.phase", "operator": "IN", "value": [1]}])
    assert error(unknown)["code"] == 100
    assert error(agency.graph(f"{ACT}/insights", **params, filtering="["))["code"] == 100


@pytest.mark.parametrize(
    ("preset", "since", "until"),
    [
        ("yesterday", "2026-11-22", "2026-11-22"),
        ("last_90d", "2026-08-25", "2026-11-22"),
        ("this_month", "2026-11-01", "2026-11-23"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("this_quarter", "2026-10-01", "2026-11-23"),
        ("last_quarter", "2026-07-01", "2026-09-30"),
        ("last_week_mon_sun", "2026-11-16", "2026-11-22"),
        ("this_week_sun_today", "2026-11-22", "2026-11-23"),
        ("maximum", "2023-10-23", "2026-11-23"),
    ],
)
def test_presets_are_seen_from_the_accounts_today(agency, preset, since, until):
    row = agency.graph_rows(f"{ACT}/insights", fields="spend", date_preset=preset)[0]
    assert (row["date_start"], row["date_stop"]) == (since, until)


def test_derived_metrics_are_quotients_of_the_sums(serve):
    bench = serve({"impressions": "3000", "clicks": "7", "spend": "10.00", "conversions": "4", "conversions_value": "30"})
    fields = "cpc,cpm,ctr,reach,frequency,purchase_roas,cost_per_action_type,outbound_clicks"
    row = bench.graph_rows("act_100200300/insights", fields=fields, date_preset="last_30d")[0]
    assert (row["cpc"], row["cpm"], row["ctr"], row["reach"], row["frequency"]) == ("1.428571", "3.333333", "0.233333", "2500", "1.2")
    assert row["purchase_roas"] == [{"action_type": "omni_purchase", "value": "3"}]
    assert row["cost_per_action_type"] == [{"action_type": "omni_purchase", "value": "2.5"}]
    assert row["outbound_clicks"] == [{"action_type": "outbound_click", "value": "7"}]


def test_a_synchronous_request_that_is_too_heavy_is_refused(agency, monkeypatch):
    monkeypatch.setattr("sandbox.meta_ads.answering.SYNC_ROWS", 10)
    params = {"level": "ad", "fields": "spend", "time_range": OCTOBER, "time_increment": "1"}
    answer = agency.graph(f"{ACT}/insights", **params)
    assert (answer.status_code, error(answer)["code"]) == (500, 1)
    assert "reduce the amount of data" in error(answer)["message"]
    assert agency.graph(f"{ACT}/insights", method="POST", **params).status_code == 200


def test_old_runs_give_up_their_rows_and_add_them_up_again(agency, monkeypatch):
    monkeypatch.setattr("sandbox.meta_ads.runs.KEPT_ROWS", 1)
    first, second = start_run(agency), start_run(agency, level="account", fields="spend")
    for run in (first, second):
        for _ in range(4):
            agency.graph(run)
    assert len(agency.graph_rows(f"{first}/insights", limit="500")) == 4 * 31 + 16
    assert len(agency.graph_rows(f"{second}/insights", limit="500")) == 31
