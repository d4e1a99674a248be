# house: one wire, read from its first request to its last refusal
"""GA4's wire: what reports add up to, how they are ordered, paged, refused and metered, over REST and gRPC."""

import base64
import json
import time
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import polars as pl
import pytest

from domain.platforms import Platform
from sandbox.ga4.messages import encode
from sandbox.google_ads.wire import fields

US = "349118204"
OCTOBER = [{"startDate": "2026-10-01", "endDate": "2026-10-31"}]
SPLIT = ("date", "sessionSource", "sessionMedium", "sessionCampaignName", "deviceCategory", "country", "landingPage")


def names(*wanted: str) -> list[dict[str, str]]:
    return [{"name": n} for n in wanted]


def ask(*dimensions: str, metrics: tuple[str, ...] = ("sessions",), **more: Any) -> dict[str, Any]:
    return {"dimensions": names(*dimensions), "metrics": names(*metrics), "dateRanges": OCTOBER, **more}


def post(bench: Any, body: Any, property_id: str = US, method: str = "runReport", token: str = "sandbox") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return bench.http.post(f"{bench.state['ga4']['endpoint']}/v1beta/properties/{property_id}:{method}", content=json.dumps(body), headers=headers)


def rows(answer: Any) -> list[tuple[str, ...]]:
    assert answer.status_code == 200, answer.text
    return [tuple(v["value"] for part in ("dimensionValues", "metricValues") for v in row.get(part, ())) for row in answer.json().get("rows", ())]


