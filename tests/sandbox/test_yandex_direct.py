"""Yandex.Direct: the TSV and its queue, the JSON services, and their refusals."""

import json
from decimal import Decimal

import pytest

ME = "severny-dom"
SUMS = ["Impressions", "Clicks", "Cost"]


def error(answer):
    return answer.json()["error"]


def code(answer):
    return error(answer)["error_code"]


def test_the_file_has_its_four_parts(agency):
    answer = agency.report(["Date", *SUMS], ME, headers={"skipReportHeader": "false"}, ReportName="Отчёт 1", DateRangeType="LAST_3_DAYS", SelectionCriteria={})
    lines = answer.text.splitlines()
    assert lines[0] == "Отчёт 1 (2026-11-20 - 2026-11-22)"
    assert lines[1] == "Date\tImpressions\tClicks\tCost"
    assert lines[-1] == "Total rows: 3"
    assert len(lines) == 6
    assert answer.headers["Content-Type"] == "text/tab-separated-values; charset=utf-8"


def test_each_part_can_be_left_out(agency):
    skip = {"skipReportHeader": "true", "skipColumnHeader": "true", "skipReportSummary": "true"}
    answer = agency.report(["Date"], ME, headers=skip, DateRangeType="YESTERDAY", SelectionCriteria={})
    assert answer.text == "2026-11-22\n"


def test_an_empty_report_has_a_header_alone_as_recorded(agency):
    criteria = {"DateFrom": "2026-11-01", "DateTo": "2026-11-02", "Filter": [{"Field": "CampaignId", "Operator": "IN", "Values": ["5"]}]}
    names = ["CampaignId", "Impressions", "Clicks", "Cost"]
    answer = agency.report(names, ME, headers={"skipReportSummary": "true"}, ReportType="CAMPAIGN_PERFORMANCE_REPORT", SelectionCriteria=criteria)
    assert answer.text == "CampaignId\tImpressions\tClicks\tCost\n"
    assert answer.headers["reportsInQueue"] == "0"


def test_names_are_not_quoted(serve):
    bench = serve({"platform": "yandex_direct", "campaign_name": 'РСЯ — "Скидки", 30%\tи\nещё'})
    assert bench.report_rows(["CampaignName"])[0]["CampaignName"] == 'РСЯ — "Скидки", 30% и ещё'


def test_money_comes_in_micros_unless_refused(serve):
    bench = serve({"platform": "yandex_direct"})
    assert bench.report_rows(["Cost", "Revenue", "AvgCpc"])[0] == {"Cost": "12.34", "Revenue": "50.50", "AvgCpc": "1.23"}
    answer = bench.report(["Cost", "Revenue", "AvgCpc"], headers={"returnMoneyInMicros": "true"})
    assert answer.text.splitlines()[1] == "12340000\t50500000\t1230000"


def test_a_cost_finer_than_a_cent_is_rounded_to_it(serve):
    bench = serve({"platform": "yandex_direct", "spend": "0.125"}, {"platform": "yandex_direct", "spend": "0.124999", "date": "2026-11-02"})
    assert [r["Cost"] for r in bench.report_rows(["Date", "Cost"])] == ["0.13", "0.12"]
    assert bench.report_rows(["Cost"])[0]["Cost"] == "0.25"


def test_what_is_undefined_is_two_dashes(serve):
    bench = serve({"platform": "yandex_direct", "clicks": "0", "spend": "0", "conversions": "0", "conversions_value": "0"})
    row = bench.report_rows(["Clicks", "Cost", "Ctr", "AvgCpc", "Conversions", "ConversionRate", "CostPerConversion", "Revenue", "BounceRate"])[0]
    assert row == {
        "Clicks": "0",
        "Cost": "0.00",
        "Ctr": "0.00",
        **dict.fromkeys(["AvgCpc", "Conversions", "ConversionRate", "CostPerConversion", "Revenue", "BounceRate"], "--"),
    }


