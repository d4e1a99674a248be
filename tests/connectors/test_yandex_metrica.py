# house: one connector with one counter world and its scripted answers; cut in two, both halves would need them
"""The Metrica connector: exact numbers, proofs of completeness, and a log cycle that always cleans, against the sandbox and scripted answers."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pyarrow as pa
import pytest

from connectors.patience import Patience
from connectors.registry import connect, report
from connectors.yandex_metrica.client import YandexMetrica
from connectors.yandex_metrica.table import exact, read_table
from connectors.yandex_metrica.tsv import Tsv
from domain.catalogue import Account, Page
from domain.clock import PinnedClock
from domain.errors import (
    AuthorizationExpired,
    IncompleteAnswer,
    PermissionDenied,
    RateLimited,
    ReportTooLarge,
    RequestRejected,
    SourceError,
    TransientFailure,
    VersionSunset,
)
from domain.windows import DateWindow

TODAY = date(2026, 3, 10)
CLOCK = PinnedClock(TODAY, datetime.now(UTC))
MARCH = DateWindow(date(2026, 3, 1), date(2026, 3, 10))
LOGGED = DateWindow(date(2026, 3, 1), date(2026, 3, 9))
HEADER = (
    *("platform", "account_id", "account_name", "currency", "timezone", "date", "source", "medium", "campaign", "sessions", "users"),
    *("conversions", "conversions_value", "device", "country", "landing_page", "goal_id"),
)
MINE, OTHER = "71530264", "71530299"
CAMPAIGN = '=Тест\\ "%"\r\n\t\\n \U0001f600'
ACCOUNT = Account("yandex_metrica", MINE, "Дом", "RUB", "Europe/Moscow")


def _web() -> Iterator[list[Any]]:
    for counter, name in ((MINE, "Дом"), (OTHER, "Другой")):
        site = ["yandex_metrica", counter, name, "RUB", "Europe/Moscow"]
        for day in range(1, 11):
            for n in range(12):
                row = [f"2026-03-{day:02d}", "yandex", "cpc", f'Кампания {n} "x]}}"', 20 + n, 15, n % 3, f"{n}.{day:02d}", "mobile", "Russia", f"/{n}"]
                yield [*site, *row, str(100 + n)]


def _visits() -> Iterator[list[Any]]:
    for n in range(40):
        source = ("yandex", "cpc", CAMPAIGN) if n % 2 else ("google", "organic", "(organic)")
        yield [
            MINE,
            str(2**64 - 1 - n),
            str(2**63 + n),
            f"2026-03-{1 + n % 9:02d} 12:00:{n:02d}",
            *source,
            "101,102" if n % 4 == 0 else "",
            "19.99" if n % 4 == 0 else "0",
        ]


@pytest.fixture(scope="module")
def served(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    place: Path = tmp_path_factory.mktemp("metrica")
    for name, header, rows in (
        ("web.csv", HEADER, _web()),
        ("visits.csv", ("account_id", "visit_id", "client_id", "date_time", "source", "medium", "campaign", "goals", "revenue"), _visits()),
    ):
        with (place / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    return start_sandbox(TODAY, place / "web.csv", place / "visits.csv")


@pytest.fixture
def metrica(served: Any) -> Iterator[Any]:
    """The sandbox without used-up quotas and faults."""
    served.control("limits", method="DELETE")
    yield served
    served.control("faults", method="DELETE")


@pytest.fixture
def opened(metrica: Any, slept: list[float]) -> Iterator[Callable[..., YandexMetrica]]:
    """Connect; a pause gives back the sandbox's quotas instead of waiting for them."""
    made: list[YandexMetrica] = []

    def pause(seconds: float) -> None:
        slept.append(seconds)
        metrica.control("limits", method="DELETE")

    def make(token: str = "sandbox", **settings: str) -> YandexMetrica:
        patience = Patience(sleep=pause, budget=30, job_budget=20)
        made.append(connect("yandex_metrica", {"token": token}, {**metrica.settings("yandex_metrica"), **settings}, CLOCK, patience))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


@pytest.fixture
def slept() -> list[float]:
    return []


def pull(connector: YandexMetrica, name: str, window: DateWindow = MARCH) -> list[Page]:
    return list(connector.pages(ACCOUNT, connector.reports[name], window))


def rows(pages: list[Page]) -> pa.Table:
    return pa.concat_tables([p.rows for p in pages])


