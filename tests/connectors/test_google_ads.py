"""The Google Ads connector over the real client library and TLS gRPC, against the sandbox."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.google_ads.batches import Batch
from connectors.google_ads.client import GoogleAds
from connectors.google_ads.discovery import discover
from connectors.google_ads.reports import PATHS, REPORTS
from connectors.google_ads.rows import table as rows_table
from connectors.google_ads.settings import GoogleAdsCredentials, GoogleAdsSettings
from connectors.patience import Patience
from domain.catalogue import Account, Page
from domain.clock import PinnedClock
from domain.errors import AuthorizationExpired, IncompleteAnswer, PermissionDenied, RateLimited, RequestRejected, SourceError, TransientFailure, VersionSunset
from domain.windows import DateWindow

TODAY = date(2026, 5, 31)
CLOCK = PinnedClock(TODAY, datetime.now(UTC))
WINDOW = DateWindow(date(2026, 5, 1), date(2026, 6, 2))
BIG = Account("google_ads", "1000000009", "Big", "EUR", "Europe/Berlin")
HUNDRED_DAYS = DateWindow(date(2026, 2, 1), TODAY)
TOKEN = "sandbox-secret-access-token"


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def connect(sandbox: Any, slept: list[float]) -> Iterator[Callable[..., GoogleAds]]:
    opened: list[GoogleAds] = []

    def make(token: str = TOKEN, budget: float = 30, **settings: str) -> GoogleAds:
        made = GoogleAds(
            GoogleAdsCredentials(developer_token="d" * 22, access_token=token),
            GoogleAdsSettings(**{**sandbox.settings("google_ads"), **settings}),
            CLOCK,
            Patience(sleep=slept.append, budget=budget),
        )
        opened.append(made)
        return made

    yield make
    for connector in opened:
        connector.close()


@pytest.fixture
def connector(connect: Callable[..., GoogleAds]) -> GoogleAds:
    return connect()


def pull(connector: GoogleAds, name: str, account: Account = BIG, window: DateWindow = HUNDRED_DAYS) -> list[Page]:
    return list(connector.pages(account, connector.reports[name], window))


def account(connector: GoogleAds, account_id: str) -> Account:
    return next(a for a in connector.accounts() if a.account_id == account_id)


def rows_of(pages: list[Page]) -> list[dict[str, Any]]:
    return [r for page in pages for r in page.rows.to_pylist()]


def test_accounts_below_nested_managers_are_found_once_and_disabled_ones_left_out(connect: Callable[..., GoogleAds]) -> None:
    for settings in ({}, {"login_customer_id": ""}):
        found = connect(**settings).discover()
        assert [a.account_id for a in found.accounts] == ["1000000001", "1000000002", "1000000009"]
        assert [(a.currency, a.timezone) for a in found.accounts[:2]] == [("JPY", "Pacific/Auckland"), ("USD", "Pacific/Pago_Pago")]


def test_levels_carry_exact_micros_and_the_ad_level_lacks_performance_max(connector: GoogleAds) -> None:
    tokyo = account(connector, "1000000001")
    days = {r["segments_date"]: r for r in rows_of(pull(connector, "account_daily", tokyo, WINDOW))}
    campaigns = rows_of(pull(connector, "campaign_daily", tokyo, WINDOW))
    ads = rows_of(pull(connector, "ad_daily", tokyo, WINDOW))
    day = date(2026, 5, 30)
    assert days[day]["metrics_cost_micros"] == 2_010_000 + 2_020_000 + 3_330_000
    assert days[day]["metrics_conversions"] == Decimal("7.500000")
    assert days[day]["customer_currency_code"] == "JPY"
    assert {(c["campaign_id"], c["metrics_clicks"]) for c in campaigns if c["segments_date"] == day} == {("101", 23), ("102", 5)}
    assert sum(r["metrics_cost_micros"] for r in campaigns) == sum(r["metrics_cost_micros"] for r in days.values())
    assert sum(r["metrics_cost_micros"] for r in ads) < sum(r["metrics_cost_micros"] for r in campaigns)
    assert {r["campaign_status"] for r in campaigns} == {"ENABLED"}
    assert isinstance(campaigns[0]["campaign_advertising_channel_type"], str)


def test_windows_are_the_accounts_own_days_at_plus_thirteen_and_minus_eleven(connector: GoogleAds) -> None:
    east, west = account(connector, "1000000001"), account(connector, "1000000002")
    assert CLOCK.today(east.timezone) == date(2026, 6, 1)
    assert CLOCK.today(west.timezone) == date(2026, 5, 31)
    last = {
        a.account_id: max(r["segments_date"] for r in rows_of(pull(connector, "account_daily", a, DateWindow(WINDOW.since, CLOCK.today(a.timezone)))))
        for a in (east, west)
    }
    assert last == {"1000000001": date(2026, 6, 1), "1000000002": date(2026, 5, 31)}


@pytest.mark.parametrize("report", [r.name for r in REPORTS])
def test_every_page_has_the_reports_schema_and_only_the_last_the_proof(connector: GoogleAds, report: str) -> None:
    pages = pull(connector, report)
    assert all(p.rows.schema == connector.reports[report].schema for p in pages)
    assert [bool(p.proof) for p in pages] == [False] * (len(pages) - 1) + [True]


def test_a_long_report_streams_in_batches_whose_exact_messages_land(connector: GoogleAds) -> None:
    from google.ads.googleads.v26.services.types.google_ads_service import SearchGoogleAdsStreamResponse

    pages = pull(connector, "ad_daily")
    assert [p.rows.num_rows for p in pages] == [10_000, 10_000, 5_000]
    assert "25000 rows in 3 batches" in pages[-1].proof
    size, start = 0, 0
    for start, byte in enumerate(pages[0].body):
        size |= (byte & 0x7F) << 7 * start
        if not byte & 0x80:
            break
    assert len(pages[0].body) == start + 1 + size
    assert len(SearchGoogleAdsStreamResponse.deserialize(pages[0].body[start + 1 :]).results) == 10_000


def test_a_window_without_rows_is_complete_and_empty(connector: GoogleAds) -> None:
    pages = pull(connector, "ad_daily", window=DateWindow(date(2024, 1, 1), date(2024, 1, 2)))
    assert [(p.rows.num_rows, bool(p.proof)) for p in pages] == [(0, True)]


def test_a_stream_that_dies_after_ten_thousand_of_twentyfive_thousand_rows_is_never_proved(connector: GoogleAds, faults: Callable[..., None]) -> None:
    faults("google_ads", "broken_stream", after_rows=10_000, account_id=BIG.account_id)
    delivered = []
    with pytest.raises(TransientFailure, match=BIG.account_id):
        delivered += [p.proof for p in connector.pages(BIG, connector.reports["ad_daily"], HUNDRED_DAYS)]
    assert not any(delivered)
    assert sum(p.rows.num_rows for p in pull(connector, "ad_daily")) == 25_000


def test_a_message_cut_in_half_is_never_kept(connector: GoogleAds, faults: Callable[..., None]) -> None:
    faults("google_ads", "truncated_body", account_id=BIG.account_id, times=None)
    with pytest.raises((TransientFailure, IncompleteAnswer), match=BIG.account_id):
        pull(connector, "campaign_daily")


def test_resource_exhausted_with_900_seconds_in_the_trailing_metadata_is_not_slept(
    connector: GoogleAds, faults: Callable[..., None], slept: list[float]
) -> None:
    faults("google_ads", "throttle", seconds=900, account_id=BIG.account_id)
    with pytest.raises(RateLimited) as raised:
        pull(connector, "account_daily")
    assert raised.value.retry_after == 900
    assert raised.value.account_id == BIG.account_id
    assert raised.value.request_id
    assert slept == []


def test_a_short_quota_pause_is_waited_for_exactly(connector: GoogleAds, faults: Callable[..., None], slept: list[float]) -> None:
    faults("google_ads", "throttle", seconds=7, times=2, account_id=BIG.account_id)
    assert len(rows_of(pull(connector, "account_daily"))) == 100
    assert slept == [7.0, 7.0]


def test_an_internal_error_is_tried_again(connector: GoogleAds, faults: Callable[..., None], slept: list[float]) -> None:
    faults("google_ads", "server_error", times=2, account_id=BIG.account_id)
    assert len(rows_of(pull(connector, "account_daily"))) == 100
    assert len(slept) == 2


@pytest.mark.parametrize(("kind", "error"), [("expired_token", AuthorizationExpired), ("lost_account", PermissionDenied), ("version_sunset", VersionSunset)])
def test_fatal_errors_are_asked_once_and_name_account_cause_and_fix(
    connector: GoogleAds, faults: Callable[..., None], slept: list[float], kind: str, error: type[SourceError]
) -> None:
    faults("google_ads", kind, times=None, account_id=BIG.account_id)
    with pytest.raises(error) as raised:
        pull(connector, "account_daily")
    assert f"google_ads account {BIG.account_id}" in str(raised.value)
    assert raised.value.why
    assert raised.value.fix
    assert raised.value.request_id
    assert slept == []


def test_a_silent_server_is_given_up_after_the_timeout(connect: Callable[..., GoogleAds], faults: Callable[..., None]) -> None:
    faults("google_ads", "stall", seconds=30, times=1, account_id=BIG.account_id)
    connector = connect(timeout_seconds="0.5")
    connector.accounts()
    began = time.monotonic()
    assert len(rows_of(pull(connector, "account_daily"))) == 100
    assert time.monotonic() - began < 15


def test_a_query_of_ours_that_google_refuses_is_our_fault(connector: GoogleAds) -> None:
    with pytest.raises(RequestRejected, match="query_error"):
        list(connector.search(BIG.account_id, "SELECT customer.nonsense FROM customer"))


def test_an_account_that_is_not_the_credentials_is_denied(connector: GoogleAds) -> None:
    with pytest.raises(PermissionDenied, match="9999999999"):
        pull(connector, "account_daily", Account("google_ads", "9999999999", "", "USD", "UTC"))


@pytest.mark.parametrize("token", ["expired-token-of-somebody", "unknown-token-of-somebody"])
def test_check_answers_in_words_for_a_refused_token_and_prints_none(connect: Callable[..., GoogleAds], token: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        result = connect(token).check()
    assert not result.works
    assert "./run connect google_ads" in result.message
    assert token not in result.message + caplog.text
    assert "d" * 22 not in result.message + caplog.text


def test_the_certificate_is_the_instances_alone(connect: Callable[..., GoogleAds], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "/nonexistent.pem")
    before = dict(os.environ)
    assert connect().check().works
    assert dict(os.environ) == before


def test_one_client_under_two_managers_counts_once_and_what_is_left_out_is_said() -> None:
    from google.ads.googleads.v26.services.types.google_ads_service import SearchGoogleAdsStreamResponse

    def client(number: int, status: str = "ENABLED", **more: Any) -> dict[str, Any]:
        return {
            "customer_client": {"id": number, "status": status, "currency_code": "JPY", "time_zone": "Asia/Tokyo", "descriptive_name": f"C{number}", **more}
        }

    trees = {
        "1": [client(1, manager=True, level=0), client(11, level=1), client(12, "CANCELED", level=1), client(2, manager=True, level=1)],
        "2": [client(2, manager=True, level=0), client(11, level=1), client(13, "SUSPENDED", level=1), client(14, level=2)],
    }

    def search(customer_id: str, query: str, through: str) -> Iterator[Any]:
        if customer_id == "3":
            raise PermissionDenied("closed", platform="google_ads", account_id="3", why="CUSTOMER_NOT_ENABLED")
        assert through == customer_id
        yield SearchGoogleAdsStreamResponse.pb(SearchGoogleAdsStreamResponse({"results": trees[customer_id]}))

    found = discover(lambda: ["2", "1", "3"], search, "")
    assert [(a.account_id, a.parent_id) for a in found.accounts] == [("11", "1"), ("14", "2")]
    assert set(found.left_out) == {"12", "13", "3"}
    assert found.refused == {"3"}
    assert "CANCELED" in found.notes[0]


def test_a_server_of_an_unknown_authority_is_refused(connect: Callable[..., GoogleAds], sandbox: Any) -> None:
    result = connect(ca_bundle="").check()
    assert not result.works
    assert "ca_bundle" in result.message


def test_the_recorded_rows_of_google_read_the_same(fixtures: Path) -> None:
    from google.ads.googleads.v26.services.types.google_ads_service import SearchGoogleAdsStreamResponse
    from google.protobuf import json_format

    recorded = json.loads((fixtures / "google_ads" / "rest_searchstream_account_daily_2024-06.json").read_text())[0]
    report = {r.name: r for r in REPORTS}["account_daily"]
    message = json_format.ParseDict({"results": recorded["results"]}, SearchGoogleAdsStreamResponse.pb(SearchGoogleAdsStreamResponse()))
    message.field_mask.paths.extend(PATHS[report.name])
    table = rows_table(Batch(message.SerializeToString(), "v26"), report, BIG)
    assert table["metrics_cost_micros"].to_pylist() == [int(r["metrics"]["costMicros"]) for r in recorded["results"]]
    assert table["segments_date"][0].as_py() == date(2024, 6, 1)


def _with_refresh(scripted: Any, sandbox: Any) -> GoogleAds:
    credentials = GoogleAdsCredentials(developer_token="d" * 22, client_id="app", client_secret="hidden-client-secret", refresh_token="1//hidden-refresh-token")
    settings = GoogleAdsSettings(**{**sandbox.settings("google_ads"), "token_uri": f"{scripted.url}/token"})
    return GoogleAds(credentials, settings, CLOCK, Patience(sleep=lambda seconds: None))


def test_a_refresh_token_buys_an_access_token_once(scripted: Any, reply: Any, sandbox: Any) -> None:
    scripted.answer = lambda call: reply({"access_token": "sandbox", "expires_in": 3600, "token_type": "Bearer"})
    connector = _with_refresh(scripted, sandbox)
    assert connector.check().works
    assert len(rows_of(pull(connector, "account_daily"))) == 100
    assert [c.params["grant_type"] for c in scripted.calls] == ["refresh_token"]
    connector.close()


def test_an_access_token_that_ends_before_its_time_is_renewed_once(scripted: Any, reply: Any, sandbox: Any) -> None:
    given = iter(["sandbox-first", "sandbox-second", "expired-third", "expired-fourth"])
    scripted.answer = lambda call: reply({"access_token": next(given), "expires_in": 3600})
    connector = _with_refresh(scripted, sandbox)
    for calls in (1, 2):
        assert len(rows_of(pull(connector, "account_daily"))) == 100
        assert len(scripted.calls) == calls
        sandbox.fault("google_ads", "expired_token", account_id=BIG.account_id)
    sandbox.control("faults", method="DELETE")
    connector._oauth.token = None
    with pytest.raises(AuthorizationExpired):
        pull(connector, "account_daily")
    assert len(scripted.calls) == 3
    connector.close()


def test_a_token_server_that_fails_is_no_refusal(scripted: Any, reply: Any, sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    scripted.answer = lambda call: reply({"error": "internal_failure"}, 503)
    connector = _with_refresh(scripted, sandbox)
    with pytest.raises(TransientFailure, match="token server"):
        connector.accounts()
    connector.close()


def test_a_refused_refresh_token_asks_to_connect_again(scripted: Any, reply: Any, sandbox: Any) -> None:
    scripted.answer = lambda call: reply({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, 400)
    connector = _with_refresh(scripted, sandbox)
    with pytest.raises(AuthorizationExpired, match=r"\./run connect google_ads") as raised:
        connector.accounts()
    assert "hidden" not in str(raised.value)
    connector.close()
