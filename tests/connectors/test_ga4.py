# house: one connector with one property world and its scripted answers; cut in two, both halves would need them
"""The GA4 connector: pages in order, proofs, doubts kept, quotas in words, and every scripted fault as documented."""

import csv
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.ga4.errors import from_answer
from connectors.patience import Patience
from connectors.registry import connect
from domain.catalogue import Account, Connector, Page
from domain.clock import PinnedClock
from domain.errors import AuthorizationExpired, IncompleteAnswer, MrmError, PermissionDenied, RateLimited, TransientFailure, VersionSunset
from domain.windows import DateWindow

TODAY = date(2026, 5, 31)
CLOCK = PinnedClock(TODAY, datetime.now(UTC))
WINDOW = DateWindow(date(2026, 5, 1), TODAY + timedelta(days=1))
HEADER = [
    *("platform", "account_id", "account_name", "currency", "timezone", "date", "source", "medium", "campaign", "device", "country", "landing_page", "goal_id"),
    *("sessions", "users", "conversions", "conversions_value"),
]


def _dataset() -> Iterator[list[Any]]:
    for account, currency, zone in (("501", "KWD", "Pacific/Auckland"), ("502", "USD", "Pacific/Pago_Pago")):
        for back in range(-1, 20):
            day = TODAY - timedelta(days=back)
            head = ["ga4", account, f"Site {account}", currency, zone, day]
            yield [*head, "google", "cpc", 'Say "hi", 50%', "mobile", "Kuwait", "/a", "", 20 + max(back, 0), 18, "0", "0"]
            yield [*head, "google", "cpc", 'Say "hi", 50%', "mobile", "Kuwait", "/a", "lead", 0, 0, "1.333333", "0.001"]
            yield [*head, "(direct)", "(none)", "(direct)", "desktop", "Oman", "/b", "", 9, 9, "1", "7.125"]
    for n in range(9_000):
        yield ["ga4", "503", "Big", "EUR", "Europe/Berlin", TODAY - timedelta(days=n % 3), f"s{n}", "cpc", "C", "", "", f"/{n}", "", 1, 1, "0", "0"]


