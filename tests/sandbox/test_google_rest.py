"""Google Ads over REST: the recorded shapes, pages, refusals and faults."""

import json

import httpx
import pytest

ME, ROOT = "2417305861", "8880001112"
WINDOW = "segments.date BETWEEN '2026-10-01' AND '2026-10-31'"


def rest(bench, body, customer=ME, version="v26", method="searchStream", **headers):
    given = {"Authorization": "Bearer sandbox", "developer-token": "d" * 22, "login-customer-id": ROOT, **headers}
    return bench.http.post(f"{bench.state['google_ads']['rest']}/{version}/customers/{customer}/googleAds:{method}", json=body, headers=given)


def test_rest_answers_the_recorded_shape(agency, fixtures):
    recorded = json.loads((fixtures / "google_ads/rest_searchstream_account_daily_2024-06.json").read_text())
    query = "SELECT metrics.clicks, metrics.cost_micros, segments.date FROM customer WHERE segments.date DURING LAST_7_DAYS"
    answer = rest(agency, {"query": query}).json()
    assert answer[0].keys() | {"queryResourceConsumption"} == recorded[0].keys()
    assert answer[0]["fieldMask"] == recorded[0]["fieldMask"]
    assert len(answer[0]["results"]) == 7
    ours, theirs = answer[0]["results"][0], recorded[0]["results"][0]
    assert {k: {n: type(v) for n, v in part.items()} for k, part in ours.items()} == {k: {n: type(v) for n, v in p.items()} for k, p in theirs.items()}


def test_rest_and_grpc_tell_the_same(agency):
    query = f"SELECT campaign.id, metrics.cost_micros, metrics.conversions FROM campaign WHERE {WINDOW}"
    found = {r["campaign"]["id"]: (int(r["metrics"]["costMicros"]), r["metrics"]["conversions"]) for r in rest(agency, {"query": query}).json()[0]["results"]}
    assert found == {str(r.campaign.id): (r.metrics.cost_micros, r.metrics.conversions) for r in agency.google.rows(ME, query)}


def test_a_sunset_version_has_the_recorded_error_document(agency, fixtures):
    recorded = json.loads((fixtures / "google_ads/rest_error_unsupported_version.json").read_text())["error"]
    answer = rest(agency, {"query": "SELECT customer.id FROM customer"}, version="v20")
    error = answer.json()["error"]
    assert answer.status_code == recorded["code"] == 400
    assert {k: error[k] for k in ("code", "message", "status")} == {k: recorded[k] for k in ("code", "message", "status")}
    assert error["details"][0]["@type"] == recorded["details"][0]["@type"]
    assert error["details"][0]["errors"] == recorded["details"][0]["errors"]


def test_rest_pages_hold_ten_thousand_rows(agency):
    query = "SELECT segments.date, ad_group_ad.ad.id, metrics.clicks FROM ad_group_ad WHERE segments.date BETWEEN '2025-10-20' AND '2026-11-23'"
    first = rest(agency, {"query": query, "searchSettings": {"returnTotalResultsCount": True}}, method="search").json()
    assert len(first["results"]) == 10_000
    second = rest(agency, {"query": query, "pageToken": first["nextPageToken"]}, method="search").json()
    third = rest(agency, {"query": query, "pageToken": second["nextPageToken"]}, method="search").json()
    assert "nextPageToken" not in third
    assert int(first["totalResultsCount"]) == 20_000 + len(third["results"])
    parts = rest(agency, {"query": query}).json()
    assert [len(p["results"]) for p in parts] == [10_000, 10_000, len(third["results"])]


def test_rest_refuses_what_is_no_request_of_its_own(agency):
    assert rest(agency, {"query": ""}).json()["error"]["details"][0]["errors"][0]["errorCode"] == {"queryError": "EXPECTED_SELECT"}
    assert rest(agency, {"query": "SELECT customer.id FROM customer"}, method="mutate").status_code == 404
    headers = {"Authorization": "Bearer sandbox", "developer-token": "d" * 22}
    url = f"{agency.state['google_ads']['rest']}/v26/customers/{ME}/googleAds:searchStream"
    assert agency.http.post(url, content=b"{", headers=headers).status_code == 400
    assert rest(agency, {"query": "SELECT customer.id FROM customer"}, Authorization="Bearer expired").status_code == 401
    assert rest(agency, {"query": "SELECT customer.id FROM customer"}, customer="1111111111").status_code == 403
    names = agency.http.get(f"{agency.state['google_ads']['rest']}/v26/customers:listAccessibleCustomers", headers=headers).json()["resourceNames"]
    assert names == [f"customers/{ROOT}", f"customers/{ME}"]


def test_rest_breaks_as_ordered(agency):
    body = {"query": "SELECT campaign.id FROM campaign"}
    agency.fault("google_ads", "throttle", seconds=12.5, endpoint="rest", account_id=ME)
    answer = rest(agency, body)
    assert answer.status_code == 429
    detail = answer.json()["error"]["details"][0]["errors"][0]["details"]["quotaErrorDetails"]
    assert (detail["retryDelay"], detail["rateScope"]) == ("12.5s", "ACCOUNT")
    agency.fault("google_ads", "broken_stream", endpoint="rest")
    with pytest.raises(httpx.RemoteProtocolError):
        rest(agency, body)
    agency.fault("google_ads", "truncated_body", endpoint="rest")
    with pytest.raises(json.JSONDecodeError):
        rest(agency, body).json()
    assert rest(agency, body).status_code == 200