def refusal(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    return error["code"], error["status"], error["message"]


@pytest.fixture(autouse=True)
def _full_quota(agency: Any) -> None:
    agency.control("DELETE", "limits")


def facts(agency: Any, since: date = date(2026, 10, 1), until: date = date(2026, 10, 31)) -> pl.DataFrame:
    """The property's rows as the source tells them."""
    world = agency.sandbox.world
    return world.analytics(world.account(Platform.GA4, US)).filter(pl.col("date").is_between(since, until))


def test_the_finest_report_is_the_facts_and_coarser_ones_add_up_to_them(agency):
    metrics = ("sessions", "totalUsers", "keyEvents", "totalRevenue")
    told = facts(agency)
    finest = rows(post(agency, ask(*SPLIT, metrics=metrics, limit=250_000)))
    assert len(finest) == told.height
    columns = ("source", "medium", "campaign", "device", "country", "landing_page")
    expected = {(r["date"].strftime("%Y%m%d"), *(r[c] for c in columns)): r for r in told.iter_rows(named=True)}
    for *key, sessions, users, events, revenue in finest:
        row = expected[tuple(key)]
        assert (int(sessions), int(users)) == (row["sessions"], row["users"])
        assert (Decimal(events) * 1_000_000, Decimal(revenue) * 1_000_000) == (row["conversions"], row["conversions_value"])
    (total,) = rows(post(agency, ask(metrics=metrics)))
    assert [Decimal(v) for v in total] == [sum(Decimal(r[i]) for r in finest) for i in range(-4, 0)]


def test_rest_and_grpc_tell_the_same(agency):
    body = ask("date", "sessionDefaultChannelGroup", metrics=("sessions", "keyEvents", "purchaseRevenue"), returnPropertyQuota=True)
    body["orderBys"] = [{"dimension": {"dimensionName": n}} for n in ("date", "sessionDefaultChannelGroup")]
    answer = post(agency, body)
    found = unary(agency, "RunReport", {"property": f"properties/{US}", **body})
    told = [tuple(dict(fields(v))[n].decode() for n, vs in ((1, 1), (4, 2)) for v in [w for k, w in fields(row) if k == vs]) for row in found[3]]
    assert told == rows(answer)
    assert found[7] == [answer.json()["rowCount"]]
    assert [dict(fields(h))[1].decode() for h in found[1]] == [h["name"] for h in answer.json()["dimensionHeaders"]]
    assert found[10] == [b"analyticsData#runReport"]


def unary(bench: Any, method: str, message: dict[str, Any], token: str = "sandbox", service: str = "data.v1beta.BetaAnalyticsData") -> dict[int, list[Any]]:
    credentials = grpc.ssl_channel_credentials(Path(bench.state["ga4"]["ca_bundle"]).read_bytes())
    with grpc.secure_channel(bench.state["ga4"]["grpc"], credentials, options=[("grpc.max_receive_message_length", -1)]) as channel:
        call = channel.unary_unary(f"/google.analytics.{service}/{method}")
        metadata = [("authorization", f"Bearer {token}")] if token else []
        body = call(encode(f"{method}Request", message), metadata=metadata, timeout=30)
    answer: dict[int, list[Any]] = {}
    for number, value in fields(body):
        answer.setdefault(number, []).append(value)
    return answer


def test_the_official_client_reads_both_wires(agency, monkeypatch):
    data = pytest.importorskip("google.analytics.data_v1beta", reason="google-analytics-data comes with the dev packages")
    from google.oauth2.credentials import Credentials

    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", agency.state["ga4"]["ca_bundle"])
    request = data.RunReportRequest(
        property=f"properties/{US}",
        dimensions=[data.Dimension(name="date"), data.Dimension(name="sessionSource")],
        metrics=[data.Metric(name="sessions"), data.Metric(name="totalRevenue")],
        date_ranges=[data.DateRange(start_date="2026-10-01", end_date="2026-10-31")],
        dimension_filter=data.FilterExpression(
            filter=data.Filter(field_name="sessionMedium", in_list_filter=data.Filter.InListFilter(values=["cpc", "ORGANIC"]))
        ),
        metric_filter=data.FilterExpression(
            filter=data.Filter(
                field_name="sessions",
                numeric_filter=data.Filter.NumericFilter(operation=data.Filter.NumericFilter.Operation.GREATER_THAN, value=data.NumericValue(int64_value=20)),
            )
        ),
        order_bys=[data.OrderBy(metric=data.OrderBy.MetricOrderBy(metric_name="sessions"), desc=True)],
        return_property_quota=True,
    )
    answers = []
    for transport, endpoint in (("rest", agency.state["ga4"]["endpoint"]), ("grpc", agency.state["ga4"]["grpc"])):
        with data.BetaAnalyticsDataClient(credentials=Credentials("sandbox"), transport=transport, client_options={"api_endpoint": endpoint}) as client:
            answer = client.run_report(request)
            answers.append([tuple(v.value for v in (*r.dimension_values, *r.metric_values)) for r in answer.rows])
            assert answer.row_count == len(answer.rows) > 10
            assert (answer.metadata.currency_code, answer.metadata.time_zone) == ("USD", "America/New_York")
            assert answer.property_quota.tokens_per_day.remaining < 200_000
            assert answer.metric_headers[1].type_ == data.MetricType.TYPE_CURRENCY
            metadata = client.get_metadata(name=f"properties/{US}/metadata")
            assert {"sessionDefaultChannelGroup", "landingPage"} <= {d.api_name for d in metadata.dimensions}
            assert next(m for m in metadata.metrics if m.api_name == "keyEvents").type_ == data.MetricType.TYPE_FLOAT
            fitting = client.check_compatibility(data.CheckCompatibilityRequest(property=f"properties/{US}", metrics=[data.Metric(name="sessions")]))
            assert {c.compatibility.name for c in fitting.dimension_compatibilities if c.dimension_metadata.api_name in ("itemName", "date")} == {
                "COMPATIBLE",
                "INCOMPATIBLE",
            }
    assert answers[0] == answers[1]
    kept = (
        facts(agency)
        .filter(pl.col("medium").is_in(["cpc", "organic"]))
        .group_by("date", "source")
        .agg(pl.col("sessions").sum())
        .filter(pl.col("sessions") > 20)
    )
    assert [int(r[2]) for r in answers[0]] == sorted(kept["sessions"].to_list(), reverse=True)


def test_pages_without_a_full_order_overlap_and_with_one_they_do_not(large_property):
    window = [{"startDate": "2026-11-01", "endDate": "2026-11-05"}]
    body = {"dimensions": names("date", "sessionSource"), "metrics": names("sessions", "keyEvents", "totalRevenue"), "dateRanges": window}

    def read(**more: Any) -> list[tuple[str, ...]]:
        pages = [post(large_property, {**body, "limit": 4_000, "offset": str(offset), **more}, "77") for offset in range(0, 25_000, 4_000)]
        return [row for page in pages for row in rows(page)]

    assert len({r[:2] for r in read()}) < 25_000
    assert len({r[:2] for r in read(orderBys=[{"dimension": {"dimensionName": "date"}}])}) < 25_000
    ordered = read(orderBys=[{"dimension": {"dimensionName": n}} for n in ("date", "sessionSource")])
    assert [r[:2] for r in ordered] == sorted({r[:2] for r in ordered})
    assert len(ordered) == 25_000
    assert sum(int(r[2]) for r in ordered) == sum(n % 9 + 1 for n in range(25_000))
    assert sum(Decimal(r[3]) for r in ordered) == Decimal("0.25") * 25_000
    assert sum(Decimal(r[4]) for r in ordered) == sum(Decimal(n) + Decimal("0.5") for n in range(25_000))


def test_a_page_holds_ten_thousand_rows_unless_asked_and_never_more_than_a_quarter_million(large_property):
    body = {
        "dimensions": names("date", "sessionSource", "sessionCampaignName"),
        "metrics": names("sessions"),
        "dateRanges": [{"startDate": "30daysAgo", "endDate": "today"}],
    }
    first = post(large_property, body, "77").json()
    assert (len(first["rows"]), first["rowCount"]) == (10_000, 25_000)
    assert len(rows(post(large_property, {**body, "limit": "1000000"}, "77"))) == 25_000
    assert {r[2] for r in rows(post(large_property, {**body, "limit": 300}, "77"))} <= {f'Say "hi" \\ {n}' for n in range(7)}
    assert "rows" not in post(large_property, {**body, "offset": 25_000}, "77").json()


def test_date_ranges_are_named_and_the_platforms_day_is_the_propertys(agency, large_property):
    body = {
        "metrics": names("sessions"),
        "dateRanges": [{"startDate": "2026-10-01", "endDate": "2026-10-07", "name": "first"}, {"startDate": "2026-10-08", "endDate": "2026-10-14"}],
    }
    answer = post(agency, body)
    assert [h["name"] for h in answer.json()["dimensionHeaders"]] == ["dateRange"]
    told = dict(rows(answer))
    assert int(told["first"]) == facts(agency, date(2026, 10, 1), date(2026, 10, 7))["sessions"].sum()
    assert int(told["date_range_1"]) == facts(agency, date(2026, 10, 8), date(2026, 10, 14))["sessions"].sum()
    today = rows(post(agency, {"dimensions": names("date"), "metrics": names("sessions"), "dateRanges": [{"startDate": "yesterday", "endDate": "today"}]}))
    assert sorted(r[0] for r in today) == ["20261122", "20261123"]


def test_rows_of_zeros_are_dropped_unless_kept_and_a_report_without_metrics_lists_what_there_is(agency):
    some = facts(agency).filter(pl.col("conversions") == 0).height
    assert some
    kept = rows(post(agency, ask(*SPLIT, metrics=("keyEvents",), limit=250_000, keepEmptyRows=True)))
    dropped = rows(post(agency, ask(*SPLIT, metrics=("keyEvents",), limit=250_000)))
    assert len(kept) - len(dropped) == some
    bare = post(agency, ask("deviceCategory", metrics=()))
    assert [r[0] for r in rows(bare)] == ["desktop", "mobile"]
    assert "metricHeaders" not in bare.json()


def test_filters_of_every_kind_keep_what_they_say(agency):
    def mediums(expression: dict[str, Any]) -> set[str]:
        return {r[0] for r in rows(post(agency, ask("sessionMedium", dimensionFilter=expression)))}

    def text(match: str, value: str, **more: Any) -> dict[str, Any]:
        return {"filter": {"fieldName": "sessionMedium", "stringFilter": {"matchType": match, "value": value, **more}}}

    everything = mediums({"notExpression": text("EXACT", "no such")})
    assert {"cpc", "organic", "email", "referral", "paid_social"} <= everything
    assert mediums(text("EXACT", "CPC")) == {"cpc"}
    assert mediums(text("EXACT", "CPC", caseSensitive=True)) == set()
    assert mediums(text("BEGINS_WITH", "paid")) == {"paid_social"}
    assert mediums(text("ENDS_WITH", "al")) == {"paid_social", "referral"}
    assert mediums(text("CONTAINS", "cross-")) == {"cross-network"}
    assert mediums(text("FULL_REGEXP", "c.c")) == {"cpc"}
    assert mediums(text("PARTIAL_REGEXP", "^e")) == {"email"}
    assert mediums({"orGroup": {"expressions": [text("EXACT", "cpc"), text("EXACT", "email")]}}) == {"cpc", "email"}
    assert mediums({"andGroup": {"expressions": [text("CONTAINS", "a"), {"notExpression": text("CONTAINS", "r")}]}}) == {
        m for m in everything if "a" in m and "r" not in m
    }
    elsewhere = {"filter": {"fieldName": "deviceCategory", "inListFilter": {"values": ["mobile"]}}}
    mobile = rows(post(agency, ask(dimensionFilter=elsewhere)))
    assert int(mobile[0][0]) == facts(agency).filter(pl.col("device") == "mobile")["sessions"].sum()


def test_expressions_channel_groups_and_totals(agency):
    joined = {"name": "where", "dimensionExpression": {"concatenate": {"dimensionNames": ["sessionSource", "sessionMedium"], "delimiter": "|"}}}
    body = {**ask(), "dimensions": [joined, *names("sessionDefaultChannelGroup")], "metricAggregations": ["TOTAL", "MAXIMUM"]}
    answer = post(agency, body)
    groups = {r[0]: r[1] for r in rows(answer)}
    assert groups["google|cpc"] == "Paid Search"
    assert groups["google|cross-network"] == "Cross-network"
    assert groups["facebook|paid_social"] == "Paid Social"
    assert groups["(direct)|(none)"] == "Direct"
    assert groups["newsletter|email"] == "Email"
    assert groups["youtube.com|video"] == "Organic Video"
    (total,) = answer.json()["totals"]
    assert total["dimensionValues"][0]["value"] == "RESERVED_TOTAL"
    assert int(total["metricValues"][0]["value"]) == sum(int(r[2]) for r in rows(answer))


def test_a_batch_answers_up_to_five_reports(agency):
    one = ask("deviceCategory")
    answer = post(agency, {"requests": [one, ask()]}, method="batchRunReports").json()
    assert [r["rowCount"] for r in answer["reports"]] == [2, 1]
    assert answer["kind"] == "analyticsData#batchRunReports"
    assert refusal(post(agency, {"requests": [one] * 6}, method="batchRunReports"))[2].startswith("Batch requests are limited to 5 requests.")
    found = unary(agency, "BatchRunReports", {"property": f"properties/{US}", "requests": [one]})
    assert len(found[1]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dimensions": names("sesionSource")}, "Did you mean sessionSource? Field sesionSource is not a valid dimension. For a list of valid dimensions"),
        ({"metrics": names("visits")}, "Field visits is not a valid metric.  For a list of valid dimensions and metrics, see https://developers"),
        ({"metrics": names("keyEvents:nobody")}, "Field keyEvents:nobody is not a valid metric."),
        ({"dimensions": names("itemName")}, "Please remove sessions to make the request compatible."),
        ({"dateRanges": []}, "A dateRange is required."),
        ({"dateRanges": [{"startDate": "2026-10-02", "endDate": "2026-10-01"}]}, "Invalid dateRange"),
        ({"dateRanges": [{"startDate": "last week", "endDate": "today"}]}, "Invalid startDate: last week."),
        (
            {"dimensions": names(*(["date"] + [f"itemCategory{n}" for n in ("", 2, 3, 4, 5)] + ["itemName", "itemId", "itemBrand", "itemVariant"]))},
            "Requests are limited to 9 dimensions",
        ),
        ({"dimensions": [], "metrics": []}, "Requests require dimensions and/or metrics."),
        ({"orderBys": [{"metric": {"metricName": "totalUsers"}}]}, "Order by field totalUsers is not in the request."),
        ({"limit": -1}, "The limit must be non-negative."),
        ({"limit": "many"}, "Invalid value at 'limit' (TYPE_INT64)"),
        ({"dimensionFilter": {"filter": {"fieldName": "nothing", "stringFilter": {"value": "x"}}}}, "Field nothing is not a valid dimension."),
        ({"sort": "date"}, 'Invalid JSON payload received. Unknown name "sort"'),
    ],
)
def test_what_cannot_be_asked_is_refused_in_the_platforms_words(agency, change, words):
    code, status, message = refusal(post(agency, {**ask("date"), **change}))
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert message.startswith(words)