def total(table: pa.Table, column: str) -> Decimal:
    return sum((v for v in table[column].to_pylist() if v is not None), Decimal(0))


def call(sandbox: Any, what: str, method: str = "GET") -> Any:
    sandbox.control("limits", method="DELETE")
    url = f"{sandbox.settings('yandex_metrica')['endpoint']}/management/v1/counter/{MINE}/{what}"
    with urlopen(Request(url, method=method, headers={"Authorization": "OAuth sandbox"}), timeout=30) as answer:
        return json.load(answer)


def open_requests(sandbox: Any) -> list[str]:
    """The statuses of log requests that hold room or wait."""
    return [r["status"] for r in call(sandbox, "logrequests")["requests"] if r["status"] in ("created", "awaiting_retry", "processed")]


def test_counters_are_accounts_with_currency_and_zone(opened: Callable[..., YandexMetrica]) -> None:
    assert [(a.account_id, a.name, a.currency, a.timezone) for a in opened().accounts()] == [
        (MINE, "Дом", "RUB", "Europe/Moscow"),
        (OTHER, "Другой", "RUB", "Europe/Moscow"),
    ]
    found = opened(counter_ids=f"{OTHER},5").discover()
    assert ([a.account_id for a in found.accounts], found.left_out) == ([OTHER], {"5": "the token does not show it"})


def test_check_says_in_words_what_the_token_can_do(opened: Callable[..., YandexMetrica]) -> None:
    good, bad = opened().check(), opened("expired-1").check()
    assert good.message == "Yandex Metrica answers (logs take 0.00 of 10 GB); 2 counters can be read"
    assert (bad.works, bad.missing_scopes) == (False, ("metrika:read",))
    assert "./run connect yandex_metrica" in bad.message


def test_traffic_and_goals_reach_the_counters_own_totals(opened: Callable[..., YandexMetrica]) -> None:
    connector = opened(page_rows="25")
    traffic, counter = pull(connector, "traffic_daily"), pull(connector, "counter_daily")
    assert traffic[-1].proof == "total_rows 360 in 3 requests"
    assert all(not p.proof for p in traffic[:-1])
    for column, value in (("visits", Decimal(3060)), ("goalReaches", Decimal(120)), ("goalRevenue", Decimal("666.6"))):
        assert total(rows(traffic), column) == total(rows(counter), column) == value
    keys = rows(traffic).select(list(connector.reports["traffic_daily"].key)).to_pylist()
    assert len({tuple(k.values()) for k in keys}) == len(keys) == 120 + 120
    assert {k["UTMCampaign"] for k in keys} == {f'Кампания {n} "x]}}"' for n in range(12)}


def test_only_the_chosen_goals_count(opened: Callable[..., YandexMetrica]) -> None:
    table = rows(pull(opened(goals="101,102"), "counter_daily"))
    assert set(table["goal_id"].to_pylist()) == {"", "101", "102"}
    assert total(table, "goalReaches") == 30
    with pytest.raises(RequestRejected, match="goals of the integration's settings"):
        pull(opened(goals="999"), "counter_daily")


def test_flags_of_an_answer_stand_in_its_rows(metrica: Any, opened: Callable[..., YandexMetrica]) -> None:
    metrica.fault("yandex_metrica", "sampled")
    table = rows(pull(opened(goals="101"), "counter_daily"))
    assert {(r["sampled"], r["sample_share"]) for r in table.to_pylist() if not r["goal_id"]} == {(True, Decimal("0.5"))}
    assert {r["sampled"] for r in table.to_pylist() if r["goal_id"]} == {False}
    pages = rows(pull(opened(), "landing_page_daily"))
    assert set(pages["contains_sensitive_data"].to_pylist()) == {False}
    assert total(pages, "visits") == 3060