@pytest.fixture(scope="module")
def site(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two small properties at both ends of the world's time, and one of 9,000 rows; the clock stands at noon UTC of TODAY."""
    path: Path = tmp_path_factory.mktemp("analytics") / "analytics.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *_dataset()])
    return start_sandbox(TODAY, path)


@pytest.fixture
def faults(site: Any) -> Iterator[Callable[..., None]]:
    yield site.fault
    site.control("faults", method="DELETE")
    site.control("limits", method="DELETE")


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def opened(site: Any, slept: list[float]) -> Iterator[Callable[..., Connector]]:
    made: list[Connector] = []

    def make(credentials: dict[str, str] | None = None, endpoint: str = "", **settings: str) -> Connector:
        where = {"endpoint": endpoint} if endpoint else site.settings("ga4")
        made.append(connect("ga4", credentials or {"access_token": "sandbox"}, {**where, **settings}, CLOCK, Patience(slept.append, attempts=3, budget=30)))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


def account(connector: Connector, account_id: str = "501") -> Account:
    return next(a for a in connector.accounts() if a.account_id == account_id)


def pull(connector: Connector, of: Account, report: str = "property_daily", window: DateWindow = WINDOW) -> list[Page]:
    return list(connector.pages(of, connector.reports[report], window))


def table(pages: list[Page]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.concat_tables([p.rows for p in pages]).to_pylist()
    return rows


def total(pages: list[Page], column: str) -> Decimal:
    return sum((Decimal(r[column]) for r in table(pages)), Decimal(0))


def test_every_breakdown_adds_up_to_the_property_and_money_keeps_its_millionths(opened: Callable[..., Connector]) -> None:
    connector = opened()
    for account_id, days in (("501", 21), ("502", 20)):
        of = account(connector, account_id)
        core = pull(connector, of)
        assert len(table(core)) == days
        assert total(core, "sessions") == sum(29 + max(back, 0) for back in range(20 - days, 20))
        assert total(core, "keyEvents") == days * Decimal("2.333333")
        assert total(core, "totalRevenue") == days * Decimal("7.126")
        for name in ("traffic_daily", "channel_daily", "landing_page_daily", "device_country_daily"):
            pages = pull(connector, of, name)
            assert [total(pages, c) for c in ("sessions", "keyEvents", "totalRevenue")] == [total(core, c) for c in ("sessions", "keyEvents", "totalRevenue")]
        events = table(pull(connector, of, "key_event_daily"))
        assert {(r["eventName"], r["sessionCampaignName"]) for r in events} == {("lead", 'Say "hi", 50%'), ("purchase", "(direct)")}
        assert total(pull(connector, of, "key_event_daily"), "keyEvents") == total(core, "keyEvents")


def test_days_are_the_propertys_own_and_currency_and_zone_stand_in_every_row(opened: Callable[..., Connector]) -> None:
    connector = opened()
    east, west = (table(pull(connector, account(connector, i), window=DateWindow(TODAY, TODAY + timedelta(days=1)))) for i in ("501", "502"))
    assert [r["date"] for r in east] == [TODAY, TODAY + timedelta(days=1)]
    assert [r["date"] for r in west] == [TODAY]
    assert {(r["currencyCode"], r["timeZone"]) for r in east} == {("KWD", "Pacific/Auckland")}
    (snapshot,) = table(pull(connector, account(connector, "502"), "accounts", DateWindow(TODAY, TODAY)))
    assert (snapshot["property_id"], snapshot["displayName"], snapshot["currencyCode"], snapshot["timeZone"]) == ("502", "Site 502", "USD", "Pacific/Pago_Pago")


def test_pages_come_in_one_order_and_hold_every_key_once(opened: Callable[..., Connector]) -> None:
    connector = opened(page_rows="1000")
    pages = pull(connector, account(connector, "503"), "traffic_daily")
    rows = table(pages)
    assert [p.rows.num_rows for p in pages] == [1000] * 9
    assert len({(r["date"], r["sessionSource"]) for r in rows}) == len(rows) == 9_000
    assert [p.proof for p in pages[:-1]] == [""] * 8
    assert pages[-1].proof == "rowCount reached and every key once: 9000 rows"
    assert json.loads(pages[0].body)["rowCount"] == 9_000


def test_an_empty_window_is_a_complete_answer(opened: Callable[..., Connector]) -> None:
    connector = opened()
    pages = pull(connector, account(connector), "traffic_daily", DateWindow(date(2025, 1, 1), date(2025, 12, 31)))
    assert sum(p.rows.num_rows for p in pages) == 0
    assert pages[-1].proof


def test_doubts_of_an_answer_stand_in_its_rows(opened: Callable[..., Connector], faults: Callable[..., None]) -> None:
    connector = opened()
    of = account(connector)
    faults("ga4", "thresholded", after_rows=10, account_id="501")
    rows = table(pull(connector, of, "traffic_daily"))
    assert {r["sessionSource"] for r in rows} == {"google"}
    assert all(r["subjectToThresholding"] for r in rows)
    faults("ga4", "other_row", after_rows=1, account_id="501")
    rows = table(pull(connector, of, "traffic_daily"))
    assert {r["sessionSource"] for r in rows} == {"google", "(other)"}
    assert all(r["dataLossFromOtherRow"] for r in rows)
    assert {r["samplesReadCount"] for r in rows} == {None}


def test_a_sampled_answer_is_asked_again_in_halves_down_to_days(opened: Callable[..., Connector], faults: Callable[..., None], site: Any) -> None:
    connector = opened()
    of = account(connector)
    truth = total(pull(connector, of), "sessions")
    faults("ga4", "sampled", account_id="501", times=2)
    pages = pull(connector, of)
    assert total(pages, "sessions") == truth
    assert {r["samplesReadCount"] for r in table(pages)} == {None}
    faults("ga4", "sampled", account_id="501", times=None)
    days = table(pull(connector, of, window=DateWindow(TODAY - timedelta(days=3), TODAY)))
    assert [(r["samplesReadCount"], r["samplingSpaceSize"]) for r in days] == [(500_000, 1_250_000)] * 4


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("expired_token", AuthorizationExpired, "./run connect ga4"),
        ("lost_account", PermissionDenied, "Viewer"),
        ("version_sunset", VersionSunset, "api_version"),
    ],
)
def test_fatal_faults_are_asked_once_and_name_property_and_fix(
    opened: Callable[..., Connector], faults: Callable[..., None], slept: list[float], site: Any, kind: str, error: type[MrmError], words: str
) -> None:
    connector = opened()
    of = account(connector)
    site.control("requests", method="DELETE")
    faults("ga4", kind, account_id="501", times=None)
    with pytest.raises(error) as raised:
        pull(connector, of)
    assert "ga4 account 501" in str(raised.value)
    assert words in raised.value.fix
    assert slept == []
    assert site.control("requests")["requests"] == {"ga4 runReport": 1}