def test_tokens_properties_and_paths_that_are_none(agency):
    missing = post(agency, ask(), token="")
    assert refusal(missing)[:2] == (401, "UNAUTHENTICATED")
    assert missing.json()["error"]["details"][0]["reason"] == "CREDENTIALS_MISSING"
    assert 'error="invalid_token"' in post(agency, ask(), token="expired").headers["www-authenticate"]
    assert refusal(post(agency, ask(), token="nobody"))[1] == "UNAUTHENTICATED"
    scope = post(agency, ask(), token="sandbox-noscope")
    assert scope.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert refusal(post(agency, ask(), "1234567"))[:2] == (403, "PERMISSION_DENIED")
    assert refusal(post(agency, ask(), "UA-1"))[2].startswith("Invalid property ID: UA-1. A numeric Property ID is required.")
    page = post(agency, ask(), method="runEverything")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=UTF-8")
    with pytest.raises(grpc.RpcError) as caught:
        unary(agency, "RunReport", {"property": "properties/1", **ask()})
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def jwt(**claims: Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in ({"alg": "RS256"}, {"iss": "robot@project", **claims})]
    return ".".join([*parts, "c2ln"])


def test_a_service_accounts_token_is_taken_for_itself_or_exchanged(agency):
    assert rows(post(agency, ask(), token=jwt(exp=time.time() + 600)))
    assert refusal(post(agency, ask(), token=jwt(exp=time.time() - 600)))[1] == "UNAUTHENTICATED"
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    url = f"{agency.state['ga4']['endpoint']}/token"
    given = agency.http.post(url, data={**grant, "assertion": jwt(exp=time.time() + 600, scope="https://www.googleapis.com/auth/analytics.readonly")}).json()
    assert rows(post(agency, ask(), token=given["access_token"]))
    assert agency.http.post(url, data={**grant, "assertion": jwt(exp=time.time() - 600, scope="x")}).json()["error"] == "invalid_grant"
    assert agency.http.post(url, data={**grant, "assertion": "no.jwt"}).status_code == 400