@pytest.mark.parametrize("code", [420, 429])
def test_a_quota_answer_is_waited_for_as_metrica_says(metrica: Any, opened: Callable[..., YandexMetrica], slept: list[float], code: int) -> None:
    metrica.fault("yandex_metrica", "throttle", code=code, seconds=9, endpoint="data")
    assert total(rows(pull(opened(goals="101"), "counter_daily")), "visits") == 3060
    assert slept == [9.0]
    metrica.fault("yandex_metrica", "throttle", code=code, seconds=900, endpoint="data")
    with pytest.raises(RateLimited) as caught:
        pull(opened(goals="101"), "counter_daily")
    assert caught.value.retry_after == 900


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("expired_token", AuthorizationExpired),
        ("lost_account", PermissionDenied),
        ("version_sunset", VersionSunset),
        ("server_error", TransientFailure),
        ("too_large", ReportTooLarge),
        ("truncated_body", TransientFailure),
        ("broken_stream", TransientFailure),
    ],
)
def test_every_fault_ends_as_its_error_that_names_the_counter(metrica: Any, opened: Callable[..., YandexMetrica], kind: str, error: type[SourceError]) -> None:
    metrica.fault("yandex_metrica", kind, times=None, endpoint="data", account_id=MINE)
    with pytest.raises(error) as caught:
        pull(opened(goals="101"), "counter_daily")
    assert caught.value.account_id == MINE
    assert caught.value.fix
    assert "sandbox" not in str(caught.value)


def test_passing_faults_leave_no_trace(metrica: Any, opened: Callable[..., YandexMetrica]) -> None:
    for kind in ("server_error", "broken_stream"):
        metrica.fault("yandex_metrica", kind, endpoint="data")
    assert total(rows(pull(opened(goals="101"), "traffic_daily")), "visits") == 3060


def test_visits_keep_64_bits_escapes_and_money_as_metrica_printed_them(metrica: Any, opened: Callable[..., YandexMetrica]) -> None:
    pages = pull(opened(), "visits", LOGGED)
    table = rows(pages)
    assert table.num_rows == 40
    assert pages[-1].proof.endswith(", 40 rows")
    first = next(r for r in table.to_pylist() if r["visitID"] == str(2**64 - 1))
    assert (first["clientID"], first["goalsID"], first["goalsPrice"]) == (str(2**63), "[101,102]", "[19990,0]")
    assert (first["purchaseRevenue"], first["productsPrice"], first["goalsCurrency"]) == ("[19.99]", "[19990000]", "['RUB','RUB']")
    assert {r["UTMCampaign"] for r in table.to_pylist()} == {"", CAMPAIGN}
    assert open_requests(metrica) == []


def test_the_logs_end_yesterday(opened: Callable[..., YandexMetrica]) -> None:
    reports = opened(hits="true").reports
    assert [(n, r.delay_days) for n, r in reports.items() if r.delay_days] == [("visits", 1), ("hits", 1)]
    assert set(opened(visits="false").reports) == {"accounts", "goals", "counter_daily", "traffic_daily", "landing_page_daily"}


def test_a_slow_queue_is_waited_for(metrica: Any, opened: Callable[..., YandexMetrica], slept: list[float]) -> None:
    metrica.fault("yandex_metrica", "report_slow", polls=3)
    assert rows(pull(opened(), "visits", LOGGED)).num_rows == 40
    assert slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("fault", "more", "error"),
    [
        ("report_failed", {}, TransientFailure),
        ("report_skipped", {}, TransientFailure),
        ("report_slow", {"polls": 99}, TransientFailure),
        ("broken_stream", {"endpoint": "download"}, TransientFailure),
        ("truncated_body", {"endpoint": "download"}, IncompleteAnswer),
        ("lost_account", {"endpoint": "download"}, PermissionDenied),
    ],
)
def test_a_pull_that_fails_gives_its_room_back(
    metrica: Any, opened: Callable[..., YandexMetrica], fault: str, more: dict[str, Any], error: type[SourceError]
) -> None:
    metrica.fault("yandex_metrica", fault, **more)
    with pytest.raises(error):
        pull(opened(), "visits", LOGGED)
    assert open_requests(metrica) == []
    assert rows(pull(opened(), "visits", LOGGED)).num_rows == 40


def test_a_consumer_who_leaves_early_leaves_nothing_behind(metrica: Any, opened: Callable[..., YandexMetrica]) -> None:
    connector = opened()
    pages = connector.pages(ACCOUNT, connector.reports["visits"], LOGGED)
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    assert open_requests(metrica) == []


