"""Rows per second that the sandbox serves on each wire, read raw: `python -m benchmarks.sandbox_rows`.

Prints wall time and the server's own processor time, since both share the machine with whatever else runs. Times never gate tests.
"""

import json
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import grpc
import httpx

from benchmarks.processes import SandboxProcess, processor_seconds
from sandbox.ga4.messages import encode
from sandbox.google_ads.wire import fields, text

SINCE, UNTIL = "2025-10-20", "2026-11-23"
GOOGLE = (
    "SELECT segments.date, customer.id, customer.currency_code, campaign.id, campaign.name, ad_group.id, ad_group.name, ad_group_ad.ad.id, "
    "ad_group_ad.ad.name, metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value "
    f"FROM ad_group_ad WHERE segments.date BETWEEN '{SINCE}' AND '{UNTIL}'"
)
META = "campaign_id,campaign_name,adset_id,adset_name,ad_id,ad_name,impressions,clicks,spend,actions,action_values"
DIRECT = ["Date", "CampaignId", "CampaignName", "AdGroupId", "AdGroupName", "AdId", "Impressions", "Clicks", "Cost", "Conversions", "Revenue"]

GA4 = ("date", "sessionSource", "sessionMedium", "sessionCampaignName", "deviceCategory", "country", "landingPage")


def google(state: dict, client: httpx.Client) -> int:
    """Stream one account's ad rows over gRPC and count them."""
    credentials = grpc.ssl_channel_credentials(Path(state["google_ads"]["ca_bundle"]).read_bytes())
    metadata = [("authorization", "Bearer sandbox"), ("developer-token", "d" * 22)]
    with grpc.secure_channel(state["google_ads"]["endpoint"], credentials, options=[("grpc.max_receive_message_length", -1)]) as channel:
        call = channel.unary_stream("/google.ads.googleads.v26.services.GoogleAdsService/SearchStream")
        return sum(body.count(b"adGroupAds/") for body in call(text(1, "2417305861") + text(2, GOOGLE), metadata=metadata))


def meta(state: dict, client: httpx.Client) -> int:
    """Run one account's ad insights as a report run and count the rows of its pages."""
    base, token = f"{state['meta_ads']['endpoint']}/v26.0", "access_token=sandbox"
    window = json.dumps({"since": SINCE, "until": UNTIL})
    form = {"access_token": "sandbox", "level": "ad", "time_increment": "1", "time_range": window, "fields": META}
    run = client.post(f"{base}/act_1029384756102938/insights", data=form).json()["report_run_id"]
    while client.get(f"{base}/{run}?{token}").json()["async_status"] != "Job Completed":
        pass
    rows, url = 0, f"{base}/{run}/insights?{token}&limit=5000"
    while url:
        page = client.get(url).json()
        rows += len(page["data"])
        url = page.get("paging", {}).get("next", "")
    return rows


def direct(state: dict, client: httpx.Client) -> int:
    """Fetch one login's ad report and return its own count of rows."""
    params = {
        "SelectionCriteria": {"DateFrom": SINCE, "DateTo": UNTIL},
        "FieldNames": DIRECT,
        "ReportName": str(time.time_ns()),
        "ReportType": "AD_PERFORMANCE_REPORT",
        "DateRangeType": "CUSTOM_DATE",
        "Format": "TSV",
        "IncludeVAT": "YES",
    }
    headers = {"Authorization": "Bearer sandbox", "Client-Login": "severny-dom"}
    answer = client.post(f"{state['yandex_direct']['endpoint']}/json/v5/reports", json={"params": params}, headers=headers)
    return int(answer.text.rstrip().rpartition(" ")[2])


def metrica(state: dict, client: httpx.Client) -> int:
    """Read the counter's visits by source, device and country in pages of 25,000 rows and count them."""
    names = "date,lastsignTrafficSource,lastsignSourceEngine,lastsignUTMSource,lastsignUTMMedium,lastsignUTMCampaign,deviceCategory,regionCountry"
    dimensions = ",".join(f"ym:s:{name}" for name in names.split(","))
    params = {"ids": "71530264", "metrics": "ym:s:visits,ym:s:users,ym:s:pageviews,ym:s:sumGoalReachesAny", "dimensions": dimensions, "sort": dimensions}
    params |= {"date1": SINCE, "date2": UNTIL, "limit": "25000", "accuracy": "full"}
    rows, total = 0, 1
    while rows < total:
        answer = client.get(
            f"{state['yandex_metrica']['endpoint']}/stat/v1/data", params={**params, "offset": str(rows + 1)}, headers={"Authorization": "OAuth sandbox"}
        )
        total = int(answer.content.rpartition(b'"total_rows":')[2].partition(b",")[0])
        rows += answer.content.count(b'{"dimensions":[')
    return rows