def test_a_campaign_without_ads_is_missing_from_the_ad_report(agency):
    rows = {kind: agency.report_rows(["CampaignName", "Cost"], ME, ReportType=f"{kind}_PERFORMANCE_REPORT") for kind in ("CAMPAIGN", "AD")}
    campaigns = {r["CampaignName"] for r in rows["CAMPAIGN"]}
    assert campaigns - {r["CampaignName"] for r in rows["AD"]} == {"Мастер кампаний: весь ассортимент"}


def test_the_type_groups_by_what_is_not_shown(agency):
    rows = agency.report_rows(["CampaignName", "Clicks"], ME, ReportType="AD_PERFORMANCE_REPORT")
    assert len(rows) > len({r["CampaignName"] for r in rows})
    custom = agency.report_rows(["CampaignName", "Clicks"], ME)
    assert len(custom) == len({r["CampaignName"] for r in custom})


def test_goals_and_models_give_columns_of_their_own(serve):
    rows = [{"conversion_action": "101", "conversions": "3"}, {"conversion_action": "102", "conversions": "1", "clicks": "0", "impressions": "0", "spend": "0"}]
    bench = serve(*({"platform": "yandex_direct", **r} for r in rows))
    row = bench.report_rows(["Clicks", "Conversions", "Cost"], Goals=["101", "102", "103"], AttributionModels=["LSC", "LYDC", "AUTO"])[0]
    assert row.keys() == {"Clicks", "Cost", *(f"Conversions_{g}_{m}" for g in (101, 102, 103) for m in ("LSCCD", "AUTO"))}
    assert [row[f"Conversions_{g}_AUTO"] for g in (101, 102, 103)] == ["3", "1", "--"]


def test_without_a_split_the_first_goal_has_all_conversions(serve):
    bench = serve({"platform": "yandex_direct"})
    row = bench.report_rows(["Conversions"], Goals=[7, 8])[0]
    assert row == {"Conversions_7_LC": "2", "Conversions_8_LC": "--"}


def test_vat_is_taken_off_where_it_is_known(agency, serve):
    with_vat, without = (Decimal(agency.report_rows(["Cost", "Revenue"], ME, IncludeVAT=v)[0]["Cost"]) for v in ("YES", "NO"))
    assert abs(with_vat / without - Decimal("1.2")) < Decimal("0.0001")
    bench = serve({"platform": "yandex_direct", "currency": "RUB"})
    assert bench.report_rows(["Cost"], IncludeVAT="NO")[0]["Cost"] == "12.34"


def test_filters_order_and_pages_apply(agency):
    every = agency.report_rows(["CampaignId", "Clicks"], ME, OrderBy=[{"Field": "Clicks", "SortOrder": "DESCENDING"}])
    clicks = [int(r["Clicks"]) for r in every]
    assert clicks == sorted(clicks, reverse=True)
    second = agency.report_rows(["CampaignId", "Clicks"], ME, OrderBy=[{"Field": "Clicks", "SortOrder": "DESCENDING"}], Page={"Limit": 2, "Offset": 1})
    assert second == every[1:3]
    bound = [{"Field": "Clicks", "Operator": "GREATER_THAN", "Values": [str(clicks[2])]}]
    dates = {"DateFrom": "2026-01-01", "DateTo": "2026-11-23"}
    assert len(agency.report_rows(["CampaignId", "Clicks"], ME, SelectionCriteria={**dates, "Filter": bound})) == 2


def test_periods_are_named_by_their_first_day(agency):
    criteria = {"DateFrom": "2026-10-01", "DateTo": "2026-11-10"}
    assert [r["Month"] for r in agency.report_rows(["Month", "Clicks"], ME, SelectionCriteria=criteria)] == ["2026-10-01", "2026-11-01"]
    assert agency.report_rows(["Week", "Clicks"], ME, SelectionCriteria=criteria)[0]["Week"] == "2026-09-28"