def test_a_property_that_is_lost_before_discovery_stays_in_the_list_and_fails_by_name(opened: Callable[..., Connector], faults: Callable[..., None]) -> None:
    connector = opened()
    faults("ga4", "lost_account", account_id="502", times=None)
    listed = {a.account_id: a for a in connector.accounts()}
    assert set(listed) == {"501", "502", "503"}
    with pytest.raises(PermissionDenied, match="ga4 account 502"):
        pull(connector, listed["502"])
    assert table(pull(connector, listed["501"]))
    result = connector.check()
    assert not result.works
    assert "502" in result.message


def test_a_passing_error_is_tried_again_and_a_lasting_one_three_times_only(
    opened: Callable[..., Connector], faults: Callable[..., None], slept: list[float], site: Any
) -> None:
    connector = opened()
    of = account(connector)
    faults("ga4", "server_error", account_id="501", times=2)
    assert table(pull(connector, of))
    assert len(slept) == 2
    site.control("requests", method="DELETE")
    faults("ga4", "server_error", account_id="501", times=None)
    with pytest.raises(TransientFailure, match="ga4 account 501"):
        pull(connector, of)
    assert site.control("requests")["requests"] == {"ga4 runReport": 3}


def test_server_errors_stop_short_of_the_ten_that_close_a_property(opened: Callable[..., Connector], faults: Callable[..., None]) -> None:
    connector = opened()
    of, other = account(connector), account(connector, "502")
    faults("ga4", "server_error", account_id="501", times=None)
    for name in ("property_daily", "traffic_daily", "channel_daily"):
        with pytest.raises(TransientFailure):
            pull(connector, of, name)
    with pytest.raises(RateLimited, match="nearly used up") as raised:
        pull(connector, of, "landing_page_daily")
    assert raised.value.retry_after == 3600
    assert pull(connector, other)


def test_a_hinted_pause_is_waited_for_and_a_long_one_told(opened: Callable[..., Connector], faults: Callable[..., None], slept: list[float]) -> None:
    connector = opened()
    of = account(connector)
    faults("ga4", "throttle", account_id="501", seconds=5)
    faults("ga4", "throttle", account_id="501", code=3)
    assert table(pull(connector, of))
    assert slept == [5.0, 2.0]
    slept.clear()
    faults("ga4", "throttle", account_id="501", seconds=900)
    with pytest.raises(RateLimited) as raised:
        pull(connector, of)
    assert raised.value.retry_after == 900
    faults("ga4", "throttle", account_id="501")
    with pytest.raises(RateLimited, match="for a project per hour") as raised:
        pull(connector, of)
    assert raised.value.retry_after == 3600
    assert slept == []