def test_the_admin_api_lists_accounts_with_their_properties_page_by_page(agency):
    base, headers = f"{agency.state['ga4']['endpoint']}/v1beta", {"Authorization": "Bearer sandbox"}
    (account,) = agency.http.get(f"{base}/accountSummaries", headers=headers).json()["accountSummaries"]
    assert account["displayName"] == "Bright Oak"
    assert [(p["property"], p["displayName"]) for p in account["propertySummaries"]] == [
        ("properties/349118204", "Bright Oak US"),
        ("properties/349118377", "Bright Oak EU"),
    ]
    own = agency.http.get(f"{base}/properties/349118377", headers=headers).json()
    assert (own["currencyCode"], own["timeZone"], own["parent"]) == ("EUR", "Europe/Berlin", account["account"])
    assert agency.http.get(f"{base}/properties/1", headers=headers).status_code == 403
    found = unary(agency, "ListAccountSummaries", {}, service="admin.v1beta.AnalyticsAdminService")
    assert dict(fields(found[1][0]))[3] == b"Bright Oak"


def test_quotas_are_told_and_run_out_in_the_platforms_words(agency):
    first = post(agency, ask("date", returnPropertyQuota=True)).json()["propertyQuota"]
    assert first["tokensPerDay"] == {"consumed": 1, "remaining": 199_999}
    assert first["tokensPerProjectPerHour"] == {"consumed": 1, "remaining": 13_999}
    assert first["concurrentRequests"]["remaining"] == 9
    assert "propertyQuota" not in post(agency, ask()).json()
    quotas = next(f.__self__ for f in agency.sandbox.world.limits if type(f.__self__).__name__ == "Quotas" and hasattr(f.__self__, "spend"))
    quotas.spend(US, "tokensPerProjectPerHour", 14_000)
    code, status, words = refusal(post(agency, ask()))
    assert (code, status) == (429, "RESOURCE_EXHAUSTED")
    assert words.startswith("Exhausted property tokens for a project per hour. These quota tokens will return in under an hour.")
    agency.control("DELETE", "limits")
    assert rows(post(agency, ask()))