def offline(bench, name, login=ME, **changes):
    return bench.report(["Date", "Clicks"], login, headers={"processingMode": "offline"}, ReportName=name, **changes)


def test_an_offline_report_passes_201_and_202(serve):
    bench = serve({"platform": "yandex_direct"})
    seen = [offline(bench, "one", "") for _ in range(4)]
    assert [a.status_code for a in seen] == [201, 202, 200, 200]
    assert [a.headers.get("retryIn") for a in seen] == ["1", "1", None, None]
    assert [a.headers["reportsInQueue"] for a in seen] == ["1", "1", "0", "0"]
    assert seen[0].content == b""
    assert seen[2].content == seen[3].content != b""


@pytest.mark.parametrize("mode", ["auto", "offline"])
def test_the_same_name_gives_the_old_file_for_five_hours(serve, mode):
    bench = serve({"platform": "yandex_direct", "as_of": "2026-11-02"}, {"platform": "yandex_direct", "clicks": "77", "as_of": "2026-11-23"})
    bench.control("POST", "clock", {"today": "2026-11-22"})

    def file(name):
        answers = [bench.report(["Clicks"], headers={"processingMode": mode}, ReportName=name) for _ in range(3)]
        return answers[-1].text.splitlines()[1]

    assert file("load") == "10"
    bench.sandbox.clock._clock = type(bench.sandbox.clock._clock)(bench.sandbox.clock.day, bench.sandbox.clock._clock.pinned_at)
    assert file("load") == "10"
    bench.control("POST", "clock", {"today": "2026-11-23"})
    assert file("load") == "77"


def test_the_same_name_with_other_parameters_is_refused(serve):
    bench = serve({"platform": "yandex_direct"})
    offline(bench, "one", "")
    assert code(offline(bench, "one", "", IncludeVAT="NO")) == 4000
    assert code(bench.report(["Clicks"], ReportName="one")) == 4000


def test_the_sixth_report_finds_the_queue_full(serve):
    bench = serve({"platform": "yandex_direct"})
    assert [offline(bench, f"r{n}", "").status_code for n in range(5)] == [201] * 5
    refused = offline(bench, "r5", "")
    assert (refused.status_code, code(refused)) == (400, 9000)
    assert [offline(bench, "r0", "").status_code for _ in range(2)] == [202, 200]
    assert offline(bench, "r5", "").status_code == 201


def test_twenty_requests_go_in_ten_seconds(serve):
    bench = serve({"platform": "yandex_direct"})
    answers = [bench.report(["Clicks"]) for _ in range(21)]
    assert [a.status_code for a in answers[:20]] == [200] * 20
    assert (answers[20].status_code, code(answers[20])) == (400, 56)


def test_a_large_report_is_offline_in_auto_and_too_heavy_online(serve, monkeypatch):
    monkeypatch.setattr("sandbox.yandex_direct.server.ONLINE_ROWS", 1)
    bench = serve({"platform": "yandex_direct"}, {"platform": "yandex_direct", "date": "2026-11-02"})
    assert bench.report(["Date"], headers={"processingMode": "auto"}).status_code == 201
    online = bench.report(["Date"], headers={"processingMode": "online"})
    assert (online.status_code, code(online)) == (502, 1002)


