"""Yandex.Direct beyond the core: goals by model, entities, corrections by Changes, units, replay of landed bytes, recorded answers."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
import yaml

from connectors.patience import Patience
from connectors.registry import connect, oldest_date
from connectors.yandex_direct.client import YandexDirect
from connectors.yandex_direct.replaying import replay
from connectors.yandex_direct.settings import YandexDirectCredentials, YandexDirectSettings
from domain.catalogue import Account, Report
from domain.clock import PinnedClock
from domain.errors import ConfigurationError, DataQualityError, IncompleteAnswer, PermissionDenied, RateLimited, SourceError
from domain.windows import DateWindow
from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.ledger import Ledger, LoadKey

TODAY = date(2026, 5, 31)
CLOCK = PinnedClock(TODAY, datetime.now(UTC))
ACCOUNT = Account("yandex_direct", "client-a", "Client A", "RUB", "Europe/Moscow")
WINDOW = DateWindow(date(2026, 5, 1), date(2026, 5, 4))
Handler = Callable[[str, dict[str, Any]], httpx.Response]


class Wire:
    """Answers each service by a function of its name and params, and remembers the calls."""

    def __init__(self, answer: Handler) -> None:
        self.answer = answer
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.logins: set[str] = set()
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        service = request.url.path.strip("/").rsplit("/", 1)[-1]
        loaded = json.loads(request.content)
        self.logins.add(request.headers.get("Client-Login", ""))
        self.calls.append((service, loaded.get("params") or loaded.get("param") or {}))
        return self.answer(*self.calls[-1])

    def connector(self, **settings: str) -> YandexDirect:
        patience = Patience(sleep=self.slept.append, budget=60)
        return YandexDirect(YandexDirectCredentials(token="y0_very-secret-token"), YandexDirectSettings(**settings), CLOCK, patience, httpx.MockTransport(self))


def tsv(columns: list[str], *rows: list[str], title: str = "mrm x VAT YES abc (2026-05-01 - 2026-05-04)") -> httpx.Response:
    lines = [title, "\t".join(columns), *("\t".join(row) for row in rows), f"Total rows: {len(rows)}", ""]
    return httpx.Response(200, content="\n".join(lines).encode())


def result(**parts: Any) -> httpx.Response:
    return httpx.Response(200, json={"result": parts}, headers={"Units": "11/159639/160000", "Units-Used-Login": "client-a"})


def campaign(number: int, *goals: int, **more: Any) -> dict[str, Any]:
    own = {"PriorityGoals": {"Items": [{"GoalId": goal, "Value": 1} for goal in goals]} if goals else None, "AttributionModel": "AUTO"}
    plain = {"Id": number, "Name": f"C{number}", "Type": "TEXT_CAMPAIGN", "Status": "ACCEPTED", "State": "ON", "TextCampaign": own}
    return {**plain, **more}


def rows_of(connector: YandexDirect, report: str, window: DateWindow = WINDOW) -> list[dict[str, Any]]:
    return [row for page in connector.pages(ACCOUNT, connector.reports[report], window) for row in page.rows.to_pylist()]


GOALS = "conversion_action_daily"
BASE = ["Date", "CampaignId", "AdGroupId"]


def test_goals_are_found_by_pattern_and_retired_models_count_as_what_they_became() -> None:
    columns = ["Revenue_7_LSC", *BASE, "Conversions_7_LSC", "Conversions_8_AUTO", "Revenue_8_AUTO"]

    def answer(service: str, params: dict[str, Any]) -> httpx.Response:
        if service == "campaigns":
            return result(Campaigns=[campaign(1, 8, 7)])
        return tsv(columns, ["10.50", "2026-05-01", "1", "2", "3", "--", "--"], ["--", "2026-05-02", "1", "--", "--", "4", "0.25"])

    wire = Wire(answer)
    found = rows_of(wire.connector(attribution_models="LSC,AUTO,LYDC"), GOALS)
    asked = wire.calls[-1][1]
    assert (asked["Goals"], asked["AttributionModels"]) == (["7", "8"], ["LSCCD", "AUTO"])
    assert asked["FieldNames"] == [*BASE, "Conversions", "Revenue"]
    assert [(r["GoalId"], r["AttributionModel"], r["AdGroupId"], r["Conversions"], r["Revenue"]) for r in found] == [
        ("7", "LSCCD", "2", Decimal(3), Decimal("10.5")),
        ("8", "AUTO", None, Decimal(4), Decimal("0.25")),
    ]


def test_goals_go_ten_to_a_report_and_their_totals_add_up() -> None:
    def answer(service: str, params: dict[str, Any]) -> httpx.Response:
        if service == "campaigns":
            return result(Campaigns=[campaign(1, *range(1, 8)), campaign(2, *range(6, 13))])
        return tsv([*BASE, *(f"Conversions_{g}_LC" for g in params["Goals"])], ["2026-05-01", "1", "2", *("1" for _ in params["Goals"])])

    wire = Wire(answer)
    pages = list(wire.connector().pages(ACCOUNT, YandexDirect.reports[GOALS], WINDOW))
    assert [call[1]["Goals"] for call in wire.calls if call[0] == "reports"] == [[str(g) for g in range(1, 11)], ["11", "12"]]
    assert sum(p.rows.num_rows for p in pages) == 12
    assert pages[-1].proof == "Total rows: 2 in 2 reports"


def test_a_goal_without_its_column_is_no_answer() -> None:
    wire = Wire(lambda service, params: tsv([*BASE, "Conversions_7_LC"], ["2026-05-01", "1", "2", "3"]))
    with pytest.raises(IncompleteAnswer, match="Conversions_9_<model>"):
        rows_of(wire.connector(goals="7, 9"), GOALS)


def test_campaigns_without_goals_have_nothing_to_split_and_that_is_complete() -> None:
    wire = Wire(lambda service, params: result(Campaigns=[campaign(1)]))
    pages = list(wire.connector().pages(ACCOUNT, YandexDirect.reports[GOALS], WINDOW))
    assert [p.rows.num_rows for p in pages] == [0]
    assert "no goal" in pages[-1].proof


@pytest.mark.parametrize("wrong", [{"goals": "7,x"}, {"attribution_models": "MAGIC"}, {"attribution_models": ""}])
def test_goals_and_models_that_cannot_be_are_refused_before_anything_is_sent(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        connect("yandex_direct", {"token": "x"}, wrong, CLOCK)


def test_lists_are_read_page_by_page_and_groups_ten_campaigns_at_a_time() -> None:
    def answer(service: str, params: dict[str, Any]) -> httpx.Response:
        if service == "campaigns":
            offset = params["Page"]["Offset"]
            listed = [campaign(n) for n in range(offset, min(offset + 9, 12))]
            return result(Campaigns=listed, **({"LimitedBy": offset + 9} if offset + 9 < 12 else {}))
        wanted = params["SelectionCriteria"]["CampaignIds"]
        assert len(wanted) <= 10
        return result(AdGroups=[{"Id": 100 + c, "CampaignId": c, "Name": f"G{c}"} for c in wanted])

    wire = Wire(answer)
    connector = wire.connector()
    pages = list(connector.pages(ACCOUNT, connector.reports["ad_groups"], DateWindow(TODAY, TODAY)))
    assert [p.rows.num_rows for p in pages] == [10, 2]
    assert pages[-1].proof == "12 rows, the list ends without LimitedBy"
    assert [p.proof for p in pages[:-1]] == [""]
    assert len([c for c in wire.calls if c[0] == "campaigns"]) == 2
    assert rows_of(connector, "campaigns", DateWindow(TODAY, TODAY))[0]["Id"] == "0"
    assert len([c for c in wire.calls if c[0] == "campaigns"]) == 2


def test_a_list_that_does_not_move_on_is_refused() -> None:
    wire = Wire(lambda service, params: result(Campaigns=[campaign(1)], Clients=[{"Login": "client-a"}], LimitedBy=9))
    with pytest.raises(IncompleteAnswer, match="LimitedBy that does not move on: 9 after 9"):
        rows_of(wire.connector(), "campaigns", DateWindow(TODAY, TODAY))
    with pytest.raises(IncompleteAnswer, match="does not move on"):
        wire.connector().accounts()
    assert len(wire.calls) == 4


def test_ids_that_are_no_numbers_are_asked_for_as_they_are() -> None:
    def answer(service: str, params: dict[str, Any]) -> httpx.Response:
        if service == "campaigns":
            return result(Campaigns=[campaign(7), {**campaign(8), "Id": "brand-8"}])
        if service == "json":  # GetStatGoals
            return httpx.Response(200, json={"data": [{"CampaignID": c, "GoalID": 1} for c in params["CampaignIDS"]]})
        return result(AdGroups=[{"Id": f"g{c}", "CampaignId": c, "Name": "G"} for c in params["SelectionCriteria"]["CampaignIds"]])

    wire = Wire(answer)
    connector = wire.connector()
    assert [r["CampaignId"] for r in rows_of(connector, "ad_groups", DateWindow(TODAY, TODAY))] == ["7", "brand-8"]
    assert [r["CampaignID"] for r in rows_of(connector, "goals", DateWindow(TODAY, TODAY))] == ["7", "brand-8"]
    assert wire.logins == {"client-a"}


def test_budgets_are_daily_or_the_strategys_weekly_limit_in_micros() -> None:
    strategy = {"Search": {"WbMaximumClicks": {"WeeklySpendLimit": 7_000_000}}, "Network": {"AverageCpc": {"WeeklySpendLimit": 5_000_000}}}
    unified = {"UnifiedCampaign": {"BiddingStrategy": strategy, "PriorityGoals": {"Items": [{"GoalId": 5}]}}}
    listed = [campaign(1, DailyBudget={"Amount": 3_000_000, "Mode": "STANDARD"}), {**campaign(2), "TextCampaign": None, **unified}]
    wire = Wire(lambda service, params: result(Campaigns=listed))
    one, two = rows_of(wire.connector(), "campaigns", DateWindow(TODAY, TODAY))
    assert (one["DailyBudget_Amount"], one["DailyBudget_Mode"], one["WeeklySpendLimit"]) == (3_000_000, "STANDARD", None)
    assert (two["DailyBudget_Amount"], two["WeeklySpendLimit"], two["PriorityGoals"]) == (None, 7_000_000, "5")
    assert "UnifiedCampaignFieldNames" in wire.calls[0][1]
    old = Wire(lambda service, params: result(Campaigns=listed))
    rows_of(old.connector(entities_version="v5"), "campaigns", DateWindow(TODAY, TODAY))
    assert "UnifiedCampaignFieldNames" not in old.calls[0][1]


def test_the_lookback_reaches_to_the_border_date_and_never_below_the_goal_window() -> None:
    borders = [{"CampaignId": 1, "BorderDate": "2026-05-28"}]

    def answer(service: str, params: dict[str, Any]) -> httpx.Response:
        if service == "campaigns":
            return result(Campaigns=[campaign(1), campaign(2)])
        assert params == {"CampaignIds": [1, 2], "FieldNames": ["CampaignsStat"], "Timestamp": "2026-05-01T00:00:00Z"}
        return result(Modified={"CampaignsStat": borders}, Timestamp="2026-05-31T12:00:00Z")

    report = YandexDirect.reports["ad_daily"]
    assert Wire(answer).connector().lookback_days(ACCOUNT, report) == 30
    borders.append({"CampaignId": 2, "BorderDate": "2026-03-31"})
    wire = Wire(answer)
    connector = wire.connector()
    assert connector.lookback_days(ACCOUNT, report) == 62
    calls = len(wire.calls)
    assert connector.lookback_days(ACCOUNT, connector.reports["campaign_daily"]) == 62
    assert len(wire.calls) == calls


@pytest.mark.parametrize("code", [8000, 1000])
def test_without_changes_the_goal_window_alone_counts(code: int, caplog: pytest.LogCaptureFixture) -> None:
    def answer(service: str, params: dict[str, Any]) -> httpx.Response:
        return result(Campaigns=[campaign(1)]) if service == "campaigns" else httpx.Response(200, json={"error": {"error_code": code}})

    assert Wire(answer).connector(goal_window_days="21").lookback_days(ACCOUNT, YandexDirect.reports["ad_daily"]) == 21
    assert "no BorderDate" in caplog.text


@pytest.mark.parametrize(("code", "error"), [(54, PermissionDenied), (152, RateLimited)])
def test_a_lost_right_is_not_hidden_by_the_fallback(code: int, error: type[SourceError]) -> None:
    wire = Wire(lambda service, params: httpx.Response(200, json={"error": {"error_code": code}}))
    with pytest.raises(error, match="client-a"):
        wire.connector().lookback_days(ACCOUNT, YandexDirect.reports["ad_daily"])


def test_units_are_told_by_check_and_scarce_ones_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    def answer(service: str, params: dict[str, Any]) -> httpx.Response:
        clients = {"result": {"Clients": [{"Login": "client-a", "Currency": "RUB"}]}}
        return httpx.Response(200, json=clients, headers={"Units": "11/900/160000", "Units-Used-Login": "the-agency"})

    found = Wire(answer).connector().check()
    assert found.quota == {"units of the-agency": "900 of 160000 left today"}
    assert "900 of 160000" in found.message
    assert caplog.text.count("has 900 of 160000 units left") == 1


def test_search_queries_are_asked_for_180_days_and_the_rest_for_three_years() -> None:
    queries, daily = YandexDirect.reports["search_term_daily"], YandexDirect.reports["ad_daily"]
    assert oldest_date("yandex_direct", TODAY, queries) == TODAY - timedelta(days=180)
    assert oldest_date("yandex_direct", TODAY, daily) == date(2023, 5, 1)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = Home.open(tmp_path_factory.mktemp("direct") / "home")
    with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
        yield Ledger(warehouse, home)
    Warehouse.stop(home)


def test_a_visible_key_that_repeats_is_refused_and_never_collapsed(ledger: Ledger) -> None:
    report = YandexDirect.reports["device_daily"]
    columns = ["Date", "Impressions", "Clicks", "Cost", "Conversions", "Revenue", "CampaignId", "Device"]
    line = ["2026-05-01", "10", "1", "1.00", "--", "--", "1", "MOBILE"]
    wire = Wire(lambda service, params: tsv(columns, line, line))
    key = LoadKey("org", "direct", ACCOUNT.account_id)
    with ledger.open(key, report, WINDOW, CLOCK.now(), timezone=ACCOUNT.timezone) as load:
        for page in wire.connector().pages(ACCOUNT, report, WINDOW):
            load.write(page.rows)
        with pytest.raises(DataQualityError, match="1 of 2 rows repeat a natural key") as raised:
            load.commit(page.proof)
    assert "Date, CampaignId, Device" in str(raised.value)


@pytest.mark.parametrize("report", [r for r in YandexDirect.reports if r != "goals"])
def test_landed_bytes_give_the_same_rows_again(sandbox: Any, report: str) -> None:
    sandbox.control("limits", method="DELETE")
    connector = connect("yandex_direct", {"token": "sandbox"}, {**sandbox.settings("yandex_direct"), "include_vat": "NO"}, CLOCK, Patience())
    account = connector.accounts()[0]
    asked: Report = connector.reports[report]
    window = DateWindow(TODAY - timedelta(days=9), TODAY) if asked.date_column else DateWindow(TODAY, TODAY)
    pages = list(connector.pages(account, asked, window))
    connector.close()
    live = pa.concat_tables([p.rows for p in pages])
    again = [*replay(asked, account, [p.body for p in pages])]
    assert pa.concat_tables(again).equals(live) if again else live.num_rows == 0
    assert pages[-1].proof


def test_two_landed_reports_follow_one_another_and_a_cut_one_is_refused() -> None:
    report = YandexDirect.reports["network_daily"]
    columns = ["Date", "Impressions", "Clicks", "Cost", "CampaignId", "AdNetworkType"]
    one = tsv(columns, ["2026-05-01", "1", "1", "1.00", "1", "SEARCH"]).content
    two = tsv(columns, ["2026-05-02", "2", "1", "--", "1", "Total rows: 5"], title="mrm VAT NO x").content
    cut = one.rindex(b"Total rows")
    found = pa.concat_tables(replay(report, ACCOUNT, [one[:cut], one[cut:], b"", two])).to_pylist()
    assert [(r["Impressions"], r["IncludeVAT"], r["AdNetworkType"]) for r in found] == [(1, "YES", "SEARCH"), (2, "NO", "Total rows: 5")]
    with pytest.raises(IncompleteAnswer, match="breaks off"):
        list(replay(report, ACCOUNT, [one[:-10]]))
    with pytest.raises(IncompleteAnswer, match="VAT flag"):
        list(replay(report, ACCOUNT, [tsv(columns, title="another report").content]))


RECORDED = {
    "campaigns": ("campaigns_get", "campaigns"),
    "clients": ("clients_get", "accounts"),
    "ads": ("ads_get", "ads"),
    "adgroups": ("adgroups_get", "ad_groups"),
    "keywords": ("keywords_get", "keywords"),
    "goals": ("v4goals_get_stat_goals", "goals"),
}


def recorded(fixtures: Path, name: str) -> dict[str, Any]:
    path = fixtures / "yandex_direct/cassettes" / f"test_read_command[{name}].yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())["interactions"][0]
    return loaded


@pytest.mark.parametrize("service", RECORDED)
def test_recorded_lists_of_the_real_service_are_read(fixtures: Path, service: str) -> None:
    cassette, report = RECORDED[service]
    body = recorded(fixtures, cassette)["response"]["body"]["string"]
    found = pa.concat_tables(replay(YandexDirect.reports[report], ACCOUNT, [body.encode()]))
    answer = json.loads(body)
    listed = answer["data"] if "data" in answer else next(iter(answer["result"].values()), [])
    assert found.num_rows == len(listed)
    if service == "campaigns":
        assert found.to_pylist()[0]["Id"] == str(listed[0]["Id"])


def test_recorded_headers_and_changes_of_the_real_service_are_read(fixtures: Path) -> None:
    real = recorded(fixtures, "changes_check")["response"]

    def answer(service: str, params: dict[str, Any]) -> httpx.Response:
        if service == "campaigns":
            return result(Campaigns=[campaign(700012672)])
        headers = {name: values[0] for name, values in real["headers"].items() if name in {"Units", "Units-Used-Login"}}
        return httpx.Response(200, content=real["body"]["string"].encode(), headers=headers)

    connector = Wire(answer).connector()
    assert connector.lookback_days(ACCOUNT, connector.reports["ad_daily"]) == 30
    assert [(u.spent, u.rest, u.limit) for u in connector._service.units.values()][-1] == (10, 159476, 160000)


def test_the_recorded_empty_report_is_incomplete_without_its_total(fixtures: Path) -> None:
    body = recorded(fixtures, "reports_get")["response"]["body"]["string"].encode()
    with pytest.raises(IncompleteAnswer):
        list(replay(YandexDirect.reports["campaign_daily"], ACCOUNT, [b"vcr_camp_perf VAT YES\n" + body]))
