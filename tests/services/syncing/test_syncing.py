"""Pulling an integration into committed slices: over the wire, into a real ClickHouse."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors import registry
from connectors.discovery import Discovery
from connectors.meta_ads.conversions import conversions
from connectors.rows import empty
from domain.catalogue import Account, Page, Report
from domain.errors import AuthorizationExpired, ConfigurationError, IncompleteAnswer, PermissionDenied, RateLimited, TransientFailure
from domain.windows import DateWindow
from warehouse.ledger import Ledger
from warehouse.recording import current_slices

PLATFORMS = ("google_ads", "meta_ads", "yandex_direct")
CORE = ("accounts", "account_daily", "campaign_daily", "ad_daily")
START = date(2026, 3, 10)
COLUMNS = {
    "google_ads": "segments_date, campaign_id, metrics_impressions, metrics_clicks, toDecimal64(metrics_cost_micros, 6) / 1000000, metrics_conversions",
    "meta_ads": "date_start, campaign_id, impressions, clicks, spend, actions",
    "yandex_direct": "Date, CampaignId, Impressions, Clicks, Cost, Conversions",
}


class Found:
    """A connector that finds the accounts that it is told; it reads nothing of them, and stumbles over account 3."""

    platform = "meta_ads"
    reports = {"account_daily": registry.report("meta_ads", "account_daily")}

    def __init__(self, found: Discovery | None) -> None:
        self.found = found

    def discover(self) -> Discovery:
        """Stumble without an answer."""
        return Discovery(list(self.found.accounts), dict(self.found.left_out), set(self.found.refused))  # type: ignore[union-attr]

    def pages(self, account: Account, of: Report, window: DateWindow) -> Iterator[Page]:
        """Yield one page without rows."""
        if account.account_id == "3":
            raise ArithmeticError("access_token=EAAB1x: a metric is '--'")
        yield Page(empty(of), b"{}", "application/json", "nothing")


def _account(account_id: str, zone: str) -> Account:
    return Account("meta_ads", account_id, f"A{account_id}", "EUR", zone)


Told = Callable[[str, str, date], dict[tuple[date, str, str], tuple[int, int, Decimal, Decimal]]]


def campaigns(told: Told, platform: str, account: str, today: date) -> list[tuple[Any, ...]]:
    """The truth at campaign level, as the campaign report prints it."""
    return sorted((day, f"10{campaign}", *numbers) for (day, campaign, _), numbers in told(platform, account, today).items())


def stored(agency: Any, platform: str, account: str, as_of: str = "2099-01-01") -> list[tuple[Any, ...]]:
    """The campaign rows that count; Meta's conversions read from its actions."""
    rows = agency.stored(f"raw_{platform}__campaign_daily", COLUMNS[platform], account, as_of)
    return sorted((*row[:-1], conversions(row[-1]) if platform == "meta_ads" else row[-1]) for row in rows)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_first_pull_stores_what_the_platform_answers_and_three_runs_store_the_same(agency: Any, told: Told, accounts_of: Any, platform: str) -> None:
    results = [agency.sync(platform) for _ in range(3)]
    assert [r.failures for r in results] == [()] * 3
    for account in accounts_of[platform]:
        assert stored(agency, platform, account) == campaigns(told, platform, account, START)
    assert results[0].accounts == 2
    assert results[0].dates_changed > 0
    assert [r.dates_changed for r in results[1:]] == [0, 0]
    assert sum(o.rows for o in results[0].outcomes if o.report in CORE) == 2 * (1 + 10 + 30 + 20)


def test_a_commit_whose_answer_is_lost_is_found_by_the_next_try(agency: Any) -> None:
    lost = iter([True])

    def passing(point: str) -> None:
        if point == "recorded" and next(lost, False):
            raise TransientFailure("the answer is lost", platform="meta_ads")

    result = agency.sync("meta_ads", ledger=Ledger(agency.warehouse, agency.home, passing=passing))
    assert result.failures == ()
    first = next(o for o in result.outcomes if o.rows)
    assert (first.dates_changed, first.dates_verified) == (0, sum(w.days for w in first.windows))
    assert len(agency.loads("load_id")) == len(result.outcomes) + 1