def test_what_a_crash_left_behind_is_removed_at_the_next_start_and_nothing_else(metrica: Any, opened: Callable[..., YandexMetrica]) -> None:
    fields = ",".join(f"ym:s:{name}" for name in ("visitID", "date"))
    theirs = call(metrica, f"logrequests?date1=2026-03-01&date2=2026-03-02&source=visits&fields={fields}", "POST")["log_request"]["request_id"]
    dead = opened()
    dead._logs._release = lambda *_: None  # type: ignore[method-assign]  # house: a killed process releases nothing
    pull(dead, "visits", LOGGED)
    metrica.fault("yandex_metrica", "report_slow", polls=99)
    with pytest.raises(TransientFailure):
        pull(dead, "visits", LOGGED)
    assert sorted(open_requests(metrica)) == ["awaiting_retry", "processed", "processed"]
    assert rows(pull(opened(), "visits", LOGGED)).num_rows == 40
    assert open_requests(metrica) == ["processed"]
    assert call(metrica, f"logrequest/{theirs}/clean", "POST")["log_request"]["status"] == "cleaned_by_user"


def test_a_lost_answer_to_a_created_request_leaves_no_second_one(metrica: Any, opened: Callable[..., YandexMetrica]) -> None:
    connector = opened()
    send, lost = connector._service.once, []

    def once(method: str, path: str, *rest: Any, **more: Any) -> Any:
        answer = send(method, path, *rest, **more)
        if method == "POST" and path.endswith("logrequests") and not lost:
            lost.append(answer)
            raise TransientFailure("the connection broke", platform="yandex_metrica", account_id=MINE)
        return answer

    connector._service.once = once  # type: ignore[method-assign]
    assert rows(pull(connector, "visits", LOGGED)).num_rows == 40
    assert lost
    assert open_requests(metrica) == []
    connector._service.patience = Patience(attempts=1)
    lost.clear()
    with pytest.raises(TransientFailure, match="the connection broke"):
        pull(connector, "visits", LOGGED)
    assert open_requests(metrica) == []


def test_a_log_that_names_no_part_of_its_bytes_is_refused(scripted: Any, reply: Any) -> None:
    request = {"log_request": {"request_id": 1, "status": "processed", "size": 12}, "log_request_evaluation": {"possible": True}, "requests": []}
    scripted.answer = lambda call: reply(request)
    connector: Any = connect("yandex_metrica", {"token": "t" * 20}, {"endpoint": scripted.url}, CLOCK, Patience(sleep=lambda s: None))
    with pytest.raises(IncompleteAnswer, match="12 bytes in no part"):
        pull(connector, "visits", LOGGED)
    assert scripted.calls[-1].path.endswith("logrequest/1/clean")


def test_a_refused_counter_is_left_out_and_the_others_are_listed(scripted: Any, reply: Any) -> None:
    def answered(call: Any) -> Any:
        if call.path.endswith("/counters"):
            return reply({"rows": 3, "counters": [{"id": 1, "currency": 643}, {"id": 2}, {"id": 3, "status": "Deleted"}]})
        return reply({"errors": [{"error_type": "access_denied", "message": "Access is denied"}]}, 403)

    scripted.answer = answered
    connector: Any = connect("yandex_metrica", {"token": "t" * 20}, {"endpoint": scripted.url}, CLOCK, Patience(sleep=lambda s: None))
    found = connector.discover()
    assert ([a.account_id for a in found.accounts], found.refused) == (["1"], {"2"})
    assert set(found.left_out) == {"2", "3"}


@pytest.mark.parametrize(("days", "error"), [(3, ReportTooLarge), (0, RateLimited)])
def test_a_log_without_room_is_halved_or_waits(metrica: Any, opened: Callable[..., YandexMetrica], days: int, error: type[SourceError]) -> None:
    metrica.fault("yandex_metrica", "too_large", endpoint="evaluate", code=days)
    with pytest.raises(error):
        pull(opened(), "visits", LOGGED)


def answer(data: list[tuple[list[dict[str, Any]], list[Any]]], total_rows: int, **more: Any) -> dict[str, Any]:
    return {"data": [{"dimensions": d, "metrics": m} for d, m in data], "total_rows": total_rows, "total_rows_rounded": False, **more}


@pytest.fixture
def scripted_metrica(scripted: Any, reply: Any) -> Callable[..., YandexMetrica]:
    def make(*answers: Any) -> YandexMetrica:
        left = list(answers)
        scripted.answer = lambda call: reply(left.pop(0))
        return connect("yandex_metrica", {"token": "t" * 20}, {"endpoint": scripted.url, "goals": "1", "page_rows": "2"}, CLOCK, Patience(sleep=lambda s: None))  # type: ignore[return-value]

    return make


