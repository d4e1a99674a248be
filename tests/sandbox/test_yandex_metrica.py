"""Yandex Metrica: counters, the Reporting API with its refusals, the Logs API with its queue, statuses and coefficients, quotas."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.serving import Sandbox
from sandbox.yandex_metrica.errors import MetricaError
from sandbox.yandex_metrica.limits import Limits

TODAY = date(2026, 3, 10)
HEADER = (
    *("platform", "account_id", "account_name", "currency", "timezone", "date", "source", "medium", "campaign", "sessions", "users"),
    *("conversions", "conversions_value", "device", "country", "landing_page", "goal_id", "as_of"),
)
VISITS = ("account_id", "visit_id", "client_id", "date_time", "source", "medium", "campaign", "goals", "revenue")
ME = "71530264"
SITE = {"platform": "yandex_metrica", "account_id": ME, "account_name": "Дом", "currency": "RUB", "timezone": "Europe/Moscow"}
ROWS = (
    ("2026-03-01", "yandex", "cpc", "Spring", 100, 90, "2", "20000000.5", "mobile", "Russia", "/a", "11", ""),
    ("2026-03-01", "google", "organic", "(organic)", 50, 40, "1", "0.25", "desktop", "Russia", "/b", "12", ""),
    ("2026-03-01", "(direct)", "(none)", "(direct)", 7, 7, "0", "0", "desktop", "Russia", "/rare", "", ""),
    ("2026-03-02", "yandex", "cpc", "Spring", 30, 30, "3", "30", "mobile", "Russia", "/a", "11", ""),
    ("2026-03-02", "yandex", "cpc", "Spring", 31, 31, "4", "40", "mobile", "Russia", "/a", "11", "2026-03-05"),
)
LOG = (
    (ME, "18446744073709551610", "18446744073709551601", "2026-03-01 10:00:00", "yandex", "cpc", 'Spring "20%"', "11,12", "11193.23"),
    (ME, "2", "3", "2026-03-02 23:59:59", "google", "organic", "(organic)", "", "0"),
)
FIELDS = (
    "ym:s:visitID,ym:s:clientID,ym:s:date,ym:s:goalsID,ym:s:goalsPrice,ym:s:goalsCurrency,"
    "ym:s:purchaseRevenue,ym:s:purchaseTax,ym:s:productsPrice,ym:s:lastSignTrafficSource"
)


class Metrica:
    """A sandbox and a client that speaks Metrica's wire without any package."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.http = httpx.Client(base_url=sandbox.state()["yandex_metrica"]["endpoint"], headers={"Authorization": "OAuth sandbox"}, timeout=30)
        self.counter = f"/management/v1/counter/{ME}"

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params)

    def data(self, metrics: str, dimensions: str = "", **more: Any) -> Any:
        answer = self.get("/stat/v1/data", ids=ME, metrics=metrics, dimensions=dimensions, **{"date1": "2026-03-01", "date2": "2026-03-10", **more})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content, parse_float=Decimal)

    def refused(self, **params: Any) -> tuple[int, str, str]:
        answer = self.get("/stat/v1/data", **params)
        body = answer.json()
        assert body["code"] == answer.status_code
        return answer.status_code, body["errors"][0]["error_type"], body["errors"][0].get("location", "")

    def log(self, what: str, method: str = "GET", **params: Any) -> Any:
        return self.http.request(method, f"{self.counter}/{what}", params=params)

    def order(self, **params: Any) -> str:
        asked = {"date1": "2026-03-01", "date2": "2026-03-09", "source": "visits", "fields": FIELDS, **params}
        answer = self.log("logrequests", "POST", **asked)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["log_request"]["request_id"])

    def status(self, request_id: str) -> str:
        return str(self.log(f"logrequest/{request_id}").json()["log_request"]["status"])

    def control(self, what: str, body: Any = None, method: str = "POST") -> None:
        self.http.request(method, f"/__sandbox__/{what}", content=None if body is None else json.dumps(body)).raise_for_status()

    def fault(self, kind: str, **more: Any) -> None:
        self.control("faults", {"platform": "yandex_metrica", "kind": kind, **more})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metrica]:
    place: Path = tmp_path_factory.mktemp("metrica")
    for name, header, rows in (("web.csv", HEADER, [[*SITE.values(), *row] for row in ROWS]), ("visits.csv", VISITS, LOG)):
        with (place / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    with Sandbox(place / "files", datasets=[place / "web.csv", place / "visits.csv"], today=TODAY) as sandbox:
        client = Metrica(sandbox)
        yield client
        client.http.close()


@pytest.fixture
def metrica(served: Metrica) -> Iterator[Metrica]:
    """Metrica without used-up quotas and faults."""
    served.control("limits", method="DELETE")
    yield served
    served.control("faults", method="DELETE")
    served.control("clock", {"today": TODAY.isoformat()})


def test_counters_say_their_currency_by_number_and_their_zone(metrica: Metrica) -> None:
    listed = metrica.get("/management/v1/counters", field="goals").json()
    assert listed["rows"] == 1
    counter = listed["counters"][0]
    assert (counter["id"], counter["name"], counter["currency"], counter["time_zone_name"]) == (71530264, "Дом", 643, "Europe/Moscow")
    assert [g["id"] for g in counter["goals"]] == [11, 12]
    assert metrica.get(f"{metrica.counter}/goal/12").json()["goal"]["name"] == "Goal 12"
    assert metrica.get("/management/v1/counter/5").json()["errors"][0]["error_type"] == "access_denied"


def test_sums_are_exact_and_print_as_java_prints_doubles(metrica: Metrica) -> None:
    answer = metrica.get(
        "/stat/v1/data", ids=ME, date1="2026-03-01", date2="2026-03-01", metrics="ym:s:visits,ym:s:goal11convertedRUBRevenue,ym:s:goal12revenue"
    )
    assert b'"totals":[157.0,2.00000005E7,0.25]' in answer.content
    assert answer.json()["total_rows"] == 1


def test_a_row_without_reaches_has_no_revenue(metrica: Metrica) -> None:
    rows = metrica.data("ym:s:goal11reaches,ym:s:goal11convertedRUBRevenue", "ym:s:trafficSource", sort="ym:s:trafficSource", date2="2026-03-01")["data"]
    assert [(r["dimensions"][0]["id"], *r["metrics"]) for r in rows] == [("ad", 2, Decimal("20000000.5")), ("direct", 0, None), ("organic", 0, None)]


def test_tags_stand_only_where_links_are_tagged(metrica: Metrica) -> None:
    dimensions = "ym:s:lastsignTrafficSource,ym:s:lastsignSourceEngine,ym:s:lastsignUTMSource,ym:s:UTMMedium,ym:s:<attribution>UTMCampaign"
    rows = metrica.data("ym:s:visits", dimensions, date2="2026-03-01", lang="en")["data"]
    names = [[d["name"] for d in r["dimensions"]] for r in rows]
    assert names == [
        ["Ad traffic", "yandex", "yandex", "cpc", "Spring"],
        ["Search engine traffic", "google", None, None, None],
        ["Direct traffic", None, None, None, None],
    ]


def test_undefined_values_of_the_first_grouping_are_left_out_unless_asked_for(metrica: Metrica) -> None:
    assert metrica.data("ym:s:visits", "ym:s:UTMSource")["total_rows"] == 1
    assert metrica.data("ym:s:visits", "ym:s:UTMSource", include_undefined="true")["total_rows"] == 2
    assert metrica.data("ym:s:visits", "ym:s:date,ym:s:UTMSource")["total_rows"] == 3


def test_pages_are_cut_from_one_order(metrica: Metrica) -> None:
    ask = {"dimensions": "ym:s:date,ym:s:trafficSource", "sort": "-ym:s:date,ym:s:visits", "limit": 2}
    pages = [metrica.data("ym:s:visits", offset=offset, **ask) for offset in (1, 3, 5)]
    assert [p["total_rows"] for p in pages] == [4, 4, 4]
    assert [r["metrics"][0] for p in pages for r in p["data"]] == [31, 7, 50, 100]


def test_landing_pages_below_ten_visitors_are_hidden_and_the_answer_says_so(metrica: Metrica) -> None:
    shown = metrica.data("ym:s:visits", "ym:s:startURLPath", date2="2026-03-01")
    assert [r["dimensions"][0]["name"] for r in shown["data"]] == ["/a", "/b"]
    assert (shown["contains_sensitive_data"], shown["totals"]) == (True, [157])


def test_a_restated_day_answers_with_its_newest_rows(metrica: Metrica) -> None:
    answers = []
    for day in ("2026-03-04", "2026-03-05"):
        metrica.control("clock", {"today": day})
        answers.append(metrica.data("ym:s:visits,ym:s:sumGoalReachesAny", date1="2026-03-02", date2="2026-03-02")["totals"])
    assert answers == [[30, 3], [31, 4]]


def test_a_sample_is_flagged(metrica: Metrica) -> None:
    sampled = metrica.data("ym:s:visits", date2="2026-03-01", accuracy="0.1")
    assert (sampled["sampled"], sampled["sample_share"], sampled["sample_size"], sampled["totals"]) == (True, Decimal("0.1"), 15, [150])
    metrica.fault("sampled")
    assert metrica.data("ym:s:visits", accuracy="full")["sampled"] is True
    assert metrica.data("ym:s:visits", accuracy="full")["sampled"] is False


@pytest.mark.parametrize(
    ("filters", "visits"),
    [
        ("ym:s:trafficSource=='ad'", [131]),
        ("ym:s:trafficSource!='ad' AND ym:s:deviceCategory=='desktop'", [57]),
        ("ym:s:UTMCampaign=@'pri' OR ym:s:trafficSource=.('direct','social')", [138]),
        ("NOT (ym:s:trafficSource=='ad')", [57]),
        ("ym:s:UTMSource=~'^yan'", [131]),
    ],
)
def test_filters_choose_visits(metrica: Metrica, filters: str, visits: list[int]) -> None:
    assert metrica.data("ym:s:visits", filters=filters)["totals"] == visits


def test_a_filter_on_a_metric_chooses_rows(metrica: Metrica) -> None:
    assert [r["metrics"][0] for r in metrica.data("ym:s:visits", "ym:s:trafficSource", filters="ym:s:visits>=50")["data"]] == [131, 50]


def test_values_by_day_and_csv_agree_with_the_table(metrica: Metrica) -> None:
    by_day = metrica.get(
        "/stat/v1/data/bytime", ids=ME, metrics="ym:s:visits", dimensions="ym:s:trafficSource", date1="2026-03-01", date2="2026-03-02", group="day"
    ).json()
    assert by_day["time_intervals"] == [["2026-03-01", "2026-03-01"], ["2026-03-02", "2026-03-02"]]
    assert by_day["data"][0]["metrics"] == [[100.0, 31.0]]
    assert by_day["totals"] == [[157.0, 31.0]]
    table = metrica.get("/stat/v1/data.csv", ids=ME, metrics="ym:s:visits", dimensions="ym:s:trafficSource", date1="2026-03-01", date2="2026-03-02", lang="ru")
    assert table.content.decode("utf-8-sig").splitlines()[2] == '"Переходы по рекламе","131.0"'


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({}, (400, "missing_parameter", "ids")),
        ({"ids": ME}, (400, "missing_parameter", "metrics")),
        ({"ids": ME, "metrics": "ym:s:nothing"}, (400, "invalid_parameter", "metrics")),
        ({"ids": ME, "metrics": "ym:s:visits", "dimensions": "ym:s:nothing"}, (400, "invalid_parameter", "dimensions")),
        ({"ids": ME, "metrics": "ym:s:visits,ym:pv:pageviews"}, (400, "invalid_parameter", "metrics")),
        ({"ids": ME, "metrics": ",".join(["ym:s:visits"] * 21)}, (400, "invalid_parameter", "metrics")),
        ({"ids": ME, "metrics": "ym:s:visits", "dimensions": ",".join(["ym:s:date"] * 11)}, (400, "invalid_parameter", "dimensions")),
        ({"ids": ME, "metrics": "ym:s:visits", "limit": "100001"}, (400, "invalid_parameter", "limit")),
        ({"ids": ME, "metrics": "ym:s:visits", "offset": "0"}, (400, "invalid_parameter", "offset")),
        ({"ids": ME, "metrics": "ym:s:visits", "date1": "tomorrow"}, (400, "invalid_parameter", "date1")),
        ({"ids": ME, "metrics": "ym:s:visits", "date1": "today", "date2": "3daysAgo"}, (400, "invalid_parameter", "date1")),
        ({"ids": ME, "metrics": "ym:s:visits", "sort": "ym:s:users"}, (400, "invalid_parameter", "sort")),
        ({"ids": ME, "metrics": "ym:s:visits", "filters": "ym:s:trafficSource"}, (400, "invalid_parameter", "filters")),
        ({"ids": ME, "metrics": "ym:s:visits", "filters": " OR ".join(["ym:s:date=='2026-03-01'"] * 21)}, (400, "filter_limits", "filters")),
        ({"ids": ME, "metrics": "ym:s:goal99reaches"}, (400, "invalid_parameter", "goal_id")),
        ({"ids": ME, "metrics": "ym:ad:clicks"}, (400, "missing_parameter", "direct_client_logins")),
        ({"ids": "5", "metrics": "ym:s:visits"}, (403, "access_denied", "counter 5")),
    ],
)
def test_what_metrica_refuses(metrica: Metrica, params: dict[str, str], answer: tuple[int, str, str]) -> None:
    assert metrica.refused(**params) == answer