BASE = {"DateFrom": "2026-11-01", "DateTo": "2026-11-02"}
REPORT_REFUSALS = {
    "an unknown field": (["Nonsense"], {}, 8000),
    "a field of another type": (["AdId"], {"ReportType": "CAMPAIGN_PERFORMANCE_REPORT"}, 4000),
    "a field that only filters": (["Keyword"], {}, 8000),
    "two periods": (["Date", "Month"], {}, 4000),
    "a field twice": (["Clicks", "Clicks"], {}, 4000),
    "no fields": ([], {}, 8000),
    "an unknown type": (["Clicks"], {"ReportType": "NONSENSE"}, 8000),
    "an unknown range": (["Clicks"], {"DateRangeType": "LAST_2_DAYS", "SelectionCriteria": {}}, 8000),
    "dates with a named range": (["Clicks"], {"DateRangeType": "TODAY"}, 4000),
    "no dates": (["Clicks"], {"SelectionCriteria": {}}, 4000),
    "a bad date": (["Clicks"], {"SelectionCriteria": {"DateFrom": "1.11.2026", "DateTo": "2026-11-02"}}, 8000),
    "dates the wrong way round": (["Clicks"], {"SelectionCriteria": {"DateFrom": "2026-11-03", "DateTo": "2026-11-02"}}, 4000),
    "more than three years": (["Clicks"], {"SelectionCriteria": {"DateFrom": "2023-10-31", "DateTo": "2026-11-02"}}, 4000),
    "search queries of more than 180 days": (["Clicks"], {"ReportType": "SEARCH_QUERY_PERFORMANCE_REPORT"}, 4000),
    "no VAT flag": (["Clicks"], {"IncludeVAT": None}, 8000),
    "another format": (["Clicks"], {"Format": "CSV"}, 8000),
    "an unknown parameter": (["Clicks"], {"Nonsense": 1}, 8000),
    "too many goals": (["Conversions"], {"Goals": list(range(11))}, 8000),
    "an unknown model": (["Conversions"], {"Goals": [1], "AttributionModels": ["MAGIC"]}, 8000),
    "a bad filter field": (["Clicks"], {"SelectionCriteria": {**BASE, "Filter": [{"Field": "Date", "Operator": "EQUALS", "Values": ["x"]}]}}, 4000),
    "a bad operator": (["Clicks"], {"SelectionCriteria": {**BASE, "Filter": [{"Field": "Clicks", "Operator": "NEAR", "Values": ["1"]}]}}, 8000),
    "a bad order": (["Clicks"], {"OrderBy": [{"Field": "Criterion"}]}, 4000),
    "a bad page": (["Clicks"], {"Page": {"Limit": 0}}, 8000),
}


@pytest.mark.parametrize("case", REPORT_REFUSALS)
def test_a_report_is_refused_with_the_services_code(serve, case):
    names, changes, expected = REPORT_REFUSALS[case]
    answer = serve({"platform": "yandex_direct"}).report(names, **changes)
    assert (answer.status_code, code(answer)) == (400, expected), answer.text
    assert error(answer).keys() == {"request_id", "error_code", "error_string", "error_detail"}
    assert answer.headers["RequestId"] == error(answer)["request_id"]


def test_our_field_table_agrees_with_the_documented_matrix(fixtures):
    from sandbox.yandex_direct.fields import FIELDS, TYPES

    spec = json.loads((fixtures / "yandex_direct/reports_spec.json").read_text())
    assert set(spec["field_compatibility"]) == set(FIELDS)
    assert set(spec["report_types"]) == set(TYPES)
    for name, entry in spec["field_compatibility"].items():
        documented = {TYPES[t] for t, role in entry["report_types"].items() if not role.startswith("–")}
        known = {TYPES[t] for t in entry["report_types"]}
        assert documented <= set(FIELDS[name].types), name
        assert set(FIELDS[name].types) & known <= documented, name
        usage = spec["field_usage"][name]
        assert (FIELDS[name].role != "filter", FIELDS[name].filterable, FIELDS[name].sortable) == (
            usage["FieldNames"],
            usage["Filter.Field"],
            usage["OrderBy.Field"],
        ), name


def test_campaigns_are_paged_with_limited_by(agency):
    body = {"method": "get", "params": {"FieldNames": ["Id", "Name", "Type", "State", "TimeZone"], "Page": {"Limit": 3}}}
    first = agency.direct("campaigns", body, ME)
    assert first.json()["result"]["LimitedBy"] == 3
    body["params"]["Page"]["Offset"] = 3
    second = agency.direct("campaigns", body, ME).json()["result"]
    assert "LimitedBy" not in second
    assert len(second["Campaigns"]) == 2
    spent, rest, limit = map(int, first.headers["Units"].split("/"))
    assert spent > 0
    assert rest < limit
    assert first.headers["Units-Used-Login"] == ME