DAY = [{"name": "2026-03-01"}]
SEVEN = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([answer([(DAY, SEVEN), (DAY, SEVEN)], 3), answer([], 3)], "counts 3 rows, 2 arrived"),
        ([answer([(DAY, SEVEN), (DAY, SEVEN)], 3), answer([(DAY, SEVEN), (DAY, SEVEN)], 4)], "moved from 3 to 4"),
        ([answer([(DAY, SEVEN)], 1, total_rows_rounded=True)], "rounded"),
    ],
)
def test_a_page_that_is_missing_or_moves_is_refused(scripted_metrica: Callable[..., YandexMetrica], answers: list[Any], why: str) -> None:
    with pytest.raises(IncompleteAnswer, match=why):
        pull(scripted_metrica(*answers), "counter_daily")


def test_rows_of_another_shape_are_refused(scripted_metrica: Callable[..., YandexMetrica]) -> None:
    broken = [answer([(DAY, [1.0])], 1)] * 4
    with pytest.raises(TransientFailure, match=r"number of metrics|documented shape"):
        pull(scripted_metrica(*broken), "counter_daily")
    for day, metrics in ((DAY, ["--", *SEVEN[1:]]), (DAY, ["NaN", *SEVEN[1:]]), (DAY, [1e300, *SEVEN[1:]]), ([{"name": "yesterday"}], SEVEN)):
        with pytest.raises(IncompleteAnswer, match=f"metrica account {MINE}.*does not read"):
            pull(scripted_metrica(answer([(day, metrics)], 1)), "counter_daily")


@pytest.mark.parametrize("pretty", [False, True])
def test_numbers_never_pass_through_a_float(pretty: bool) -> None:
    numbers = "[9007199254740993.0,2.00000005E7,0.1,123456789012.123456,-0.000001,null,33.333333333333336]"
    body = f'{{"query":{{}},"data":[{{"dimensions":[{{"name":"a]}},{{b]}}],","id":"1"}},{{"name":null}}],"metrics":{numbers}}}],"total_rows":1}}'
    if pretty:
        body = body.replace('"metrics":', '"metrics" : ')
    table = read_table(body.encode(), 2, 7)
    assert (table.ids[0].to_pylist(), table.names[0].to_pylist(), table.names[1].to_pylist()) == (["1"], ["a]},{b]}],"], [None])
    assert table.metrics[0].to_pylist() == ["9007199254740993.0"]
    values = [exact(column).to_pylist()[0] for column in table.metrics[1:]]
    assert values == [Decimal("20000000.5"), Decimal("0.1"), Decimal("123456789012.123456"), Decimal("-0.000001"), None, Decimal("33.333333")]


def test_recorded_visits_read_as_they_were_recorded(fixtures: Path) -> None:
    recorded = [json.loads(line)["data"] for line in (fixtures / "yandex_metrica" / "airbyte_logs_sessions_subset.jsonl").open()]
    visits = report("yandex_metrica", "visits")
    fields = {c.name: f"ym:s:{c.name}" for c in visits.columns if c.name != "attribution"}
    lines = ["\t".join(fields.values()), *("\t".join(str(row.get(name, "")) for name in fields) for row in recorded)]
    [(table, body)] = Tsv(visits, ACCOUNT, fields, "last").pieces(["\n".join([*lines, ""]).encode()])
    read = table.to_pylist()
    assert [r["visitID"] for r in read] == [r["visitID"] for r in recorded]
    assert read[0]["watchIDs"] == "[5495751434909777953,5495755690330292517,5495755158724804822,5495761803952259372]"
    assert [(r["date"], r["goalsID"], r["purchaseRevenue"]) for r in read] == [(date(2022, 9, 19), "[]", "[]"), (date(2022, 11, 3), "[]", "[]")]
    assert body.count(b"\n") == 3


def test_the_token_stands_in_no_url(metrica: Any, opened: Callable[..., YandexMetrica]) -> None:
    connector = opened()
    sent: list[str] = []
    connector._service._client.event_hooks = {"request": [lambda request: sent.append(str(request.url))]}
    pull(connector, "accounts")
    assert sent
    assert all("sandbox" not in parse_qs(urlsplit(url).query) and "sandbox" not in urlsplit(url).path for url in sent)


def test_a_year_is_the_longest_log(opened: Callable[..., YandexMetrica]) -> None:
    pages = pull(opened(), "visits", DateWindow(TODAY - timedelta(days=400), TODAY - timedelta(days=1)))
    assert pages[-1].proof.count("log request") == 2
    assert rows(pages).num_rows == 40