@pytest.mark.parametrize(
    ("token", "status", "kind"), [("", 401, "unauthorized"), ("OAuth expired-1", 403, "invalid_token"), ("Bearer who", 403, "invalid_token")]
)
def test_tokens_are_judged(metrica: Metrica, token: str, status: int, kind: str) -> None:
    answer = metrica.http.get("/management/v1/counters", headers={"Authorization": token})
    assert (answer.status_code, answer.json()["errors"][0]["error_type"]) == (status, kind)


@pytest.mark.parametrize(("code", "status"), [(0, 429), (420, 420)])
def test_a_used_up_quota_answers_429_or_420(metrica: Metrica, code: int, status: int) -> None:
    metrica.fault("throttle", code=code, seconds=7)
    answer = metrica.get("/stat/v1/data", ids=ME, metrics="ym:s:visits")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["errors"][0]["error_type"]) == (status, "7", "quota_requests_by_uid")


def test_quotas_count_seconds_five_minutes_days_and_parallel_requests() -> None:
    now = [0.0]
    limits = Limits(lambda: now[0])

    def ask(group: str = "report", times: int = 1) -> None:
        for _ in range(times):
            with limits.request("user", group, TODAY):
                pass

    def refusal(call: Callable[[], None]) -> tuple[int, str]:
        with pytest.raises(MetricaError) as caught:
            call()
        return caught.value.status, caught.value.error_type

    ask("logs", 10)
    assert refusal(lambda: ask("logs")) == (429, "quota_requests_by_ip")
    ask("report", 30)
    assert refusal(ask) == (429, "quota_requests_by_ip")
    for second in range(1, 18):
        now[0] = second
        ask("report", 10)
    assert refusal(lambda: ask("report")) == (420, "quota_requests_by_uid")
    for second in range(1_000, 1_479):
        now[0] = second
        ask("management", 10)
    assert refusal(lambda: ask("management")) == (420, "quota_requests_by_uid")
    limits.forget()
    with limits.request("user", "report", TODAY), limits.request("user", "report", TODAY), limits.request("user", "report", TODAY):
        assert refusal(ask) == (429, "quota_parallel_requests")


