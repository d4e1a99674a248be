"""Scripted faults: each kind in each platform's own shape, for the request it is meant for, as often as ordered."""

import json

import httpx
import pytest

from sandbox.google_ads.errors import CODES

GOOGLE, META, DIRECT = "2417305861", "1029384756102938", "severny-dom"
QUERY = "SELECT segments.date, campaign.id, metrics.clicks FROM campaign WHERE segments.date DURING LAST_30_DAYS"
OTHER = {"login_customer_id": "8880001112"}


@pytest.fixture
def bench(agency):
    yield agency
    agency.control("DELETE", "faults")


def google(bench, account=GOOGLE):
    return bench.google.rows(account, QUERY)


def graph(bench, account=META):
    return bench.graph(f"act_{account}/insights", level="campaign", fields="campaign_id,spend", time_increment="1", limit="500")


def direct(bench, login=DIRECT):
    return bench.report(["Date", "CampaignId", "Clicks"], login)


def graph_error(answer):
    return answer.json()["error"]


GOOGLE_FAULTS = {
    "server_error": ("INTERNAL", "internal_error", "INTERNAL_ERROR"),
    "expired_token": ("UNAUTHENTICATED", "authentication_error", "OAUTH_TOKEN_EXPIRED"),
    "lost_account": ("PERMISSION_DENIED", "authorization_error", "USER_PERMISSION_DENIED"),
    "version_sunset": ("INVALID_ARGUMENT", "request_error", "UNSUPPORTED_VERSION"),
    "throttle": ("RESOURCE_EXHAUSTED", "quota_error", "RESOURCE_EXHAUSTED"),
    "too_large": ("RESOURCE_EXHAUSTED", "quota_error", "RESOURCE_TEMPORARILY_EXHAUSTED"),
}


@pytest.mark.parametrize("kind", GOOGLE_FAULTS)
def test_google_fails_once_and_recovers(bench, kind):
    status, category, code = GOOGLE_FAULTS[kind]
    bench.fault("google_ads", kind, seconds=900.5)
    error = bench.google.refused(google, bench)
    assert (error.status, error.category, error.code) == (status, category, CODES[category][code])
    assert error.retry_delay == (900.5 if category == "quota_error" else 0)
    assert google(bench)


def test_googles_stream_dies_after_the_ordered_rows(bench):
    bench.fault("google_ads", "broken_stream", after_rows=37)
    error = bench.google.refused(google, bench)
    assert error.status == "UNAVAILABLE"
    assert error.category == ""
    assert len(error.partial) == 37
    assert len(google(bench)) > 100


def test_googles_truncated_message_cannot_be_parsed(bench):
    bench.fault("google_ads", "truncated_body")
    with pytest.raises(Exception, match=r"parsing|Parse"):
        google(bench)


META_FAULTS = {
    "server_error": (500, 2, True),
    "expired_token": (400, 190, None),
    "lost_account": (403, 200, None),
    "version_sunset": (400, 2635, None),
    "too_large": (500, 1, False),
    "throttle": (400, 80004, False),
}


@pytest.mark.parametrize("kind", META_FAULTS)
def test_meta_fails_once_and_recovers(bench, kind):
    bench.fault("meta_ads", kind, account_id=f"act_{META}", seconds=601)
    answer = graph(bench)
    assert (answer.status_code, graph_error(answer)["code"], graph_error(answer).get("is_transient")) == META_FAULTS[kind]
    assert graph(bench).status_code == 200


def test_metas_throttle_hides_the_worst_pause_behind_a_harmless_entry(bench):
    bench.fault("meta_ads", "throttle", seconds=601)
    answer = graph(bench)
    entries = json.loads(answer.headers["X-Business-Use-Case-Usage"])[META]
    assert [e["estimated_time_to_regain_access"] for e in entries] == [0, 11]
    assert graph_error(answer)["error_subcode"] == 2446079


@pytest.mark.parametrize(("code", "status", "subcode"), [(17, 400, 2446079), (613, 400, 1487742), (4, 403, 1504022)])
def test_metas_other_throttles_give_seconds(bench, code, status, subcode):
    bench.fault("meta_ads", "throttle", seconds=42, code=code)
    answer = graph(bench)
    assert (answer.status_code, graph_error(answer)["code"], graph_error(answer)["error_subcode"]) == (status, code, subcode)
    assert json.loads(answer.headers["X-Ad-Account-Usage"])["reset_time_duration"] == 42


def run_to_the_end(bench, **params):
    run = bench.graph(f"act_{META}/insights", method="POST", fields="spend", **params).json()["report_run_id"]
    states = []
    while not states or not states[-1]["async_status"].endswith(("Completed", "Failed", "Skipped")):
        states.append(bench.graph(run).json())
    return states


@pytest.mark.parametrize(("kind", "end"), [("report_failed", "Job Failed"), ("report_skipped", "Job Skipped")])
def test_a_report_run_fails_or_is_skipped(bench, kind, end):
    bench.fault("meta_ads", kind)
    last = run_to_the_end(bench)[-1]
    assert last["async_status"] == end
    assert ("error_message" in last) == (kind == "report_failed")
    assert run_to_the_end(bench)[-1]["async_status"] == "Job Completed"


def test_a_slow_report_run_stays_at_a_hundred_percent(bench):
    bench.fault("meta_ads", "report_slow", polls=4)
    states = [(s["async_status"], s["async_percent_completion"]) for s in run_to_the_end(bench)]
    assert states[-1] == ("Job Completed", 100)
    assert states[2:7] == [("Job Running", 100)] * 5