def metrica_logs(state: dict, client: httpx.Client) -> int:
    """Order a week of visits, download and clean it, and count its rows."""
    counter = f"{state['yandex_metrica']['endpoint']}/management/v1/counter/71530264"
    headers = {"Authorization": "OAuth sandbox"}
    fields = "visitID,date,dateTime,clientID,goalsID,goalsPrice,purchaseRevenue,lastsignTrafficSource,lastsignUTMSource,lastsignUTMMedium,lastsignUTMCampaign"
    params = {"date1": "2026-11-16", "date2": "2026-11-22", "source": "visits", "fields": ",".join(f"ym:s:{name}" for name in fields.split(","))}
    request = client.post(f"{counter}/logrequests", params=params, headers=headers).json()["log_request"]["request_id"]
    parts = client.get(f"{counter}/logrequest/{request}", headers=headers).json()["log_request"]["parts"]
    bodies = [client.get(f"{counter}/logrequest/{request}/part/{p['part_number']}/download", headers=headers).content for p in parts]
    client.post(f"{counter}/logrequest/{request}/clean", headers=headers)
    return sum(body.count(b"\n") - 1 for body in bodies)


def _ga4_request(offset: int) -> dict:
    order = [{"dimension": {"dimensionName": n}} for n in GA4]
    names = {"dimensions": [{"name": n} for n in GA4], "metrics": [{"name": n} for n in ("sessions", "totalUsers", "keyEvents", "totalRevenue")]}
    return {**names, "dateRanges": [{"startDate": SINCE, "endDate": UNTIL}], "orderBys": order, "limit": "250000", "offset": str(offset)}


def ga4(state: dict, client: httpx.Client) -> int:
    """Fetch one property's sessions at the finest grain by REST and return the rows."""
    url = f"{state['ga4']['endpoint']}/v1beta/properties/349118204:runReport"
    answer = client.post(url, json=_ga4_request(0), headers={"Authorization": "Bearer sandbox"})
    return answer.content.count(b'"dimensionValues"')


def ga4_grpc(state: dict, client: httpx.Client) -> int:
    """Fetch the same rows over gRPC."""
    credentials = grpc.ssl_channel_credentials(Path(state["ga4"]["ca_bundle"]).read_bytes())
    with grpc.secure_channel(state["ga4"]["grpc"], credentials, options=[("grpc.max_receive_message_length", -1)]) as channel:
        call = channel.unary_unary("/google.analytics.data.v1beta.BetaAnalyticsData/RunReport")
        request = encode("RunReportRequest", {"property": "properties/349118204", **_ga4_request(0)})
        answer = call(request, metadata=[("authorization", "Bearer sandbox")])
    return sum(number == 3 for number, _ in fields(answer))


WIRES = (
    ("google_ads", google),
    ("meta_ads", meta),
    ("yandex_direct", direct),
    ("ga4", ga4),
    ("ga4 grpc", ga4_grpc),
    ("metrica", metrica),
    ("metrica logs", metrica_logs),
)


def measure(name: str, read: Callable[[dict, httpx.Client], int], state: dict, client: httpx.Client) -> None:
    """Read three times, print the best."""
    best = None
    for _ in range(3):
        client.delete(f"{state['control']}/__sandbox__/limits")  # a refusal is answered faster than any row
        before, started = processor_seconds(state["pid"]), time.perf_counter()
        rows = read(state, client)
        taken = time.perf_counter() - started, processor_seconds(state["pid"]) - before, rows
        best = taken if best is None or taken < best else best
    wall, processor, rows = best
    print(f"{name:14} {rows:7,} rows  {rows / wall:10,.0f} rows/s by the wall  {rows / max(processor, 0.01):10,.0f} rows/s of the server's processor time")


def main() -> None:
    """Start a sandbox, read each platform, stop it."""
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        sandbox = SandboxProcess(Path(directory) / "sandbox", [], date.fromisoformat(UNTIL))
        sandbox.start()
        state = sandbox.state
        print(f"ready in {time.perf_counter() - started:.2f} s, {processor_seconds(state['pid']):.2f} s of processor time")
        with httpx.Client(timeout=120, trust_env=False) as client:
            for name, read in WIRES:
                measure(name, read, state, client)
        sandbox.stop()


if __name__ == "__main__":
    main()