def test_a_log_is_evaluated_made_downloaded_and_cleaned_with_its_coefficients(metrica: Metrica) -> None:
    asked = {"date1": "2026-03-01", "date2": "2026-03-09", "source": "visits", "fields": FIELDS}
    assert metrica.log("logrequests/evaluate", **asked).json()["log_request_evaluation"]["possible"] is True
    request = metrica.order()
    assert metrica.status(request) == "processed"
    lines = metrica.log(f"logrequest/{request}/part/0/download").text.splitlines()
    assert lines[0] == FIELDS.replace(",", "\t")
    first = lines[1].split("\t")
    assert first[:3] == ["18446744073709551610", "18446744073709551601", "2026-03-01"]
    assert first[3:] == ["[11,12]", "[11193230,0]", r"[\'RUB\',\'RUB\']", "[11193.23]", "[1865000000]", "[11193230000]", "ad"]
    assert metrica.log(f"logrequest/{request}/part/1/download").json()["message"] == "Incorrect part number"
    held = metrica.log("logrequests").json()["requests"][-1]
    assert held["size"] == sum(p["size"] for p in held["parts"]) > 0
    cleaned = metrica.log(f"logrequest/{request}/clean", "POST").json()["log_request"]
    assert (cleaned["status"], cleaned["size"]) == ("cleaned_by_user", 0)
    assert metrica.log(f"logrequest/{request}/part/0/download").status_code == 400


