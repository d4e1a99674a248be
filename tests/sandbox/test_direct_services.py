"""Yandex.Direct's other services: keywords, dictionaries, changes, goals, and what each of them refuses."""

from decimal import Decimal

import pytest

ME = "severny-dom"
DIRECT = {"platform": "yandex_direct"}
MOMENT = "2026-11-05T00:00:00Z"


def get(bench, service, login=ME, version="v5", **params):
    url = f"{bench.state['yandex_direct']['endpoint']}/json/{version}/{service}"
    headers = {"Authorization": "Bearer sandbox", **({"Client-Login": login} if login else {})}
    return bench.http.post(url, json={"method": params.pop("method", "get"), "params": params}, headers=headers)


def live(bench, method, param, token="sandbox", login=""):
    call, headers = {"method": method, "param": param, "token": token}, {"Client-Login": login} if login else {}
    return bench.http.post(f"{bench.state['yandex_direct']['endpoint']}/live/v4/json/", json=call, headers=headers).json()


def code(answer):
    return answer.json()["error"]["error_code"]


def test_keywords_carry_the_ids_that_reports_call_criteria(agency):
    listed = get(agency, "keywords", SelectionCriteria={"CampaignIds": [701200101]}, FieldNames=["Id", "Keyword", "AdGroupId"]).json()["result"]["Keywords"]
    dates = {"DateFrom": "2026-11-01", "DateTo": "2026-11-20"}
    rows = agency.report_rows(["CampaignId", "CriterionId", "Criterion", "Clicks"], ME, ReportType="CRITERIA_PERFORMANCE_REPORT", SelectionCriteria=dates)
    reported = {(r["CriterionId"], r["Criterion"]) for r in rows if r["CampaignId"] == "701200101"}
    assert reported == {(str(k["Id"]), k["Keyword"]) for k in listed}
    assert len(listed) == 9


def test_devices_regions_and_networks_each_add_up_to_the_account(agency):
    dates = {"DateFrom": "2026-11-01", "DateTo": "2026-11-20"}
    (whole,) = agency.report_rows(["Impressions", "Clicks"], ME, SelectionCriteria=dates)
    for field in ("Device", "LocationOfPresenceId", "AdNetworkType"):
        rows = agency.report_rows([field, "Impressions", "Clicks"], ME, SelectionCriteria=dates)
        assert len(rows) > 1
        assert [str(sum(int(r[m]) for r in rows)) for m in ("Impressions", "Clicks")] == [whole["Impressions"], whole["Clicks"]]
    regions = agency.report_rows(["LocationOfPresenceId", "LocationOfPresenceName", "Clicks"], ME, SelectionCriteria=dates)
    assert {"LocationOfPresenceId": "213", "LocationOfPresenceName": "Москва"}.items() <= max(regions, key=lambda r: int(r["Clicks"])).items()


def test_goals_split_the_conversions_of_the_account(agency):
    dates = {"DateFrom": "2026-11-01", "DateTo": "2026-11-20"}
    (whole,) = agency.report_rows(["Conversions"], ME, SelectionCriteria=dates)
    (split,) = agency.report_rows(["Conversions"], ME, SelectionCriteria=dates, Goals=[312450011, 312450012], AttributionModels=["FC"])
    assert set(split) == {"Conversions_312450011_FCCD", "Conversions_312450012_FCCD"}
    assert sum(Decimal(v) for v in split.values()) == Decimal(whole["Conversions"])


def test_campaigns_name_their_goals_and_the_older_api_their_names(serve):
    bench = serve({**DIRECT, "conversion_action": "Заказ"}, {**DIRECT, "conversion_action": "77", "date": "2026-11-02"})
    listed = get(bench, "campaigns", "", FieldNames=["Id"], TextCampaignFieldNames=["PriorityGoals"]).json()["result"]["Campaigns"]
    ids = [g["GoalId"] for g in listed[0]["TextCampaign"]["PriorityGoals"]["Items"]]
    goals = live(bench, "GetStatGoals", {"CampaignIDS": [11]})["data"]
    assert [(g["CampaignID"], g["GoalID"]) for g in goals] == [(11, i) for i in ids]
    assert [g["Name"] for g in goals] == ["Заказ", "77"]
    assert ids[1] == 77
    row = bench.report_rows(["Conversions"], Goals=ids)[0]
    assert [row[f"Conversions_{i}_LC"] for i in ids] == ["2", "2"]


def test_goals_of_campaigns_that_two_accounts_name_alike_are_told_once_and_by_login(serve):
    other = {**DIRECT, "account_id": "other-login"}
    bench = serve(*({**of, "conversion_action": action} for of, action in ((DIRECT, "77"), (other, "77"), (other, "78"))), {**other, "campaign_id": "brand"})
    for login, goals in (("", [77, 78]), ("shop-login", [77]), ("other-login", [77, 78])):
        assert sorted(g["GoalID"] for g in live(bench, "GetStatGoals", {"CampaignIDS": [11]}, login=login)["data"]) == goals
    assert {g["CampaignID"] for g in live(bench, "GetStatGoals", {"CampaignIDS": ["brand"]})["data"]} == {"brand"}