def test_scripted_doubts_change_the_answer_and_say_so(agency):
    body = ask("date", "sessionCampaignName", metrics=("sessions", "totalUsers"), returnPropertyQuota=True)
    plain = rows(post(agency, body))
    agency.fault("ga4", "thresholded", after_rows=30)
    thresholded = post(agency, body)
    assert thresholded.json()["metadata"]["subjectToThresholding"] is True
    assert sorted(rows(thresholded)) == sorted(r for r in plain if int(r[3]) >= 30)
    assert thresholded.json()["propertyQuota"]["potentiallyThresholdedRequestsPerHour"] == {"consumed": 1, "remaining": 119}
    agency.fault("ga4", "other_row", after_rows=3)
    folded = post(agency, body)
    assert folded.json()["metadata"]["dataLossFromOtherRow"] is True
    assert len({r[1] for r in rows(folded)}) == 4
    assert sum(int(r[2]) for r in rows(folded)) == sum(int(r[2]) for r in plain)
    assert Counter(r[1] for r in rows(folded))["(other)"] == 31
    agency.fault("ga4", "sampled")
    assert post(agency, body).json()["metadata"]["samplingMetadatas"] == [{"samplesReadCount": "500000", "samplingSpaceSize": "1250000"}]
    assert post(agency, body).json()["metadata"] == {"currencyCode": "USD", "timeZone": "America/New_York"}


