"""Yandex.Direct's Reports service: queue, completeness, drift, errors. Answers come over httpx's own transport port."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import httpx
import pytest

from connectors.patience import Patience
from connectors.yandex_direct.client import YandexDirect
from connectors.yandex_direct.settings import YandexDirectCredentials, YandexDirectSettings
from domain.catalogue import Account, Page, Report
from domain.clock import WallClock
from domain.errors import (
    AuthorizationExpired,
    IncompleteAnswer,
    PermissionDenied,
    RateLimited,
    ReportTooLarge,
    RequestRejected,
    TransientFailure,
    VersionSunset,
)
from domain.windows import DateWindow

ACCOUNT = Account("yandex_direct", "client-a", "Client A", "RUB", "Europe/Moscow")
WINDOW = DateWindow(date(2026, 5, 1), date(2026, 5, 4))
AD = ["Date", "Impressions", "Clicks", "Cost", "Conversions", "Revenue", "CampaignId", "CampaignName", "CampaignType", "AdGroupId", "AdGroupName", "AdId"]

Handler = Callable[[httpx.Request], httpx.Response]


class Wire:
    """Answer requests one after the other and remember them; the last answer repeats."""

    def __init__(self, *answers: httpx.Response | Handler) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request) if callable(answer) else answer

    def connector(self, **settings: str) -> YandexDirect:
        patience = Patience(sleep=self.slept.append, budget=60)
        return YandexDirect(
            YandexDirectCredentials(token="y0_very-secret-token"), YandexDirectSettings(**settings), WallClock(), patience, httpx.MockTransport(self)
        )

    @property
    def bodies(self) -> list[dict]:
        return [json.loads(r.content)["params"] for r in self.requests]


def tsv(rows: list[str], columns: list[str] = AD, total: int | None = None) -> httpx.Response:
    lines = ['"report" (2026-05-01 - 2026-05-04)', "\t".join(columns), *rows, f"Total rows: {len(rows) if total is None else total}", ""]
    return httpx.Response(200, content="\n".join(lines).encode(), headers={"Content-Type": "text/tab-separated-values; charset=utf-8"})


def failed(status: int, code: int = 0, text: str = "", **headers: str) -> httpx.Response:
    error = {"error": {"request_id": "77", "error_code": str(code), "error_string": text, "error_detail": ""}} if code else {}
    return httpx.Response(status, json=error, headers=headers)


def row(day: str = "2026-05-01", cost: str = "10.50", ad: str = "5001", name: str = "Бренд", conversions: str = "3", clicks: str = "7") -> str:
    return "\t".join([day, "100", clicks, cost, conversions, "--", "701", name, "TEXT_CAMPAIGN", "801", "Group", ad])


@pytest.fixture
def ad_daily() -> Report:
    return YandexDirect.reports["ad_daily"]


def pull(wire: Wire, report: Report, window: DateWindow = WINDOW, **settings: str) -> list[Page]:
    return list(wire.connector(**settings).pages(ACCOUNT, report, window))


def rows_of(pages: list[Page]) -> list[dict]:
    return [r for page in pages for r in page.rows.to_pylist()]


def test_rows_are_typed_exactly_and_the_total_is_the_proof(ad_daily: Report) -> None:
    wire = Wire(tsv([row(), row("2026-05-02", cost="0.10")]))
    pages = pull(wire, ad_daily)
    assert [p.proof for p in pages] == ["Total rows: 2"]
    first, second = rows_of(pages)
    assert first["Cost"] == Decimal("10.500000")
    assert second["Cost"] == Decimal("0.100000")
    assert first["Date"] == date(2026, 5, 1)
    assert first["Conversions"] == Decimal(3)
    assert first["IncludeVAT"] == "YES"
    assert pages[0].rows.schema == ad_daily.schema
    assert pages[0].body.startswith(b'"report"')
    assert pages[0].body.endswith(b"Total rows: 2\n")


def test_the_vat_flag_of_the_request_stands_in_each_row(ad_daily: Report) -> None:
    wire = Wire(tsv([row()]))
    assert rows_of(pull(wire, ad_daily, include_vat="NO"))[0]["IncludeVAT"] == "NO"
    assert wire.bodies[0]["IncludeVAT"] == "NO"


def test_undefined_is_null_and_names_keep_their_quotes(ad_daily: Report) -> None:
    found = rows_of(pull(Wire(tsv([row(name='Shoes "Summer" 50%', conversions="--")])), ad_daily))[0]
    assert found["Conversions"] is None
    assert found["Revenue"] is None
    assert found["CampaignName"] == 'Shoes "Summer" 50%'
    assert rows_of(pull(Wire(tsv([row(name="--")])), ad_daily))[0]["CampaignName"] == "--"


def test_a_master_campaign_without_an_ad_keeps_its_row(ad_daily: Report) -> None:
    line = "\t".join(["2026-05-01", "100", "7", "1.00", "--", "--", "701", "Master", "UNIFIED_CAMPAIGN", "--", "--", "--"])
    assert rows_of(pull(Wire(tsv([line])), ad_daily))[0]["AdId"] is None


def test_a_login_that_no_header_carries_is_refused_and_never_shortened(ad_daily: Report) -> None:
    wire = Wire(tsv([row()]))
    for login in ("client-aд", "client-a\n", "клиент"):
        with pytest.raises(RequestRejected, match="skip_accounts"):
            list(wire.connector().pages(replace(ACCOUNT, account_id=login), ad_daily, WINDOW))
    assert wire.requests == []


def test_an_empty_report_is_complete_and_says_so(ad_daily: Report) -> None:
    pages = pull(Wire(tsv([])), ad_daily)
    assert [(p.rows.num_rows, p.proof) for p in pages] == [(0, "Total rows: 0")]


def test_201_and_202_repeat_the_same_request_after_retry_in(ad_daily: Report) -> None:
    wire = Wire(httpx.Response(201, headers={"retryIn": "3"}), httpx.Response(202, headers={"retryIn": "7"}), tsv([row()]))
    assert len(rows_of(pull(wire, ad_daily))) == 1
    assert wire.slept == [3.0, 7.0]
    assert len({r.content for r in wire.requests}) == 1


def test_the_report_name_carries_the_load_so_that_no_old_file_answers(ad_daily: Report) -> None:
    wire = Wire(tsv([row()]))
    connector = wire.connector()
    for _ in range(2):
        list(connector.pages(ACCOUNT, ad_daily, WINDOW))
    names = [b["ReportName"] for b in wire.bodies]
    assert len(set(names)) == 2


def test_a_full_queue_is_waited_for(ad_daily: Report) -> None:
    wire = Wire(failed(400, 9000, "The queue of reports is full", retryIn="4"), tsv([row()]))
    assert len(rows_of(pull(wire, ad_daily))) == 1
    assert wire.slept == [4.0]


def test_502_splits_the_window_and_is_never_retried_blindly(ad_daily: Report) -> None:
    def heavy(request: httpx.Request) -> httpx.Response:
        window = json.loads(request.content)["params"]["SelectionCriteria"]
        if window["DateFrom"] != window["DateTo"]:
            return failed(502)
        return tsv([row(window["DateFrom"])])

    wire = Wire(heavy)
    pages = pull(wire, ad_daily)
    assert sorted(r["Date"] for r in rows_of(pages)) == list(WINDOW.dates())
    assert pages[-1].proof == "Total rows: 4 in 4 reports"
    windows = [tuple(b["SelectionCriteria"].values()) for b in wire.bodies]
    assert len(windows) == len(set(windows)) == 7


def test_502_on_a_single_day_is_too_large(ad_daily: Report) -> None:
    with pytest.raises(ReportTooLarge, match="client-a"):
        pull(Wire(failed(502)), ad_daily, DateWindow(date(2026, 5, 1), date(2026, 5, 1)))


@pytest.mark.parametrize("total", [1, 3])
def test_a_total_that_is_not_the_rows_fails_the_pull(ad_daily: Report, total: int) -> None:
    with pytest.raises(IncompleteAnswer, match=f"counts {total} rows, 2 arrived"):
        pull(Wire(tsv([row(), row("2026-05-02")], total=total)), ad_daily)


@pytest.mark.parametrize("cut", [20, 200, 330])
def test_a_truncated_body_fails_the_pull(ad_daily: Report, cut: int) -> None:
    whole = tsv([row(), row("2026-05-02"), row("2026-05-03")]).content
    with pytest.raises(IncompleteAnswer):
        pull(Wire(httpx.Response(200, content=whole[:cut])), ad_daily)


def test_a_stream_that_breaks_is_a_transient_failure(ad_daily: Report) -> None:
    def broken() -> Iterator[bytes]:
        yield tsv([row()]).content[:150]
        raise httpx.ReadError("connection reset")

    with pytest.raises(TransientFailure, match="client-a"):
        pull(Wire(lambda request: httpx.Response(200, content=broken())), ad_daily)


def test_large_reports_stream_in_pieces(ad_daily: Report) -> None:
    lines = [row(ad=str(n), name="Campaign " + "x" * 60) for n in range(120_000)]
    pages = pull(Wire(tsv(lines)), ad_daily)
    assert len(pages) > 2
    assert sum(p.rows.num_rows for p in pages) == 120_000
    assert b"".join(p.body for p in pages) == tsv(lines).content
    assert [p.proof for p in pages[:-1]] == [""] * (len(pages) - 1)


def test_an_unknown_column_is_ignored_and_kept_in_the_bytes(ad_daily: Report) -> None:
    pages = pull(Wire(tsv([row() + "\tnew"], [*AD, "Novelty"])), ad_daily)
    assert pages[0].rows.schema == ad_daily.schema
    assert b"Novelty" in pages[0].body


def test_columns_are_found_by_name_not_by_position(ad_daily: Report) -> None:
    line = row().split("\t")
    found = rows_of(pull(Wire(tsv(["\t".join(reversed(line))], list(reversed(AD)))), ad_daily))[0]
    assert (found["Date"], found["Clicks"], found["AdId"]) == (date(2026, 5, 1), 7, "5001")


def test_a_missing_nullable_column_is_null_with_a_warning_and_a_missing_key_fails(ad_daily: Report, caplog: pytest.LogCaptureFixture) -> None:
    without_revenue = [c for c in AD if c != "Revenue"]
    line = [v for c, v in zip(AD, row().split("\t"), strict=True) if c != "Revenue"]
    pages = pull(Wire(tsv(["\t".join(line)], without_revenue)), ad_daily)
    assert rows_of(pages)[0]["Revenue"] is None
    assert pages[-1].notes == ("ad_daily: Direct no longer fills Revenue, which stay NULL",)
    assert "lacks the columns Revenue" in caplog.text
    without_clicks = [c for c in AD if c != "Clicks"]
    line = [v for c, v in zip(AD, row().split("\t"), strict=True) if c != "Clicks"]
    with pytest.raises(IncompleteAnswer, match="Clicks is missing"):
        pull(Wire(tsv(["\t".join(line)], without_clicks)), ad_daily)


@pytest.mark.parametrize("wrong", [{"clicks": "7.5"}, {"cost": "ten"}, {"cost": "0.1234567"}, {"day": "01.05.2026"}])
def test_a_changed_type_fails_loudly(ad_daily: Report, wrong: dict[str, str]) -> None:
    with pytest.raises(IncompleteAnswer, match="client-a"):
        pull(Wire(tsv([row(**wrong)])), ad_daily)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failed(400, 53, "Authorization error"), AuthorizationExpired),
        (failed(400, 54, "No rights"), PermissionDenied),
        (failed(403), PermissionDenied),
        (failed(400, 152, "Not enough units"), RateLimited),
        (failed(400, 8000, "Invalid request"), RequestRejected),
        (failed(404), VersionSunset),
        (failed(500, 1000, "Temporarily unavailable"), TransientFailure),
        (failed(500), TransientFailure),
    ],
)
def test_errors_name_the_account_the_cause_and_the_fix_and_no_secret(ad_daily: Report, answer: httpx.Response, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        pull(Wire(answer), ad_daily)
    assert "yandex_direct account client-a" in str(raised.value)
    assert raised.value.fix
    assert "y0_very-secret-token" not in str(raised.value)


def test_fatal_errors_are_asked_once_and_transient_ones_a_few_times(ad_daily: Report) -> None:
    fatal, shaky = Wire(failed(400, 53)), Wire(failed(500))
    for wire in (fatal, shaky):
        with pytest.raises((AuthorizationExpired, TransientFailure)):
            pull(wire, ad_daily)
    assert len(fatal.requests) == 1
    assert 1 < len(shaky.requests) <= 5


def test_no_units_raises_with_the_pause_and_does_not_sleep_it(ad_daily: Report) -> None:
    wire = Wire(failed(400, 152))
    with pytest.raises(RateLimited) as raised:
        pull(wire, ad_daily)
    assert raised.value.retry_after == 3600
    assert sum(wire.slept) == 0


def test_requests_keep_below_twenty_in_ten_seconds(ad_daily: Report) -> None:
    wire = Wire(tsv([]))
    connector = wire.connector()
    for _ in range(25):
        list(connector.pages(ACCOUNT, ad_daily, WINDOW))
    assert sum(wire.slept) == pytest.approx(10, abs=2)


def test_clients_come_from_the_agency_or_from_the_advertiser_itself() -> None:
    def agency(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/agencyclients")
        offset = json.loads(request.content)["params"]["Page"]["Offset"]
        clients = [{"Login": f"c{offset}", "ClientInfo": "C", "Currency": "RUB", "Archived": "NO"}, {"Login": "old", "Currency": "RUB", "Archived": "YES"}]
        return httpx.Response(200, json={"result": {"Clients": clients[: 2 - offset], **({"LimitedBy": 1} if offset == 0 else {})}})

    found = Wire(agency).connector().discover()
    assert [(a.account_id, a.currency, a.timezone) for a in found.accounts] == [("c0", "RUB", "Europe/Moscow"), ("c1", "RUB", "Europe/Moscow")]
    assert found.notes == ["account old left out: it is archived"]

    def alone(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/agencyclients"):
            return failed(200, 54, "No rights")
        return httpx.Response(200, json={"result": {"Clients": [{"Login": "me", "Currency": "KZT"}]}})

    assert [a.account_id for a in Wire(alone).connector().accounts()] == ["me"]


def test_check_says_in_words_and_does_not_raise() -> None:
    refused = Wire(failed(200, 53, "Authorization error")).connector().check()
    assert not refused.works
    assert "./run connect yandex_direct" in refused.message