def test_the_queue_is_first_in_first_out(metrica: Metrica) -> None:
    first, second = metrica.order(), metrica.order()
    listed = metrica.log("logrequests").json()["requests"][-2:]
    assert [r["status"] for r in listed] == ["processed", "created"]
    assert metrica.log(f"logrequest/{first}/clean", "POST").status_code == 200
    assert metrica.status(second) == "processed"


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [("report_failed", ["processing_failed"]), ("report_skipped", ["canceled"]), ("report_slow", ["awaiting_retry", "awaiting_retry", "processed"])],
)
def test_a_log_request_may_end_otherwise(metrica: Metrica, kind: str, statuses: list[str]) -> None:
    metrica.fault(kind, polls=2)
    request = metrica.order()
    assert [metrica.status(request) for _ in statuses] == statuses


def test_a_waiting_request_is_cancelled_and_an_old_one_cleaned_automatically(metrica: Metrica) -> None:
    request = metrica.order()
    assert metrica.log(f"logrequest/{request}/cancel", "POST").json()["log_request"]["status"] == "canceled"
    assert metrica.log(f"logrequest/{request}/clean", "POST").status_code == 400
    kept = metrica.order()
    assert metrica.status(kept) == "processed"
    metrica.control("clock", {"today": "2026-05-01"})
    assert metrica.status(kept) == "cleaned_automatically_as_too_old"