def test_the_older_api_refuses_in_its_own_shape(agency):
    assert live(agency, "GetStatGoals", {"CampaignIDS": [1]}, token="expired")["error_code"] == 53
    assert live(agency, "Nonsense", {})["error_code"] == 55
    assert live(agency, "GetStatGoals", {})["error_str"] == "Invalid CampaignID"
    assert live(agency, "GetClientsUnits", [ME])["data"][0]["UnitsRest"] > 0


def test_budgets_are_daily_and_a_master_campaign_has_a_weekly_one(agency):
    names = {"FieldNames": ["Id", "Type", "DailyBudget"], "UnifiedCampaignFieldNames": ["BiddingStrategy"]}
    listed = get(agency, "campaigns", version="v501", **names).json()["result"]["Campaigns"]
    (master,) = [c for c in listed if c["Type"] == "UNIFIED_CAMPAIGN"]
    assert master["DailyBudget"] is None
    assert master["UnifiedCampaign"]["BiddingStrategy"]["Search"]["WbMaximumClicks"]["WeeklySpendLimit"] == 7 * 8300_000_000
    assert {c["DailyBudget"]["Mode"] for c in listed if c is not master} == {"STANDARD"}


def test_dictionaries_answer_by_name(agency):
    found = get(agency, "dictionaries", DictionaryNames=["Currencies", "GeoRegions"]).json()["result"]
    assert {c["Currency"] for c in found["Currencies"]} >= {"RUB", "KZT"}
    assert {"GeoRegionId": 213, "GeoRegionName": "Москва", "GeoRegionType": "City", "ParentId": 225} in found["GeoRegions"]
    assert code(get(agency, "dictionaries", DictionaryNames=["Nonsense"])) == 8000


def test_changes_compare_what_was_known_then_with_what_is_known_now(serve):
    rows = [{**DIRECT, "campaign_id": c, "date": d, "as_of": "2026-11-03"} for c in ("11", "12") for d in ("2026-11-01", "2026-11-02")]
    restated = [
        {**DIRECT, "campaign_id": "11", "date": "2026-11-01", "as_of": "2026-11-20", "clicks": "9"},
        {**DIRECT, "campaign_id": "12", "as_of": "2026-11-20"},
    ]
    late = [{**DIRECT, "campaign_id": c, "date": "2026-11-02", "as_of": "2026-11-20", "conversions": "9"} for c in ("11", "12")]
    bench = serve(*rows, *restated, *late)

    def stat(timestamp):
        asked = {"method": "check", "CampaignIds": [11, 12], "FieldNames": ["CampaignsStat"], "Timestamp": timestamp}
        return get(bench, "changes", "", **asked).json()["result"]["Modified"]

    assert stat("2026-11-05T00:00:00Z") == {"CampaignsStat": [{"CampaignId": 11, "BorderDate": "2026-11-01"}]}
    assert stat("2026-11-20T00:00:00Z") == {}
    listed = get(bench, "changes", "", method="checkCampaigns", Timestamp="2026-11-05T00:00:00Z").json()["result"]
    assert listed["Campaigns"] == [{"CampaignId": 11, "ChangesIn": ["STAT"]}]
    assert get(bench, "changes", "", method="checkDictionaries").json()["result"].keys() == {"Timestamp"}


REFUSED = {
    "ad groups of eleven campaigns": ("adgroups", {"SelectionCriteria": {"CampaignIds": [*range(11)]}, "FieldNames": ["Id"]}, 4001),
    "keywords of nothing": ("keywords", {"SelectionCriteria": {}, "FieldNames": ["Id"]}, 4001),
    "ads without a selection": ("ads", {"FieldNames": ["Id"]}, 8000),
    "an unknown criterion": ("campaigns", {"SelectionCriteria": {"Nonsense": [1]}, "FieldNames": ["Id"]}, 8000),
    "an unknown nested field": ("campaigns", {"FieldNames": ["Id"], "TextCampaignFieldNames": ["Nonsense"]}, 8000),
    "an unknown parameter": ("campaigns", {"FieldNames": ["Id"], "Nonsense": 1}, 8000),
    "a page of too many": ("campaigns", {"FieldNames": ["Id"], "Page": {"Limit": 10_001}}, 4001),
    "changes without a moment": ("changes", {"method": "check", "CampaignIds": [1], "FieldNames": ["CampaignsStat"]}, 8000),
    "changes of two kinds": (
        "changes",
        {"method": "check", "CampaignIds": [1], "AdIds": [1], "FieldNames": ["AdIds"], "Timestamp": "2026-11-05T00:00:00Z"},
        4001,
    ),
    "a method that is none": ("keywords", {"method": "delete"}, 55),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_call_that_the_service_does_not_take_is_refused(agency, case):
    service, params, expected = REFUSED[case]
    answer = get(agency, service, **params)
    assert (answer.status_code, code(answer)) == (200, expected), answer.text


def test_units_run_out_and_come_back_with_the_next_day(serve, monkeypatch):
    monkeypatch.setattr("sandbox.yandex_direct.server.UNITS", 40)
    bench = serve(DIRECT)
    answers = [get(bench, "campaigns", "", FieldNames=["Id"]) for _ in range(4)]
    assert [a.headers.get("Units") for a in answers[:3]] == ["11/29/40", "11/18/40", "11/7/40"]
    assert code(answers[3]) == 152
    bench.control("POST", "clock", {"today": "2026-11-24"})
    assert get(bench, "campaigns", "", FieldNames=["Id"]).headers["Units"] == "11/29/40"