DIRECT_FAULTS = {
    "server_error": (500, 1000),
    "expired_token": (400, 53),
    "lost_account": (403, 54),
    "version_sunset": (400, 3500),
    "too_large": (502, 1002),
    "throttle": (400, 56),
}


@pytest.mark.parametrize("kind", DIRECT_FAULTS)
def test_direct_fails_once_and_recovers(bench, kind):
    bench.fault("yandex_direct", kind, account_id=DIRECT, seconds=7)
    answer = direct(bench)
    assert (answer.status_code, answer.json()["error"]["error_code"]) == DIRECT_FAULTS[kind]
    assert answer.headers.get("retryIn") == ("7" if kind == "throttle" else None)
    assert direct(bench).status_code == 200


def test_direct_can_run_out_of_units(bench):
    bench.fault("yandex_direct", "throttle", code=152, endpoint="campaigns")
    assert direct(bench).status_code == 200
    answer = bench.direct("campaigns", {"method": "get", "params": {"FieldNames": ["Id"]}}, DIRECT)
    assert answer.json()["error"]["error_code"] == 152


def test_a_failed_offline_report_answers_502_after_202_and_can_be_ordered_again(bench):
    bench.fault("yandex_direct", "report_failed")

    def ask():
        return bench.report(["Clicks"], DIRECT, headers={"processingMode": "offline"}, ReportName="again")

    bench.lenient = False
    try:
        assert [ask().status_code for _ in range(6)] == [201, 202, 502, 201, 202, 200]
    finally:
        bench.lenient = True


@pytest.mark.parametrize("call", [graph, direct])
def test_a_broken_stream_breaks_the_promise_of_its_length(bench, call):
    platform = "meta_ads" if call is graph else "yandex_direct"
    bench.fault(platform, "broken_stream", after_rows=5)
    with pytest.raises(httpx.RemoteProtocolError):
        call(bench)
    assert call(bench).status_code == 200


def test_a_truncated_report_looks_complete_but_lacks_its_last_line(bench):
    bench.fault("yandex_direct", "truncated_body")
    answer = direct(bench)
    assert answer.status_code == 200
    assert "Total rows" not in answer.text
    bench.fault("meta_ads", "truncated_body")
    with pytest.raises(json.JSONDecodeError):
        graph(bench).json()


@pytest.mark.parametrize(("platform", "call"), [("meta_ads", graph), ("yandex_direct", direct)])
def test_a_stall_outlasts_the_clients_patience(bench, platform, call):
    bench.fault(platform, "stall", seconds=30)
    patient, bench.http = bench.http, httpx.Client(timeout=httpx.Timeout(0.2))
    try:
        with pytest.raises(httpx.ReadTimeout):
            call(bench)
    finally:
        bench.http.close()
        bench.http = patient
    assert call(bench).status_code == 200


def test_a_fault_is_meant_for_one_account_and_one_endpoint(bench):
    bench.fault("meta_ads", "lost_account", account_id=META, times=2, endpoint="insights")
    assert graph(bench, "2130495867213049").status_code == 200
    assert bench.graph(f"act_{META}", fields="name").status_code == 200
    assert [graph(bench).status_code for _ in range(3)] == [403, 403, 200]


def test_a_lost_account_stays_lost_until_the_fault_is_deleted(bench):
    bench.fault("google_ads", "lost_account", account_id=GOOGLE, times=None)
    for _ in range(3):
        assert bench.google.refused(google, bench).status == "PERMISSION_DENIED"
    assert google(bench, "5509318274")
    assert bench.control("DELETE", "faults") == {"deleted": 1}
    assert google(bench)


def test_some_requests_can_pass_first(bench):
    bench.fault("yandex_direct", "server_error", skip=2)
    assert [direct(bench).status_code for _ in range(4)] == [200, 200, 500, 200]


@pytest.mark.parametrize(
    "order",
    [
        {"platform": "meta_ads", "kind": "earthquake"},
        {"platform": "bing_ads", "kind": "stall"},
        {"platform": "meta_ads", "kind": "stall", "seconds": "long"},
        {"platform": "meta_ads", "kind": "stall", "times": 0},
        {"platform": "meta_ads", "kind": "stall", "second": 1},
        [1],
    ],
)
def test_a_malformed_order_is_refused(bench, order):
    answer = bench.http.post(f"{bench.state['control']}/__sandbox__/faults", json=order)
    assert answer.status_code == 422
    assert bench.control("GET", "faults") == {"faults": []}


def test_requests_are_counted(bench):
    bench.control("DELETE", "requests")
    graph(bench)
    direct(bench)
    google(bench)
    assert bench.control("GET", "requests")["requests"] == {
        "google_ads SearchStream": 1,
        "meta_ads GET act_X/insights": 1,
        "yandex_direct POST reports": 1,
    }


def test_every_http_port_answers_the_control_plane(bench):
    for base in (bench.state["control"], bench.state["meta_ads"]["endpoint"], bench.state["yandex_direct"]["endpoint"]):
        assert bench.http.get(f"{base}/__sandbox__/clock").json()["today"] == "2026-11-23"
    assert bench.http.get(f"{bench.state['control']}/__sandbox__/nonsense").status_code == 404
    assert bench.control("GET", "accounts")["accounts"] == bench.state["dataset"]["accounts"]


@pytest.mark.parametrize("body", ["", "{}", '{"today": "soon"}', "[]", "{"])
def test_a_bad_clock_is_refused(bench, body):
    answer = bench.http.post(f"{bench.state['control']}/__sandbox__/clock", content=body)
    if body == "":
        bench.control("POST", "clock", {"today": "2026-11-23"})
    else:
        assert answer.status_code == 422
    assert bench.control("GET", "clock")["today"] == "2026-11-23"