def test_a_daily_quota_comes_back_at_midnight_in_california() -> None:
    words = "Exhausted property tokens for a property per day. These quota tokens will return in under 24 hours."
    body = json.dumps({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": words}}).encode()
    error = from_answer(429, {}, body, "501", datetime(2026, 11, 23, 20, tzinfo=UTC))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 12 * 3600


@pytest.mark.parametrize("kind", ["truncated_body", "broken_stream"])
def test_a_broken_answer_is_read_again_and_never_proved(opened: Callable[..., Connector], faults: Callable[..., None], kind: str) -> None:
    connector = opened(page_rows="4000")
    of = account(connector, "503")
    faults("ga4", kind, account_id="503", skip=1)
    assert len(table(pull(connector, of, "traffic_daily"))) == 9_000
    faults("ga4", kind, account_id="503", times=None, skip=1)
    proofs = []
    with pytest.raises(TransientFailure, match="ga4 account 503"):
        proofs += [p.proof for p in connector.pages(of, connector.reports["traffic_daily"], WINDOW)]
    assert not any(proofs)


def test_a_stalled_answer_is_given_up_and_asked_again(opened: Callable[..., Connector], faults: Callable[..., None]) -> None:
    connector = opened(timeout_seconds="0.7")
    of = account(connector)
    faults("ga4", "stall", account_id="501", seconds=20)
    began = time.monotonic()
    assert table(pull(connector, of))
    assert time.monotonic() - began < 15


def answer(rows: list[tuple[str, list[Any]]], count: int | None = None, **more: Any) -> dict[str, Any]:
    metrics = ("sessions", "totalUsers", "newUsers", "engagedSessions", "screenPageViews", "keyEvents", "totalRevenue", "purchaseRevenue")
    return {
        "dimensionHeaders": [{"name": "date"}],
        "metricHeaders": [{"name": n, "type": "TYPE_INTEGER"} for n in metrics],
        "rows": [{"dimensionValues": [{"value": day}], "metricValues": [{"value": v} for v in values]} for day, values in rows],
        "rowCount": len(rows) if count is None else count,
        "metadata": {"currencyCode": "EUR", "timeZone": "UTC"},
        **more,
    }


WHOLE = ["1", "1", "1", "1", "1", "0.1", "2", "2"]
OF = Account("ga4", "9", "Nine", "EUR", "UTC")


def test_an_answer_that_does_not_come_to_its_count_is_refused(opened: Callable[..., Connector], scripted: Any, reply: Any) -> None:
    day, next_day = ("20260501", WHOLE), ("20260502", WHOLE)
    connector = opened(endpoint=scripted.url)
    for pages in ([answer([day], 2), answer([], 2)], [answer([day], 2), answer([day], 2)], [answer([day], 2), answer([next_day], 3)]):
        told = iter(pages)
        scripted.answer = lambda call, told=told: reply(next(told))
        with pytest.raises(IncompleteAnswer, match="ga4 account 9"):
            pull(connector, OF)
    told = iter([answer([day], 2), answer([next_day], 2)])
    scripted.answer = lambda call: reply(next(told))
    assert len(table(pull(connector, OF))) == 2
    for nothing in ({}, {"error": {"code": 503, "status": "UNAVAILABLE"}}, {"metadata": {}}):
        scripted.answer = lambda call, nothing=nothing: reply(nothing)
        with pytest.raises(IncompleteAnswer, match="no answer of runReport"):
            pull(connector, OF)
    scripted.answer = lambda call: reply({"metadata": {}, "kind": "analyticsData#runReport"})
    assert [p.proof for p in pull(connector, OF)] == ["rowCount reached and every key once: 0 rows"]


def test_drift_fails_loudly_and_what_is_new_beside_it_is_kept_in_the_bytes(opened: Callable[..., Connector], scripted: Any, reply: Any) -> None:
    connector = opened(endpoint=scripted.url)
    good = ("20260501", WHOLE)
    renamed = answer([good])
    renamed["metricHeaders"][0]["name"] = "visits"
    short = answer([("20260501", WHOLE[:-1])])
    for told, words in (
        (renamed, "sessions"),
        (short, "metricValues"),
        (answer([("2026-05-01", WHOLE)]), "date"),
        (answer([("20260501", ["1.5", *WHOLE[1:]])]), "sessions"),
        (answer([("20260501", [*WHOLE[:-1], "much"])]), "purchaseRevenue"),
        (answer([("20260501", [*WHOLE[:-1], "NaN"])]), "purchaseRevenue"),
    ):
        scripted.answer = lambda call, told=told: reply(told)
        with pytest.raises(IncompleteAnswer, match=words):
            pull(connector, OF)
    doubles = [*WHOLE[:-2], "2130.8100000000004", "1.5E-5"]
    scripted.answer = lambda call: reply(answer([("20260501", doubles)], novelty={"a": [1]}))
    (page,) = pull(connector, OF)
    (row,) = page.rows.to_pylist()
    assert (row["totalRevenue"], row["purchaseRevenue"]) == (Decimal("2130.810000"), Decimal("0.000015"))
    assert b"novelty" in page.body


def test_restricted_metrics_are_named_with_the_rows(opened: Callable[..., Connector], scripted: Any, reply: Any) -> None:
    restriction = {"activeMetricRestrictions": [{"metricName": "totalRevenue", "restrictedMetricTypes": ["REVENUE_DATA"]}]}
    metadata = {"currencyCode": "EUR", "timeZone": "UTC", "schemaRestrictionResponse": restriction}
    scripted.answer = lambda call: reply(answer([("20260501", WHOLE)], metadata=metadata))
    (row,) = table(pull(opened(endpoint=scripted.url), OF))
    assert json.loads(row["schemaRestriction"]) == restriction["activeMetricRestrictions"]


def test_a_refresh_token_renews_by_itself_and_a_refused_one_says_connect(opened: Callable[..., Connector], site: Any, faults: Callable[..., None]) -> None:
    uri = f"{site.state['ga4']['endpoint']}/token"
    login = {"client_id": "c", "client_secret": "client-secret", "refresh_token": "sandbox-refresh"}
    connector = opened(login, token_uri=uri)
    of = account(connector)
    faults("ga4", "expired_token", account_id="501")
    assert table(pull(connector, of))
    refused = opened({**login, "refresh_token": "nobodys-token-of-old"}, token_uri=uri).check()
    assert not refused.works
    assert "./run connect ga4" in refused.message
    assert "nobodys-token" not in refused.message


def test_a_service_account_signs_for_itself(opened: Callable[..., Connector], site: Any) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    uri = f"{site.state['ga4']['endpoint']}/token"
    secret = json.dumps({"client_email": "robot@project.iam.gserviceaccount.com", "private_key": pem, "token_uri": uri})
    assert account(opened({"service_account_json": secret}, token_uri=uri)).currency == "KWD"


def test_check_names_properties_quota_and_the_missing_scope(opened: Callable[..., Connector]) -> None:
    result = opened().check()
    assert result.works
    assert {a.account_id for a in result.accounts} == {"501", "502", "503"}
    assert result.quota["tokensPerDay"].endswith(" left")
    scopeless = opened({"access_token": "sandbox-noscope-1"}).check()
    assert not scopeless.works
    assert scopeless.missing_scopes == ("https://www.googleapis.com/auth/analytics.readonly",)
    expired = opened({"access_token": "expired-token-of-a-client"}).check()
    assert "./run connect ga4" in expired.message
    assert "expired-token-of" not in expired.message


def test_named_properties_need_no_admin_api(opened: Callable[..., Connector], site: Any, faults: Callable[..., None]) -> None:
    site.control("requests", method="DELETE")
    connector = opened(property_ids="properties/501, 502")
    assert [(a.account_id, a.currency, a.timezone) for a in connector.accounts()] == [("501", "KWD", "Pacific/Auckland"), ("502", "USD", "Pacific/Pago_Pago")]
    assert set(site.control("requests")["requests"]) == {"ga4 runReport"}
    assert table(pull(connector, connector.accounts()[0], "accounts", DateWindow(TODAY, TODAY)))[0]["timeZone"] == "Pacific/Auckland"


def test_no_token_reaches_the_log(opened: Callable[..., Connector], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        account(opened({"access_token": "sandbox-secret-of-a-client"}))
    assert "secret-of-a-client" not in caplog.text


def test_the_recorded_values_read_as_our_columns(fixtures: Path, opened: Callable[..., Connector], scripted: Any, reply: Any) -> None:
    lines = (fixtures / "ga4/airbyte_expected_records_subset.jsonl").read_text().splitlines()
    overview = [record["data"] for record in map(json.loads, lines) if record["stream"] == "website_overview"]
    rows = []
    for record in overview:
        known = [str(record.get(c, 0)) for c in ("sessions", "totalUsers", "newUsers", "engagedSessions", "screenPageViews")]
        rows.append((record["date"], [*known, repr(record["averageSessionDuration"]), repr(record["bounceRate"]), "0"]))
    scripted.answer = lambda call: reply(answer(rows))
    found = table(pull(opened(endpoint=scripted.url), OF))
    assert [(r["date"].strftime("%Y%m%d"), r["sessions"], r["totalUsers"]) for r in found] == [(r["date"], r["sessions"], r["totalUsers"]) for r in overview]
    assert [r["keyEvents"] for r in found] == [round(Decimal(repr(r["averageSessionDuration"])), 6) for r in overview]
