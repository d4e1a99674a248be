# house: one scripted server and its helpers serve every behaviour of the asynchronous insights
"""Meta's asynchronous insights: six job states, splitting, throttles, drift, secrets. The real client library against a scripted server."""

import json
import logging
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.meta_ads.client import MetaAds
from connectors.meta_ads.errors import Missing, from_error, pause
from connectors.meta_ads.replaying import replay
from connectors.meta_ads.settings import MetaAdsCredentials, MetaAdsSettings
from connectors.patience import Patience
from connectors.retention import months_before
from domain.catalogue import Account, Page
from domain.clock import WallClock
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

TOKEN = "EAAB-very-secret-token"
ACCOUNT = Account("meta_ads", "1001", "Shop", "USD", "America/New_York")
WINDOW = DateWindow(date(2026, 5, 1), date(2026, 5, 4))


class FakeMeta:
    """Answers insights for a few campaigns; tests bend single answers."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.states: list[dict[str, Any]] = []
        self.refuse: Callable[[dict[str, Any]], Any] = lambda params: None
        self.row: Callable[[str, str], dict[str, Any]] = _row
        self.page_rows = 1000
        self.jobs: list[dict[str, Any]] = []
        self.slept: list[float] = []
        self.reads: Callable[[Any], Any] = lambda call: None

    def __call__(self, call: Any) -> Any:
        tail = call.path.split("/")[2:]
        if call.method == "POST":
            params = {k: _loaded(v) for k, v in call.params.items()}
            if (refused := self.refuse(params)) is not None:
                return refused
            self.jobs.append(params)
            return self.reply({"report_run_id": str(len(self.jobs))})
        if tail[-1] == "insights":
            return self.reads(call) or self._page(self.jobs[int(tail[0]) - 1], call.params)
        if tail[0].isdecimal():
            return self.reply(self.states.pop(0) if self.states else {"async_status": "Job Completed", "async_percent_completion": 100})
        return self.reply({"data": []})

    def _page(self, job: dict[str, Any], params: dict[str, str]) -> Any:
        window = DateWindow(*(date.fromisoformat(job["time_range"][k]) for k in ("since", "until")))
        wanted = [c for c in ("c1", "c2") if all((c in f["value"]) == (f["operator"] == "IN") for f in job.get("filtering", ()))]
        fields = {"date_start", "date_stop", *job["fields"].split(",")}
        rows = [{k: v for k, v in self.row(str(d), c).items() if k in fields} for d in window.dates() for c in wanted]
        start = int(params.get("after", 0))
        size = min(self.page_rows, int(params["limit"]))
        paging = {"cursors": {"after": str(start + size)}, **({"next": "http://elsewhere/"} if start + size < len(rows) else {})}
        return self.reply({"data": rows[start : start + size], "paging": paging})


def _loaded(text: str) -> Any:
    return json.loads(text) if text[:1] in "[{" else text


def _row(day: str, campaign: str) -> dict[str, Any]:
    return {
        "date_start": day,
        "date_stop": day,
        "account_id": "1001",
        "account_name": "Shop",
        "account_currency": "USD",
        "impressions": "1000",
        "clicks": "12",
        "spend": "1.09",
        "actions": [{"action_type": "purchase", "value": "5", "7d_click": "4"}],
        "campaign_id": campaign,
        "campaign_name": f"Campaign «{campaign}»",
    }


@pytest.fixture
def meta(scripted: Any, reply: Any) -> FakeMeta:
    fake = FakeMeta(reply)
    scripted.answer = fake
    return fake


@pytest.fixture
def connector(scripted: Any, meta: FakeMeta) -> MetaAds:
    settings = MetaAdsSettings(endpoint=scripted.url, window_days=100)
    return MetaAds(MetaAdsCredentials(access_token=TOKEN), settings, WallClock(), Patience(sleep=meta.slept.append, budget=60, job_budget=300))


def pull(connector: MetaAds, report: str = "campaign_daily", window: DateWindow = WINDOW) -> list[Page]:
    return list(connector.pages(ACCOUNT, connector.reports[report], window))


def rows_of(pages: list[Page]) -> list[dict[str, Any]]:
    return [r for page in pages for r in page.rows.to_pylist()]


def error(reply: Any, code: int, subcode: int = 0, message: str = "no", status: int = 400, headers: dict[str, str] | None = None, **more: Any) -> Any:
    return reply({"error": {"code": code, "error_subcode": subcode, "message": message, "fbtrace_id": "T1", **more}}, status, headers or {})


def test_strings_become_exact_numbers_and_actions_stay_as_sent(connector: MetaAds) -> None:
    pages = pull(connector)
    first = rows_of(pages)[0]
    assert first["spend"] == Decimal("1.090000")
    assert first["impressions"] == 1000
    assert json.loads(first["actions"]) == [{"action_type": "purchase", "value": "5", "7d_click": "4"}]
    assert first["action_values"] is None
    assert len(rows_of(pages)) == 8
    assert pages[-1].proof == "every job completed and every cursor exhausted: 8 rows in 1 pages"
    assert pages[0].rows.schema == connector.reports["campaign_daily"].schema
    assert b"date_stop" in pages[0].body


def test_an_absent_metric_is_null_not_zero(connector: MetaAds, meta: FakeMeta) -> None:
    meta.row = lambda day, c: {k: v for k, v in _row(day, c).items() if k not in {"clicks", "actions"}}
    first = rows_of(pull(connector))[0]
    assert first["clicks"] is None
    assert first["actions"] is None


def test_thruplays_are_asked_of_ads_alone_and_stay_as_sent_also_where_fields_are_read_apart(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    watched = [{"action_type": "video_view", "value": "7"}]

    def row(day: str, ad: str) -> dict[str, Any]:
        film = {"video_thruplay_watched_actions": watched} if ad == "c1" else {}
        return {**_row(day, "c1"), "adset_id": "g", "adset_name": "G", "ad_id": ad, "ad_name": ad, **film}

    def found() -> list[tuple[str, Any]]:
        rows = rows_of(pull(connector, "ad_daily", DateWindow(WINDOW.since, WINDOW.since)))
        return sorted((r["ad_id"], r["video_thruplay_watched_actions"] and json.loads(r["video_thruplay_watched_actions"])) for r in rows)

    meta.row = row
    assert found() == [("c1", watched), ("c2", None)]
    meta.refuse = lambda params: error(reply, 1, 0, "Please reduce the amount of data", 500) if {"spend", "actions"} <= {*params["fields"].split(",")} else None
    assert found() == [("c1", watched), ("c2", None)]
    pull(connector, "campaign_daily", DateWindow(WINDOW.since, WINDOW.since))
    assert "video_thruplay_watched_actions" not in meta.jobs[-1]["fields"].split(",")


def test_the_cursor_is_followed_to_its_end(connector: MetaAds, meta: FakeMeta) -> None:
    meta.page_rows = 3
    pages = pull(connector)
    assert [p.rows.num_rows for p in pages] == [3, 3, 2]
    assert [bool(p.proof) for p in pages] == [False, False, True]


def test_a_cursor_that_does_not_move_fails_the_pull(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    meta.reads = lambda call: reply({"data": [_row("2026-05-01", "c1")], "paging": {"cursors": {"after": "same"}, "next": "http://x/"}})
    with pytest.raises(IncompleteAnswer, match="cursor"):
        pull(connector)


def test_a_job_is_done_only_when_it_says_so(connector: MetaAds, meta: FakeMeta) -> None:
    meta.states = [
        {"async_status": "Job Not Started", "async_percent_completion": 0},
        {"async_status": "Job Started", "async_percent_completion": 10},
        {"async_status": "Job Running", "async_percent_completion": 100},
        {"async_status": "Job Completed", "async_percent_completion": 100},
    ]
    assert len(rows_of(pull(connector))) == 8
    assert len(meta.slept) == 3


@pytest.mark.parametrize("state", ["Job Failed", "Job Skipped"])
def test_a_failed_or_skipped_job_is_started_again_then_split(connector: MetaAds, meta: FakeMeta, state: str) -> None:
    meta.states = [{"async_status": state}, {"async_status": state}]
    pages = pull(connector)
    assert len(rows_of(pages)) == 8
    windows = [tuple(j["time_range"].values()) for j in meta.jobs]
    assert windows == [("2026-05-01", "2026-05-04")] * 2 + [("2026-05-01", "2026-05-02"), ("2026-05-03", "2026-05-04")]


def test_a_job_that_fails_for_a_quota_is_waited_for_and_never_split(connector: MetaAds, meta: FakeMeta) -> None:
    limited = {"async_status": "Job Failed", "error_code": 80004, "error_message": "There have been too many calls to this ad-account"}
    meta.states = [limited]
    assert len(rows_of(pull(connector))) == 8
    assert (len(meta.jobs), 60.0 in meta.slept) == (2, True)
    meta.states = [limited, limited]
    with pytest.raises(RateLimited) as raised:
        pull(connector)
    assert (raised.value.retry_after, len(meta.jobs)) == (60.0, 4)


def test_a_run_that_is_gone_is_no_lost_account(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    meta.reads = lambda call: error(reply, 100, 33, "Unsupported get request. Object with ID '1' does not exist")
    with pytest.raises(TransientFailure, match="no longer knows the job"):
        pull(connector)
    meta.reads = lambda call: error(reply, 2601, 1815107, "Loading async report results too early")
    meta.states = [{"async_status": "Job Completed"}, {"async_status": "Job Failed"}]
    with pytest.raises(IncompleteAnswer, match="'Job Failed' for a job that it had called completed"):
        pull(connector)


def test_an_unknown_state_fails_the_pull(connector: MetaAds, meta: FakeMeta) -> None:
    meta.states = [{"async_status": "Job Dreaming"}]
    with pytest.raises(IncompleteAnswer, match="Dreaming"):
        pull(connector)


def test_a_job_that_never_ends_gives_up_after_its_budget(connector: MetaAds, meta: FakeMeta) -> None:
    meta.states = [{"async_status": "Job Running", "async_percent_completion": 100}] * 1000
    with pytest.raises(TransientFailure, match="not done"):
        pull(connector)
    assert sum(meta.slept) <= 300


def test_a_fatal_error_of_the_job_is_not_split(connector: MetaAds, meta: FakeMeta) -> None:
    meta.states = [{"async_status": "Job Failed", "error_code": 200, "error_message": "no permission"}]
    with pytest.raises(PermissionDenied, match="1001"):
        pull(connector)
    assert len(meta.jobs) == 1


@pytest.mark.parametrize(("code", "subcode"), [(1, 500), (100, 1504018), (2, 1504038)])
def test_too_much_data_splits_by_dates(connector: MetaAds, meta: FakeMeta, reply: Any, code: int, subcode: int) -> None:
    def refuse(params: dict[str, Any]) -> Any:
        if params["time_range"]["since"] != params["time_range"]["until"]:
            return error(reply, code, subcode, "Please reduce the amount of data you're asking for, then retry your request", 500)
        return None

    meta.refuse = refuse
    assert sorted({r["date_start"] for r in rows_of(pull(connector))}) == list(WINDOW.dates())
    assert len(meta.jobs) == 4


def test_a_single_day_splits_by_campaigns_then_by_fields(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    def refuse(params: dict[str, Any]) -> Any:
        heavy = "spend" in params["fields"] and "actions" in params["fields"]
        return error(reply, 1, 0, "Please reduce the amount of data", 500) if heavy or params["time_range"]["since"] != params["time_range"]["until"] else None

    meta.refuse = refuse
    day = DateWindow(WINDOW.since, WINDOW.since)
    found = rows_of(pull(connector, window=day))
    assert sorted((r["campaign_id"], r["clicks"], r["spend"]) for r in found) == [("c1", 12, Decimal("1.09")), ("c2", 12, Decimal("1.09"))]
    assert all(json.loads(r["actions"])[0]["value"] == "5" for r in found)


def test_when_splitting_cannot_help_the_report_is_too_large(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    meta.refuse = lambda params: error(reply, 1, 0, "Please reduce the amount of data", 500) if "impressions" in params["fields"] else None
    with pytest.raises(ReportTooLarge, match="1001"):
        pull(connector, window=DateWindow(WINDOW.since, WINDOW.since))


def test_a_page_too_large_is_asked_for_in_smaller_pages(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    meta.reads = lambda call: error(reply, 1, 0, "Please reduce the amount of data", 500) if int(call.params["limit"]) > 250 else None
    assert len(rows_of(pull(connector))) == 8


def test_a_report_read_too_early_is_read_again(connector: MetaAds, meta: FakeMeta, reply: Any, fixtures: Path) -> None:
    recorded = json.loads((fixtures / "meta_ads" / "error_2601_report_not_ready.json").read_text())
    answers = [reply(recorded, 400)]
    meta.reads = lambda call: answers.pop() if answers else None
    assert len(rows_of(pull(connector))) == 8


def test_throttles_are_told_by_code_even_when_not_transient(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    usage = {"1001": [{"type": "ads_insights", "estimated_time_to_regain_access": 0}, {"type": "ads_management", "estimated_time_to_regain_access": 15}]}
    headers = {"X-Business-Use-Case-Usage": json.dumps(usage)}
    meta.refuse = lambda params: error(reply, 80004, 2446079, "There have been too many calls", 400, headers, is_transient=False)
    with pytest.raises(RateLimited) as raised:
        pull(connector)
    assert raised.value.retry_after == 900
    assert raised.value.account_id == "1001"
    assert meta.slept == []


def test_a_short_throttle_is_waited_for(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    answers = [error(reply, 17, 2446079, headers={"X-Ad-Account-Usage": '{"acc_id_util_pct": 100, "reset_time_duration": 9}'})]
    meta.refuse = lambda params: answers.pop() if answers else None
    assert len(rows_of(pull(connector))) == 8
    assert 9.0 in meta.slept


def test_the_worst_throttle_entry_counts_minutes_and_seconds_apart() -> None:
    usage = {"1": [{"estimated_time_to_regain_access": 1}, {"estimated_time_to_regain_access": 3}], "2": [{"estimated_time_to_regain_access": 2}]}
    assert pause({"x-business-use-case-usage": json.dumps(usage), "X-Ad-Account-Usage": '{"reset_time_duration": 20}'}) == 180
    assert pause({"X-Ad-Account-Usage": '{"reset_time_duration": 20}'}) == 20
    assert pause({"X-App-Usage": '{"call_count": 99}', "X-Business-Use-Case-Usage": "not json"}) == 0


@pytest.mark.parametrize(
    ("code", "subcode", "status", "kind"),
    [
        (190, 463, 401, AuthorizationExpired),
        (102, 0, 400, AuthorizationExpired),
        (10, 0, 403, PermissionDenied),
        (200, 0, 403, PermissionDenied),
        (294, 0, 400, PermissionDenied),
        (100, 33, 400, Missing),
        (4, 1504022, 400, RateLimited),
        (613, 1487742, 400, RateLimited),
        (80000, 0, 400, RateLimited),
        (80014, 0, 400, RateLimited),
        (2635, 0, 400, VersionSunset),
        (3018, 0, 400, RequestRejected),
        (100, 0, 400, RequestRejected),
        (2, 0, 500, TransientFailure),
    ],
)
def test_every_code_has_its_place_in_the_error_tree(code: int, subcode: int, status: int, kind: type[SourceError]) -> None:
    found = from_error({"code": code, "error_subcode": subcode, "message": "words of Meta"}, status, {}, "1001")
    assert type(found) is kind
    assert (found.code == "permission_denied") is issubclass(kind, PermissionDenied)
    assert "meta_ads account 1001" in str(found)
    assert "words of Meta" in str(found)
    assert found.fix


def test_fatal_errors_are_not_retried(connector: MetaAds, meta: FakeMeta, scripted: Any, reply: Any) -> None:
    meta.refuse = lambda params: error(reply, 190, 463, "Session has expired", 401)
    with pytest.raises(AuthorizationExpired, match=r"\./run connect meta_ads"):
        pull(connector)
    assert len(scripted.calls) == 1


@pytest.mark.parametrize("body", [b"<html>502 error success</html>", b'{"data": [{"date_start": "2026', b"", b'{"data": 3}'])
def test_pages_of_proxies_and_bodies_that_break_off_never_count(connector: MetaAds, meta: FakeMeta, reply: Any, body: bytes) -> None:
    meta.reads = lambda call: reply(body, 502 if body.startswith(b"<") else 200)
    with pytest.raises((TransientFailure, IncompleteAnswer), match="1001"):
        pull(connector)


@pytest.mark.parametrize(
    "change", [{"spend": "about 1"}, {"spend": 1.09}, {"impressions": {"n": 1}}, {"actions": "none"}, {"date_start": "May 1"}, {"clicks": "1.5"}]
)
def test_a_changed_type_fails_loudly(connector: MetaAds, meta: FakeMeta, change: dict[str, Any]) -> None:
    meta.row = lambda day, c: {**_row(day, c), **change}
    with pytest.raises(IncompleteAnswer, match=next(iter(change))):
        pull(connector)


def test_an_unknown_field_is_kept_in_the_bytes_alone(connector: MetaAds, meta: FakeMeta) -> None:
    meta.reads = lambda call: meta.reply({"data": [{**_row("2026-05-01", "c1"), "novelty": "x"}], "paging": {}})
    pages = pull(connector)
    assert "novelty" not in pages[0].rows.column_names
    assert b"novelty" in pages[0].body


def test_the_token_is_in_no_log_and_no_error(scripted: Any, connector: MetaAds, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    requests_log = logging.getLogger("urllib3.connectionpool")
    monkeypatch.setattr(requests_log, "disabled", False)  # another library of this worker may have silenced it
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger=requests_log.name):
        pull(connector)
        scripted.close()
        scripted.close = lambda: None
        connector._graph._session.requests.close()
        with pytest.raises(TransientFailure) as raised:
            pull(connector)
    assert TOKEN not in caplog.text
    assert "access_token=***" in caplog.text
    assert TOKEN not in str(raised.value)
    assert raised.value.__context__ is None or raised.value.__suppress_context__


def test_the_host_is_set_on_the_instance_alone(connector: MetaAds, scripted: Any) -> None:
    from facebook_business.api import FacebookAdsApi
    from facebook_business.session import FacebookSession

    assert FacebookSession.GRAPH == "https://graph.facebook.com"
    assert FacebookAdsApi.get_default_api() is None
    pull(connector)
    assert scripted.calls[0].path.startswith("/v26.0/act_1001/insights")


def test_long_windows_are_read_in_jobs_of_a_hundred_days(connector: MetaAds, meta: FakeMeta) -> None:
    window = DateWindow(date(2025, 1, 1), date(2025, 12, 31))
    pull(connector, window=window)
    assert len(meta.jobs) == 4
    pull(connector, "account_daily", window)
    assert len(meta.jobs) == 5


def test_discovery_reads_every_page_and_leaves_disabled_accounts_out(connector: MetaAds, scripted: Any, reply: Any) -> None:
    def account(number: int, status: int = 1) -> dict[str, Any]:
        return {"account_id": str(number), "id": f"act_{number}", "name": "A", "currency": "JPY", "timezone_name": "Pacific/Auckland", "account_status": status}

    def answer(call: Any) -> Any:
        if "after" in call.params:
            return reply({"data": [account(1), account(3, 2)], "paging": {"cursors": {"after": "2"}}})
        return reply({"data": [account(1), account(2)], "paging": {"cursors": {"after": "1"}, "next": "http://elsewhere/?access_token=x"}})

    scripted.answer = answer
    found = connector.discover()
    assert [a.account_id for a in found.accounts] == ["1", "2"]
    assert found.notes == ["account 3 left out: it is disabled"]


def test_ids_are_split_so_that_nothing_can_be_missed_that_the_listing_did_not_know(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    """One half is about the first campaigns, the other about everything else: a campaign that appears meanwhile is in it."""

    def refuse(params: dict[str, Any]) -> Any:
        return None if "filtering" in params or params["fields"] == "campaign_id" else error(reply, 100, 1504018, "Please reduce the amount of data", 500)

    meta.refuse = refuse
    pull(connector, window=DateWindow(WINDOW.since, WINDOW.since))
    assert [j["filtering"] for j in meta.jobs if "filtering" in j] == [
        [{"field": "campaign.id", "operator": "IN", "value": ["c1"]}],
        [{"field": "campaign.id", "operator": "NOT_IN", "value": ["c1"]}],
    ]


def test_a_day_read_by_fields_lands_as_one_list_and_replays_to_the_same_rows(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    heavy = error(reply, 1, 0, "Please reduce the amount of data", 500)
    meta.refuse = lambda params: heavy if "spend" in params["fields"] and "actions" in params["fields"] else None
    pages = pull(connector, "account_daily", DateWindow(WINDOW.since, WINDOW.since))
    meta.row = lambda day, c: {k: v for k, v in _row(day, c).items() if k != "campaign_id"}
    assert len(json.loads(pages[0].body)) == 4
    (again,) = replay(connector.reports["account_daily"], ACCOUNT, [pages[0].body])
    assert again.to_pylist() == rows_of(pages)
    assert rows_of(pages)[0]["spend"] == Decimal("1.09")
    assert rows_of(pages)[0]["actions"] is not None


def test_breakdowns_and_windows_are_parameters_never_fields(connector: MetaAds, meta: FakeMeta) -> None:
    meta.reads = lambda call: meta.reply({"data": []})
    pull(connector, "age_gender_daily")
    pull(connector, "ad_actions_daily")
    split, actions = meta.jobs
    assert split["breakdowns"] == ["age", "gender"]
    assert not {"age", "gender", "date_start"} & set(split["fields"].split(","))
    assert (split["level"], actions["level"]) == ("campaign", "ad")
    assert actions["action_attribution_windows"] == ["1d_view", "1d_ev", "1d_click", "7d_click", "28d_click"]
    assert "action_attribution_windows" not in split
    assert split["use_unified_attribution_setting"] == "true"


def test_the_attribution_is_a_setting(scripted: Any, meta: FakeMeta) -> None:
    settings = MetaAdsSettings(
        endpoint=scripted.url, use_unified_attribution_setting=False, action_report_time="conversion", action_attribution_windows="7d_click, 1d_view"
    )
    own = MetaAds(MetaAdsCredentials(access_token=TOKEN), settings, WallClock(), Patience(sleep=meta.slept.append))
    meta.reads = lambda call: meta.reply({"data": []})
    pull(own, "ad_actions_daily")
    own.close()
    assert meta.jobs[0]["action_report_time"] == "conversion"
    assert meta.jobs[0]["action_attribution_windows"] == ["7d_click", "1d_view"]
    assert "use_unified_attribution_setting" not in meta.jobs[0]


def test_reach_with_breakdowns_is_asked_for_thirteen_months_alone(connector: MetaAds, meta: FakeMeta) -> None:
    meta.reads = lambda call: meta.reply({"data": []})
    edge = months_before(WallClock().today(ACCOUNT.timezone), 13)
    pull(connector, "country_daily", DateWindow(edge - timedelta(days=3), edge + timedelta(days=3)))
    asked = {(j["time_range"]["since"], j["time_range"]["until"]): "reach" in j["fields"].split(",") for j in meta.jobs}
    assert asked == {(str(edge), str(edge + timedelta(days=3))): True, (str(edge - timedelta(days=3)), str(edge - timedelta(days=1))): False}
    meta.jobs.clear()
    pull(connector, "account_daily", DateWindow(edge - timedelta(days=3), edge))
    assert ["reach" in j["fields"] for j in meta.jobs] == [True]


def test_an_answer_of_another_version_is_refused(connector: MetaAds, meta: FakeMeta, reply: Any) -> None:
    meta.reads = lambda call: reply({"data": []}, 200, {"facebook-api-version": "v27.0"})
    with pytest.raises(VersionSunset, match=r"v27\.0, not as v\d+\.0"):
        pull(connector)


def test_what_the_catalogue_does_not_know_or_misses_is_said_in_the_proof(connector: MetaAds, meta: FakeMeta) -> None:
    row = {k: v for k, v in _row("2026-05-01", "c1").items() if k != "campaign_name"}
    meta.reads = lambda call: meta.reply({"data": [{**row, "novelty": "x"}], "paging": {}})
    proof = pull(connector)[-1].proof
    assert "kept in the bytes alone: novelty" in proof
    assert "no row has are NULL: campaign_name" in proof


def test_a_day_of_purchases_in_all_tiers_and_windows_becomes_one_row_each(connector: MetaAds, meta: FakeMeta) -> None:
    actions = [
        {"action_type": "omni_purchase", "value": "5", "7d_click": "4", "1d_view": "1", "7d_view": "9", "action_device": "x"},
        {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "5"},
    ]
    row = {
        **_row("2026-05-01", "c1"),
        "adset_id": "s1",
        "ad_id": "a1",
        "actions": actions,
        "action_values": [{"action_type": "omni_purchase", "value": "9.99"}],
    }
    meta.reads = lambda call: meta.reply({"data": [row]})
    found = {(r["action_type"], r["attribution_window"]): (r["action_count"], r["action_value"]) for r in rows_of(pull(connector, "ad_actions_daily"))}
    assert found == {
        ("omni_purchase", "default"): (Decimal(5), Decimal("9.99")),
        ("omni_purchase", "7d_click"): (Decimal(4), None),
        ("omni_purchase", "1d_view"): (Decimal(1), None),
        ("offsite_conversion.fb_pixel_purchase", "default"): (Decimal(5), None),
    }