@pytest.mark.parametrize(
    ("params", "location"),
    [
        ({"date2": "2026-03-10"}, "date2"),
        ({"date1": "2025-03-01"}, "date1"),
        ({"fields": "ym:s:visitID," + "x" * 3000}, "fields"),
        ({"fields": "ym:s:nothing"}, "fields"),
        ({"fields": "ym:pv:watchID"}, "fields"),
        ({"source": "clicks"}, "source"),
        ({"attribution": "GUESS"}, "attribution"),
    ],
)
def test_what_the_logs_api_refuses(metrica: Metrica, params: dict[str, str], location: str) -> None:
    asked = {"date1": "2026-03-01", "date2": "2026-03-09", "source": "visits", "fields": FIELDS, **params}
    answer = metrica.log("logrequests", "POST", **asked)
    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (400, location)


def test_hits_lie_within_their_visits(metrica: Metrica) -> None:
    request = metrica.order(source="hits", fields="ym:pv:watchID,ym:pv:dateTime,ym:pv:clientID,ym:pv:goalsID,ym:pv:isPageView")
    visits = metrica.order(fields="ym:s:watchIDs,ym:s:clientID")
    assert metrica.status(request) == "processed"
    hits = [line.split("\t") for line in metrica.log(f"logrequest/{request}/part/0/download").text.splitlines()[1:]]
    assert metrica.status(visits) == "processed"
    watched = [line.split("\t")[0][1:-1].split(",") for line in metrica.log(f"logrequest/{visits}/part/0/download").text.splitlines()[1:]]
    assert [h[0] for h in hits] == [watch for visit in watched for watch in visit]
    assert max(int(h[0]) for h in hits) > 2**63
    assert [h[3] for h in hits if h[3] != "[]"] == ["[11,12]"]
