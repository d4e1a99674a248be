"""A running sandbox in this process, and small clients that speak each wire without any package of the platforms."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from sandbox.google_ads.wire import fields, text
from sandbox.serving import Sandbox

TODAY = date(2026, 11, 23)
HEADER = [
    *("platform", "account_id", "account_name", "currency", "timezone", "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name"),
    *("date", "impressions", "clicks", "spend", "conversions", "conversions_value"),
]
BASE = {
    "account_name": "Shop",
    "currency": "USD",
    "timezone": "America/New_York",
    "campaign_id": "11",
    "campaign_name": "One",
    "ad_group_id": "21",
    "ad_group_name": "Group",
    "ad_id": "31",
    "ad_name": "Ad",
    "date": "2026-11-01",
    "impressions": "100",
    "clicks": "10",
    "spend": "12.34",
    "conversions": "2",
    "conversions_value": "50.5",
}
ACCOUNTS = {"google_ads": "1234567890", "meta_ads": "100200300", "yandex_direct": "shop-login"}


@dataclass
class Failure(Exception):
    """A gRPC call that failed: status, the category and code of its GoogleAdsFailure, its message, the pause in seconds."""

    status: str
    category: str = ""
    code: int = 0
    message: str = ""
    retry_delay: float = 0
    request_id: str = ""
    partial: list[dict[str, Any]] = field(default_factory=list)


class GoogleWire:
    """Search and SearchStream over TLS gRPC; messages are parsed with the package's own descriptors."""

    def __init__(self, state: dict[str, Any], **headers: str) -> None:
        credentials = grpc.ssl_channel_credentials(Path(state["google_ads"]["ca_bundle"]).read_bytes())
        self.channel = grpc.secure_channel(state["google_ads"]["endpoint"], credentials, options=[("grpc.max_receive_message_length", -1)])
        defaults = {"authorization": "Bearer sandbox", "developer-token": "d" * 22, "login-customer-id": state["google_ads"]["login_customer_id"]}
        self.headers = {**defaults, **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.batches: list[int] = []
        self.trailing: dict[str, Any] = {}

    def rows(self, customer_id: str, query: str, version: str = "v26", **headers: str) -> list[Any]:
        """Run SearchStream and return GoogleAdsRow messages."""
        from google.ads.googleads.v26.services.types.google_ads_service import SearchGoogleAdsStreamResponse

        method = f"/google.ads.googleads.{version}.services.GoogleAdsService/SearchStream"
        found: list[Any] = []
        self.batches = []
        parse = SearchGoogleAdsStreamResponse.pb().FromString
        call = self.channel.unary_stream(method)(text(1, customer_id) + text(2, query), metadata=self._metadata(headers), timeout=30)
        try:
            for body in call:
                batch = parse(body)
                self.batches.append(len(batch.results))
                found += batch.results
        except grpc.RpcError as error:
            raise failure(error, found) from error
        self.trailing = dict(call.trailing_metadata())
        return found

    def unary(self, service: str, method: str, request: bytes, version: str = "v26", **headers: str) -> dict[int, Any]:
        """Call a unary method and return the raw fields of its answer, repeated ones as lists."""
        call = self.channel.unary_unary(f"/google.ads.googleads.{version}.services.{service}/{method}")
        try:
            body = call(request, metadata=self._metadata(headers), timeout=30)
        except grpc.RpcError as error:
            raise failure(error, []) from error
        answer: dict[int, Any] = {}
        for number, value in fields(body):
            answer.setdefault(number, []).append(value)
        return answer

    def refused(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Failure:
        """Make a call that must fail, and return how it did."""
        with pytest.raises(Failure) as caught:
            call(*args, **kwargs)
        return caught.value

    def _metadata(self, headers: dict[str, str]) -> list[tuple[str, str]]:
        merged = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return [(k, v) for k, v in merged.items() if v]


def failure(error: Any, partial: list[Any]) -> Failure:
    """Read the GoogleAdsFailure of the trailing metadata with the package's own message."""
    from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure

    found = Failure(error.code().name, message=error.details(), partial=partial)
    for key, value in error.trailing_metadata() or ():
        if key == "request-id":
            found.request_id = value
        if key.endswith("googleadsfailure-bin"):
            first = GoogleAdsFailure.pb().FromString(value).errors[0]
            found.category = first.error_code.WhichOneof("error_code")
            found.code = getattr(first.error_code, found.category)
            found.message = first.message
            delay = first.details.quota_error_details.retry_delay
            found.retry_delay = delay.seconds + delay.nanos / 1e9
    return found


class Bench:
    """One sandbox with a client for each wire."""

    def __init__(self, sandbox: Sandbox, *, lenient: bool = False) -> None:
        self.lenient = lenient
        self.sandbox = sandbox
        self.state = sandbox.state()
        self.http = httpx.Client(timeout=30)
        self._google: GoogleWire | None = None

    @property
    def google(self) -> GoogleWire:
        if self._google is None:
            self._google = GoogleWire(self.state)
        return self._google

    def control(self, method: str, name: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.state['control']}/__sandbox__/{name}", content=None if body is None else json.dumps(body))
        answer.raise_for_status()
        return answer.json()

    def fault(self, platform: str, kind: str, **more: Any) -> None:
        self.control("POST", "faults", {"platform": platform, "kind": kind, **more})

    def graph(self, path: str, method: str = "GET", **params: Any) -> httpx.Response:
        merged = {"access_token": "sandbox", **{k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}}
        url = f"{self.state['meta_ads']['endpoint']}/v26.0/{path}"
        return self.http.post(url, data=merged) if method == "POST" else self.http.get(url, params=merged)

    def graph_rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        answer = self.graph(path, **params)
        rows: list[dict[str, Any]] = []
        while True:
            assert answer.status_code == 200, answer.text
            body = answer.json()
            rows += body["data"]
            following = body.get("paging", {}).get("next")
            if not following:
                return rows
            answer = self.http.get(following)

    def direct(self, service: str, body: Any, login: str = "", **headers: str) -> httpx.Response:
        given = {"Authorization": "Bearer sandbox", **({"Client-Login": login} if login else {}), **headers}
        return self.http.post(f"{self.state['yandex_direct']['endpoint']}/json/v5/{service}", json=body, headers=given)

    def report(self, names: Sequence[str], login: str = "", headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        if self.lenient:
            self.control("DELETE", "limits")
        params: dict[str, Any] = {
            "SelectionCriteria": {"DateFrom": "2026-01-01", "DateTo": "2026-11-23"},
            "FieldNames": list(names),
            "ReportName": f"report {self.sandbox.world.number()}",
            "ReportType": "CUSTOM_REPORT",
            "DateRangeType": "CUSTOM_DATE",
            "Format": "TSV",
            "IncludeVAT": "YES",
            **changes,
        }
        return self.direct("reports", {"params": params}, login, **{"returnMoneyInMicros": "false", "skipReportHeader": "true", **(headers or {})})

    def report_rows(self, names: Sequence[str], login: str = "", **changes: Any) -> list[dict[str, str]]:
        answer = self.report(names, login, **changes)
        assert answer.status_code == 200, answer.text
        header, *rows, total = answer.text.splitlines()
        assert total == f"Total rows: {len(rows)}"
        return [dict(zip(header.split("\t"), row.split("\t"), strict=True)) for row in rows]

    def totals(self, platform: str, level: str, since: str, until: str, account_id: str = "") -> dict[str, Decimal]:
        """Ask the platform for its totals at a level, each in its own words, and return them in ours."""
        account_id = account_id or ACCOUNTS[platform]
        return getattr(self, f"_{platform}")(account_id, level, since, until)

    def _google_ads(self, account_id: str, level: str, since: str, until: str) -> dict[str, Decimal]:
        resource = {"account": "customer", "campaign": "campaign", "ad_group": "ad_group", "ad": "ad_group_ad"}[level]
        metrics = ("impressions", "clicks", "cost_micros", "conversions", "conversions_value")
        query = f"SELECT segments.date, {', '.join('metrics.' + m for m in metrics)} FROM {resource} WHERE segments.date BETWEEN '{since}' AND '{until}'"
        rows = self.google.rows(account_id, query)
        sums = [sum((Decimal(repr(getattr(r.metrics, m))) for r in rows), Decimal(0)) for m in metrics]
        sums[2] /= 1_000_000
        return dict(zip(("impressions", "clicks", "spend", "conversions", "conversions_value"), sums, strict=True))

    def _meta_ads(self, account_id: str, level: str, since: str, until: str) -> dict[str, Decimal]:
        rows = self.graph_rows(
            f"act_{account_id}/insights",
            level={"ad_group": "adset"}.get(level, level),
            fields="impressions,clicks,spend,actions,action_values",
            time_range={"since": since, "until": until},
            time_increment="1",
            limit="500",
        )

        def tier(row: dict[str, Any], key: str) -> Decimal:
            return sum((Decimal(a["value"]) for a in row.get(key, ()) if a["action_type"] == "omni_purchase"), Decimal(0))

        totals = {m: sum((Decimal(r.get(m, "0")) for r in rows), Decimal(0)) for m in ("impressions", "clicks", "spend")}
        return {**totals, "conversions": sum(tier(r, "actions") for r in rows), "conversions_value": sum(tier(r, "action_values") for r in rows)}  # type: ignore[dict-item]

    def _yandex_direct(self, account_id: str, level: str, since: str, until: str) -> dict[str, Decimal]:
        kind = {"account": "ACCOUNT", "campaign": "CAMPAIGN", "ad_group": "ADGROUP", "ad": "AD"}[level] + "_PERFORMANCE_REPORT"
        rows = self.report_rows(
            ["Date", "Impressions", "Clicks", "Cost", "Conversions", "Revenue"],
            account_id,
            ReportType=kind,
            SelectionCriteria={"DateFrom": since, "DateTo": until},
        )
        names = {"impressions": "Impressions", "clicks": "Clicks", "spend": "Cost", "conversions": "Conversions", "conversions_value": "Revenue"}
        return {ours: sum((Decimal(r[theirs].replace("--", "0")) for r in rows), Decimal(0)) for ours, theirs in names.items()}

    def close(self) -> None:
        self.http.close()
        if self._google:
            self._google.channel.close()
        self.sandbox.close()


@pytest.fixture(scope="session")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The generated agency on 2026-11-23; tests must leave no fault behind and must not move its clock."""
    bench = Bench(Sandbox(tmp_path_factory.mktemp("agency"), today=TODAY), lenient=True)
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def large_property(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A GA4 property of 25,000 keys with awkward names, fractions and yen; tests must leave no fault behind."""
    path = tmp_path_factory.mktemp("large") / "analytics.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*HEADER[:5], "date", "source", "medium", "campaign", "landing_page", "sessions", "users", "conversions", "conversions_value"])
        for n in range(25_000):
            account = ("ga4", "77", 'The "Shop"', "JPY", "Asia/Tokyo")
            writer.writerow(
                [*account, f"2026-11-0{n % 5 + 1}", f"s{n // 5}", "cpc", f'Say "hi" \\ {n % 7}', f"/p{n % 11}", n % 9 + 1, n % 9 + 1, "0.25", f"{n}.5"]
            )
    bench = Bench(Sandbox(tmp_path_factory.mktemp("served"), datasets=[path], today=TODAY))
    yield bench
    bench.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a dataset file: rows are changes to one plain row of a platform."""

    def make(*rows: dict[str, str], name: str = "data.csv", header: Sequence[str] = ()) -> Path:
        path = tmp_path / name
        columns = list(header) or [*HEADER, *dict.fromkeys(k for row in rows for k in row if k not in HEADER)]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", restval="")
            writer.writeheader()
            for row in rows:
                platform = row.get("platform", "meta_ads")
                writer.writerow({**BASE, "platform": platform, "account_id": ACCOUNTS.get(platform, "1"), **row})
        return path

    return make


@pytest.fixture
def serve(tmp_path: Path, write: Callable[..., Path]) -> Iterator[Callable[..., Bench]]:
    """Serve dataset rows."""
    started: list[Bench] = []

    def start(*rows: dict[str, str], today: date = TODAY, paths: Sequence[Path] = ()) -> Bench:
        files = [*paths, *([write(*rows)] if rows else [])]
        started.append(Bench(Sandbox(tmp_path / f"sandbox{len(started)}", datasets=files, today=today)))
        return started[-1]

    yield start
    for bench in started:
        bench.close()