def test_scripted_faults_have_the_platforms_shapes(agency):
    agency.fault("ga4", "throttle", seconds=7)
    answer = post(agency, ask())
    assert refusal(answer)[1] == "RESOURCE_EXHAUSTED"
    assert answer.json()["error"]["details"][-1] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
    for code, words in ((1, "per day"), (2, "for a property per hour"), (3, "concurrent requests"), (4, "potentially thresholded"), (5, "server errors")):
        agency.fault("ga4", "throttle", code=code)
        assert words in refusal(post(agency, ask()))[2]
    for kind, status in (
        ("server_error", "INTERNAL"),
        ("expired_token", "UNAUTHENTICATED"),
        ("lost_account", "PERMISSION_DENIED"),
        ("version_sunset", "NOT_FOUND"),
    ):
        agency.fault("ga4", kind, account_id=US)
        assert refusal(post(agency, ask()))[1] == status
    agency.fault("ga4", "truncated_body")
    broken = post(agency, ask())
    assert broken.status_code == 200
    with pytest.raises(ValueError, match=r"(?i)expecting|delimiter|unterminated"):
        json.loads(broken.content)
    agency.fault("ga4", "broken_stream")
    with pytest.raises(Exception, match=r"(?i)incomplete|peer closed|disconnected"):
        post(agency, ask())


def test_recorded_fields_and_values_have_the_shape_that_we_answer(agency, fixtures):
    recorded = [json.loads(line)["data"] for line in (fixtures / "ga4/airbyte_expected_records_subset.jsonl").read_text().splitlines()]
    for record in recorded:
        measured = [n for n, v in record.items() if not isinstance(v, str)]
        split = [n for n in record if n not in measured and n not in ("property_id", "startDate", "endDate")]
        answer = post(agency, {**ask(*split, metrics=tuple(measured)), "limit": 5})
        headers = answer.json()
        assert [h["name"] for h in headers["dimensionHeaders"]] == split
        for header in headers["metricHeaders"]:
            whole = isinstance(record[header["name"]], int)
            assert (header["type"] == "TYPE_INTEGER") == whole, header