def test_ad_groups_and_ads_need_a_selection(agency):
    body = {"method": "get", "params": {"FieldNames": ["Id", "CampaignId"], "SelectionCriteria": {}}}
    assert code(agency.direct("adgroups", body, ME)) == 4001
    body["params"]["SelectionCriteria"] = {"CampaignIds": [701200101]}
    groups = agency.direct("adgroups", body, ME).json()["result"]["AdGroups"]
    ads = agency.direct("ads", body, ME).json()["result"]["Ads"]
    assert (len(groups), len(ads)) == (3, 18)
    assert agency.direct("ads", {"method": "get", "params": {**body["params"], "SelectionCriteria": {"Ids": [1]}}}, ME).json() == {"result": {}}


def test_an_agency_lists_its_clients(agency):
    body = {"method": "get", "params": {"FieldNames": ["Login", "ClientInfo", "Currency", "Archived"]}}
    clients = agency.direct("agencyclients", body).json()["result"]["Clients"]
    assert [c["Login"] for c in clients] == ["severny-dom", "severny-dom-region"]
    assert agency.direct("clients", body, ME).json()["result"]["Clients"] == clients[:1]


def test_changes_name_the_border_date(agency):
    params = {"CampaignIds": [701200101, 5], "Timestamp": "2026-11-20T00:00:00Z", "FieldNames": ["CampaignsStat"]}
    result = agency.direct("changes", {"method": "check", "params": params}, ME).json()["result"]
    assert result["Modified"] == {"CampaignsStat": [{"CampaignId": 701200101, "BorderDate": "2026-11-19"}]}
    assert result["NotFound"] == {"CampaignIds": [5]}
    assert result["Timestamp"].startswith("2026-11-23T")


CALL_REFUSALS = {
    "an expired token": ("campaigns", ME, {"Authorization": "Bearer expired-1"}, 53, 200),
    "a foreign token": ("campaigns", ME, {"Authorization": "Bearer y0_x"}, 53, 200),
    "no token": ("reports", ME, {"Authorization": ""}, 53, 400),
    "no login for an agency": ("campaigns", "", {}, 54, 200),
    "an unknown login": ("campaigns", "nobody", {}, 8800, 200),
    "an unknown service": ("nonsense", ME, {}, 55, 200),
}


@pytest.mark.parametrize("case", CALL_REFUSALS)
def test_a_call_is_refused_in_the_right_shape(agency, case):
    service, login, headers, expected, status = CALL_REFUSALS[case]
    answer = agency.direct(service, {"method": "get", "params": {"FieldNames": ["Id"]}}, login, **headers)
    assert (code(answer), answer.status_code) == (expected, status)


@pytest.mark.parametrize("body", [{}, {"method": "get"}, {"method": "get", "params": {"FieldNames": ["Nonsense"]}}, {"method": "get", "params": []}, []])
def test_a_malformed_call_is_a_bad_request(agency, body):
    assert code(agency.direct("campaigns", body, ME)) == 8000


def test_the_newer_path_is_the_same_service(agency):
    url = f"{agency.state['yandex_direct']['endpoint']}/json/v501/campaigns"
    answer = agency.http.post(url, json={"method": "get", "params": {"FieldNames": ["Id"]}}, headers={"Authorization": "Bearer sandbox", "Client-Login": ME})
    assert len(answer.json()["result"]["Campaigns"]) == 5


def test_the_login_is_not_case_sensitive(agency):
    assert agency.direct("clients", {"method": "get", "params": {"FieldNames": ["Login"]}}, ME.upper()).status_code == 200