def test_slices_are_read_once_for_all_reports_of_an_account(agency: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counted(client: Any, *asked: Any) -> Any:
        read.append(asked)
        return current_slices(client, *asked)

    for module in ("warehouse.ledger", "warehouse.load"):
        monkeypatch.setattr(f"{module}.current_slices", counted)
    agency.sync("meta_ads")
    assert read == []  # nothing was pulled before
    agency.sync("meta_ads")
    assert len(read) == 2  # accounts
    agency.sync("meta_ads", since=START - timedelta(days=200), until=START - timedelta(days=199))
    assert len(read) == 4 + 2  # and each account's snapshot, which is not of the window asked for


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_first_pull_reaches_back_and_the_next_asks_only_for_what_is_provisional(agency: Any, platform: str) -> None:
    agency.sync(platform)
    first = {r: (s, u) for r, s, u in agency.loads("report, since, until")}
    agency.on(START + timedelta(days=1)).sync(platform)
    later = agency.loads("report, since, until, proof")[len(first) * 2 :]
    daily = f"raw_{platform}__ad_daily"
    assert first[daily] == (START - timedelta(days=399), START)
    assert {u for r, _, u, _ in later if r == daily} == {START + timedelta(days=1)}
    assert {(u - s).days for r, s, u, _ in later if r == daily} == {{"google_ads": 31, "meta_ads": 28, "yandex_direct": 30}[platform]}
    assert all(proof for *_, proof in later)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_exact_answers_land_beside_their_load(agency: Any, platform: str) -> None:
    agency.sync(platform)
    keys = agency.landing.keys("landing")
    loads = {load for (load,) in agency.loads("load_id")}
    assert {key.split("/")[5] for key in keys} == loads
    assert all(key.startswith(f"landing/{agency.name}/{platform}-1/") for key in keys)
    largest = max((agency.landing.get(key) for key in keys), key=len)
    assert b"Campaign 1" in largest


def test_progress_reaches_its_end(agency: Any) -> None:
    agency.sync("yandex_direct")
    assert (agency.events[-1].done, agency.events[-1].total) == (8, 8)
    assert [e.done for e in agency.events] == sorted(e.done for e in agency.events)
    assert {e.report for e in agency.events} == {"accounts", "account_daily", "campaign_daily", "ad_daily"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_one_lost_account_leaves_the_others_complete_and_a_rerun_pulls_it(agency: Any, told: Told, accounts_of: Any, platform: str) -> None:
    lost, other = accounts_of[platform]
    agency.sandbox.fault(platform, "lost_account", account_id=lost, times=None)
    result = agency.sync(platform)
    assert [type(f) for f in result.failures] == [PermissionDenied]
    assert lost in str(result.failures[0])
    assert result.failures[0].fix
    assert stored(agency, platform, other) == campaigns(told, platform, other, START)
    assert stored(agency, platform, lost) == []
    agency.sandbox.control("faults", method="DELETE")
    assert agency.sync(platform).failures == ()
    assert stored(agency, platform, lost) == campaigns(told, platform, lost, START)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("fault", ["broken_stream", "truncated_body", "server_error"])
def test_a_pull_that_breaks_off_is_pulled_anew_without_a_row_twice(agency: Any, told: Told, accounts_of: Any, platform: str, fault: str) -> None:
    account = accounts_of[platform][0]
    agency.sandbox.fault(platform, fault, account_id=account, after_rows=3, times=2)
    assert agency.sync(platform).failures == ()
    assert stored(agency, platform, account) == campaigns(told, platform, account, START)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_of_a_platform_that_is_down_each_report_is_asked_once_after_the_second(agency: Any, told: Told, accounts_of: Any, platform: str) -> None:
    down, other = sorted(accounts_of[platform])
    agency.sandbox.fault(platform, "server_error", account_id=down, times=None)
    result = agency.sync(platform)
    requests = [o.requests for o in result.outcomes if o.account_id == down and isinstance(o.error, TransientFailure)]
    assert len(requests) >= 3
    assert min(requests[:2]) > 10
    assert max(requests[2:]) <= 3  # Meta's jobs are begun three at a time, each once
    assert all(o.error is None for o in result.outcomes if o.account_id == other)
    assert stored(agency, platform, other) == campaigns(told, platform, other, START)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_failed_pull_deletes_nothing(agency: Any, accounts_of: Any, platform: str) -> None:
    account = accounts_of[platform][0]
    agency.sync(platform)
    before = stored(agency, platform, account)
    landed = [key for key in agency.landing.keys("landing") if f"_daily/{account}/" in key]
    agency.sandbox.fault(platform, "truncated_body", account_id=account, times=None)
    result = agency.on(START + timedelta(days=15)).sync(platform)
    assert result.failures
    assert all(isinstance(f, TransientFailure | IncompleteAnswer) for f in result.failures)
    assert stored(agency, platform, account) == before
    assert [key for key in agency.landing.keys("landing") if f"_daily/{account}/" in key] == landed


@pytest.mark.parametrize("platform", ["google_ads", "meta_ads"])
def test_a_long_quota_pause_is_told_and_the_other_account_goes_on(agency: Any, told: Told, accounts_of: Any, platform: str) -> None:
    limited, other = accounts_of[platform]
    agency.sandbox.fault(platform, "throttle", account_id=limited, seconds=900, times=None)
    result = agency.sync(platform)
    assert [type(f) for f in result.failures] == [RateLimited]
    assert result.failures[0].retry_after == 900
    assert sum(agency.slept) < 60
    assert stored(agency, platform, other) == campaigns(told, platform, other, START)


def test_a_refused_credential_is_raised_for_the_whole_integration(agency: Any) -> None:
    agency.sandbox.fault("meta_ads", "expired_token", times=None)
    with pytest.raises(AuthorizationExpired, match="meta_ads"):
        agency.sync("meta_ads")


def test_an_account_that_the_credential_no_longer_shows_is_a_failure_not_a_green_run(agency: Any) -> None:
    agency.sync("yandex_direct")
    result = agency.sync("yandex_direct", {"client_login": "agency-one"})
    assert [type(f) for f in result.failures] == [PermissionDenied]
    assert "agency-two" in str(result.failures[0])
    agency.sandbox.control("limits", method="DELETE")  # three syncs within ten seconds would meet Direct's limit of requests
    skipped = agency.sync("yandex_direct", {"client_login": "agency-one", "skip_accounts": "agency-two"})
    assert skipped.failures == ()
    assert any("agency-two left out" in note for note in skipped.notes)


def test_an_account_that_cannot_be_read_fails_alone_and_by_name(agency: Any) -> None:
    zones = {"1": "", "2": "Mars/Olympus_Mons", "3": "Asia/Kolkata", "4": "America/St_Johns"}
    connector = Found(Discovery([_account(*known) for known in zones.items()]))
    result = agency.sync("meta_ads", {"reports": "account_daily"}, connector=connector)
    assert [(type(f), f.account_id) for f in result.failures] == [(IncompleteAnswer, i) for i in "123"]
    assert "skip_accounts" in result.failures[1].fix
    assert result.failures[2].why.startswith("ArithmeticError at test_syncing.py:")
    assert result.failures[2].why.endswith("access_token=*** a metric is '--'")
    assert {account for (account,) in agency.loads("account_id")} == {"4"}
    connector.found = None
    with pytest.raises(IncompleteAnswer, match="meta_ads: the list of accounts does not read"):
        agency.sync("meta_ads", {"reports": "account_daily"}, connector=connector)


def test_an_account_that_was_pulled_and_is_refused_now_is_lost_and_one_that_was_closed_is_not(agency: Any) -> None:
    connector = Found(Discovery([_account(i, "UTC") for i in "456"]))
    assert agency.sync("meta_ads", {"reports": "account_daily"}, connector=connector).failures == ()
    connector.found = Discovery([_account("4", "UTC")], {"5": "USER_PERMISSION_DENIED", "6": "it is closed", "7": "CUSTOMER_NOT_ENABLED"}, {"5", "7"})
    result = agency.sync("meta_ads", {"reports": "account_daily"}, connector=connector)
    assert [(type(f), f.account_id) for f in result.failures] == [(PermissionDenied, "5")]
    assert "USER_PERMISSION_DENIED" in str(result.failures[0])
    assert len(result.notes) == 3


def test_an_asked_window_is_cut_to_what_the_platform_keeps(agency: Any) -> None:
    result = agency.sync("meta_ads", since=date(2020, 1, 1), until=START - timedelta(days=9))
    assert any("answers from 2023-02-10" in note for note in result.notes)
    since = min(s for r, s in agency.loads("report, since") if r.endswith("ad_daily"))
    assert since == date(2023, 2, 10)


def test_a_report_too_large_is_loaded_in_halves(agency: Any, told: Told, accounts_of: Any) -> None:
    account = accounts_of["yandex_direct"][0]
    agency.sandbox.fault("yandex_direct", "too_large", account_id=account, endpoint="reports", times=2)
    assert agency.sync("yandex_direct").failures == ()
    assert stored(agency, "yandex_direct", account) == campaigns(told, "yandex_direct", account, START)


@pytest.mark.parametrize("fault", ["report_failed", "report_skipped", "report_slow", "too_large"])
def test_metas_jobs_may_fail_be_skipped_be_slow_or_too_large(agency: Any, told: Told, accounts_of: Any, fault: str) -> None:
    account = accounts_of["meta_ads"][0]
    agency.sandbox.fault("meta_ads", fault, account_id=account, times=3, polls=5)
    assert agency.sync("meta_ads").failures == ()
    assert stored(agency, "meta_ads", account) == campaigns(told, "meta_ads", account, START)


def test_a_report_that_never_comes_costs_its_account_one_wait_and_no_other(agency: Any, told: Told, accounts_of: Any) -> None:
    slow, other = accounts_of["meta_ads"]
    agency.sandbox.fault("meta_ads", "report_slow", account_id=slow, times=None, polls=1_000_000)
    result = agency.sync("meta_ads")
    assert [(f.code, f.account_id) for f in result.failures] == [("transient_failure", slow)]  # type: ignore[attr-defined]
    assert 3000 < sum(agency.slept) < 4000
    assert stored(agency, "meta_ads", other) == campaigns(told, "meta_ads", other, START)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_after_each_day_of_restatement_the_slices_equal_the_answer_of_that_day(agency: Any, told: Told, accounts_of: Any, platform: str) -> None:
    account = accounts_of[platform][0]
    answers = {}
    for days in (0, 2, 5, 16):
        today = START + timedelta(days=days)
        assert agency.on(today).sync(platform).failures == ()
        answers[today] = stored(agency, platform, account)
        assert answers[today] == campaigns(told, platform, account, today)
    assert len({tuple(a) for a in answers.values()}) == 4
    for today, answer in answers.items():
        assert stored(agency, platform, account, as_of=f"{today} 23:59:59") == answer


def test_windows_end_on_the_accounts_own_today(agency: Any) -> None:
    agency.sync("meta_ads")
    assert {u for r, u in agency.loads("report, until")} == {START}
    assert DateWindow(START, START).days == 1


def test_a_clock_that_is_pinned_stays_on_its_date_in_every_zone(agency: Any) -> None:
    agency.home.remember(pinned_at=(datetime.now(UTC) - timedelta(hours=9)).isoformat())
    agency.sync("meta_ads", {"reports": "account_daily"}, connector=Found(Discovery([_account("8", "Asia/Tokyo"), _account("9", "Pacific/Auckland")])))
    told = {(account, until, today) for account, until, today in agency.loads("account_id, until, account_today")}
    assert told == {("8", START, START), ("9", START + timedelta(days=1), START + timedelta(days=1))}


def test_a_detail_report_begins_with_its_own_days_and_goes_on_with_the_accounts_lookback(agency: Any, accounts_of: Any) -> None:
    first, second = accounts_of["google_ads"]
    settings = {"skip_accounts": second, "reports": "account_daily, device_daily, ad_groups"}
    assert agency.sync("google_ads", settings).failures == ()
    assert agency.on(START + timedelta(days=1)).sync("google_ads", settings).failures == ()
    windows = {}
    for report, account, since, until in agency.loads("report, account_id, since, until"):
        assert account == first
        windows.setdefault(report.partition("__")[2], []).append((until - since).days + 1)
    assert windows == {"account_daily": [400, 32], "device_daily": [35, 32], "ad_groups": [1, 1]}


def test_a_report_that_does_not_exist_is_named_before_anything_is_pulled(agency: Any) -> None:
    with pytest.raises(ConfigurationError, match="device_daily"):
        agency.sync("google_ads", {"reports": "devise_daily"})