@pytest.mark.parametrize(
    ("one", "names"),
    [
        ({"Field": "CampaignType", "Operator": "EQUALS", "Values": ["UNIFIED_CAMPAIGN"]}, {"Мастер кампаний: весь ассортимент"}),
        ({"Field": "CampaignId", "Operator": "NOT_IN", "Values": ["701200101", "701201101", "701202101", "701203101"]}, {"Поиск — Бренд «Северный дом»"}),
        ({"Field": "AdNetworkType", "Operator": "IN", "Values": ["AD_NETWORK"]}, {'РСЯ — "Скидки до 30%"', "Мастер кампаний: весь ассортимент"}),
        ({"Field": "Cost", "Operator": "LESS_THAN", "Values": ["1000000000000"]}, {"Поиск — Бренд «Северный дом»"}),
        ({"Field": "Impressions", "Operator": "LESS_THAN", "Values": ["0"]}, set()),
    ],
)
def test_filters_keep_what_they_name(agency, one, names):
    dates = {"DateFrom": "2026-01-01", "DateTo": "2026-11-23", "Filter": [one]}
    rows = agency.report_rows(["CampaignName", "Clicks"], ME, SelectionCriteria=dates)
    assert {r["CampaignName"] for r in rows} == names


def test_words_are_filtered_by_their_beginning(serve):
    bench = serve({"platform": "yandex_direct", "keyword": "Диван"}, {"platform": "yandex_direct", "keyword": "Кухня", "clicks": "3"})
    dates = {"DateFrom": "2026-11-01", "DateTo": "2026-11-01"}

    def clicks(operator, *values):
        kept = {**dates, "Filter": [{"Field": "Keyword", "Operator": operator, "Values": list(values)}]}
        return [r["Clicks"] for r in bench.report_rows(["Criterion", "Clicks"], SelectionCriteria=kept)]

    assert clicks("STARTS_WITH_IGNORE_CASE", "див") == ["10"]
    assert clicks("DOES_NOT_START_WITH_ALL_IGNORE_CASE", "див", "x") == ["3"]
    rows = bench.report_rows(["CriterionId", "Criterion", "CriterionType", "Clicks"], ReportType="CRITERIA_PERFORMANCE_REPORT", SelectionCriteria=dates)
    assert {r["Criterion"]: r["CriterionType"] for r in rows} == {"Диван": "KEYWORD", "Кухня": "KEYWORD"}
    assert len({r["CriterionId"] for r in rows}) == 2


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        ("TODAY", "2026-11-23", "2026-11-23"),
        ("LAST_7_DAYS", "2026-11-16", "2026-11-22"),
        ("THIS_MONTH", "2026-11-01", "2026-11-23"),
        ("LAST_MONTH", "2026-10-01", "2026-10-31"),
        ("LAST_WEEK", "2026-11-16", "2026-11-22"),
        ("ALL_TIME", "2025-10-20", "2026-11-23"),
        ("AUTO", "2026-11-20", "2026-11-23"),
    ],
)
def test_named_ranges_are_seen_from_the_accounts_today(agency, kind, first, last):
    rows = agency.report_rows(["Date", "Clicks"], ME, DateRangeType=kind, SelectionCriteria={}, OrderBy=[{"Field": "Date"}])
    assert (rows[0]["Date"], rows[-1]["Date"]) == (first, last)


def test_every_documented_field_can_be_reported(serve):
    from sandbox.yandex_direct.fields import FIELDS, TYPES

    bench = serve({"platform": "yandex_direct", "keyword": "sofa", "search_term": "red sofa"})
    bench.lenient = True
    for kind, letter in TYPES.items():
        clashes = {"Week", "Month", "Quarter", "Year", "Criteria", "CriteriaId", "CriteriaType", "ClickType"}
        names = [n for n, f in FIELDS.items() if f.role != "filter" and letter in f.types and n not in clashes]
        (row,) = bench.report_rows(names, ReportType=kind, SelectionCriteria={"DateFrom": "2026-10-01", "DateTo": "2026-11-23"})
        assert row["Clicks"] == "10", kind
