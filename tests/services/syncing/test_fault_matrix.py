"""Every platform meets every kind of scripted fault: it waits, fails in the documented way or pulls in parts, and a rerun gives the truth."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.errors import AuthorizationExpired, MrmError, PermissionDenied, RateLimited, TransientFailure, VersionSunset

START = date(2026, 3, 10)
ACCOUNTS = {
    "google_ads": ("3000000001", "3000000002"),
    "meta_ads": ("4001", "4002"),
    "yandex_direct": ("agency-one", "agency-two"),
    "ga4": ("601", "602"),
    "yandex_metrica": ("71530264", "71530299"),
}
ADS = tuple(ACCOUNTS)[:3]
REPORTS = {**dict.fromkeys(ADS, "ad_daily"), "ga4": "traffic_daily", "yandex_metrica": "traffic_daily"}
LOGGED = ("report_failed", "report_skipped", "report_slow", "report_gone", "too_large")
"""What happens to Metrica's logs alone."""
TRUTH = {
    "google_ads": ("raw_google_ads__ad_daily", "sum(metrics_impressions)"),
    "meta_ads": ("raw_meta_ads__ad_daily", "sum(impressions)"),
    "yandex_direct": ("raw_yandex_direct__ad_daily", "sum(Impressions)"),
    "ga4": ("raw_ga4__traffic_daily", "sum(sessions)"),
    "yandex_metrica": ("raw_yandex_metrica__traffic_daily", "sumIf(visits, empty(ifNull(goal_id, '')))"),
}
WHOLE = 100 + 101 + 102 + 103
"""What each account has in all, in the measure above."""


@dataclass(frozen=True)
class Case:
    """What a fault is ordered with, and what comes of it: no failure, or that error; `waits` are at least that many seconds."""

    kind: str
    platforms: tuple[str, ...]
    order: dict[str, Any]
    error: type[MrmError] | None = None
    waits: float = 0
    estimate: bool = False
    """The pull ends well with the platform's own estimate, flagged as such."""

    def __str__(self) -> str:
        return "-".join([self.kind, "once" if self.order.get("times", 1) else "always", *(str(self.order[k]) for k in ("polls",) if k in self.order)])


ALL = tuple(ACCOUNTS)
ONCE: dict[str, Any] = {"times": 1}
ALWAYS: dict[str, Any] = {"times": None}
CASES = (
    Case("throttle", ("google_ads", "yandex_direct", "yandex_metrica"), {**ONCE, "seconds": 2}, waits=1),
    Case("throttle", ("meta_ads",), {**ONCE, "seconds": 2}, RateLimited),  # Meta hints in whole minutes: longer than this pull waits
    Case("throttle", ALL, {**ALWAYS, "seconds": 900}, RateLimited),
    Case("server_error", ALL, ONCE, waits=0.1),
    Case("server_error", ALL, ALWAYS, TransientFailure),
    Case("stall", ALL, {**ONCE, "seconds": 0.3}),
    Case("truncated_body", ALL, ONCE),
    Case("broken_stream", ALL, {**ONCE, "after_rows": 2}),
    Case("expired_token", ALL, ALWAYS, AuthorizationExpired),
    Case("lost_account", ALL, ALWAYS, PermissionDenied),
    Case("version_sunset", ALL, ALWAYS, VersionSunset),
    Case("report_failed", ("meta_ads", "yandex_direct", "yandex_metrica"), ONCE),
    Case("report_skipped", ("meta_ads", "yandex_direct", "yandex_metrica"), ONCE),
    Case("report_gone", ("meta_ads", "yandex_direct", "yandex_metrica"), ONCE),
    Case("report_gone", ("meta_ads",), {**ONCE, "polls": 4}),  # completed, and gone before its first page
    Case("report_slow", ("meta_ads", "yandex_direct", "yandex_metrica"), {**ONCE, "polls": 3}),
    Case("too_large", ("meta_ads", "yandex_direct", "yandex_metrica"), ONCE),
    Case("sampled", ("ga4",), ONCE),  # asked again in shorter windows
    Case("sampled", ("yandex_metrica",), ONCE, estimate=True),
    Case("thresholded", ("ga4",), ONCE),
    Case("other_row", ("ga4",), ONCE),
)


@pytest.fixture(scope="module")
def world(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two accounts of each platform with the same four days."""
    place: Path = tmp_path_factory.mktemp("faults")
    days = [(START - timedelta(days=back), 100 + back) for back in range(4)]
    with (place / "ads.csv").open("w", newline="") as file:
        columns = "platform,account_id,account_name,currency,timezone,campaign_id,campaign_name,ad_group_id,ad_group_name,ad_id,ad_name,date"
        columns += ",impressions,clicks,spend,conversions,conversions_value"
        rows = [
            [p, a, "Shop", "EUR", "Europe/Moscow", "101", "C", "201", "G", "301", "A", d, n, 1, "1.01", 0, 0] for p in ADS for a in ACCOUNTS[p] for d, n in days
        ]
        csv.writer(file).writerows([columns.split(","), *rows])
    with (place / "web.csv").open("w", newline="") as file:
        columns = "platform,account_id,account_name,currency,timezone,date,source,medium,campaign,sessions,users,conversions,conversions_value"
        rows = [[p, a, "Site", "EUR", "Europe/Moscow", d, "google", "cpc", "C", n, n, 0, 0] for p in ALL[3:] for a in ACCOUNTS[p] for d, n in days]
        csv.writer(file).writerows([columns.split(","), *rows])
    with (place / "visits.csv").open("w", newline="") as file:
        visits = [[a, str(index), "9", f"{d} 10:00:00", "google", "cpc", "C", "", "0"] for a in ACCOUNTS["yandex_metrica"] for index, (d, _) in enumerate(days)]
        csv.writer(file).writerows([["account_id", "visit_id", "client_id", "date_time", "source", "medium", "campaign", "goals", "revenue"], *visits])
    return start_sandbox(START, place / "ads.csv", place / "web.csv", place / "visits.csv")


class Sleeps(list[float]):
    """Seconds that nobody slept: the platforms' limits of requests pass with them, as they would have."""

    def __init__(self, world: Any) -> None:
        super().__init__()
        self._world = world

    def append(self, seconds: float) -> None:
        super().append(seconds)
        self._world.control("limits", method="DELETE")


@pytest.fixture
def client(agency: Any, world: Any) -> Iterator[Any]:
    """An agency without data; faults and used-up limits go with it."""
    world.control("limits", method="DELETE")
    yield replace(agency, sandbox=world, slept=Sleeps(world)).on(START)
    world.control("faults", method="DELETE")


def whole(client: Any, platform: str, account: str) -> bool:
    table, total = TRUTH[platform]
    return bool(client.stored(table, total, account) == [(WHOLE,)])


@pytest.mark.parametrize(("case", "platform"), [pytest.param(c, p, id=f"{p}-{c}") for c in CASES for p in c.platforms])
def test_a_fault_ends_as_documented_the_other_account_is_complete_and_a_rerun_gives_the_truth(client: Any, case: Case, platform: str) -> None:
    hit, other = ACCOUNTS[platform]
    of_all = case.kind in ("expired_token", "version_sunset")
    client.sandbox.fault(platform, case.kind, **({} if of_all else {"account_id": hit}), **case.order)
    logs = ", visits" if platform == "yandex_metrica" and case.kind in LOGGED else ""
    asked = {"settings": {"reports": REPORTS[platform] + logs}, "history_since": START - timedelta(days=9)}
    try:
        failures = client.sync(platform, **asked).failures
    except MrmError as error:  # what makes the whole integration impossible
        assert of_all
        failures = (error,)
    if case.error is None:
        assert failures == ()
        assert whole(client, platform, hit) is not case.estimate
        assert not case.estimate or client.stored(TRUTH[platform][0], "countIf(sampled)", hit) != [(0,)]
    else:
        assert {type(f) for f in failures} == {case.error}
        assert all(platform in str(f) and f.fix for f in failures)
        assert of_all or all(hit in str(f) for f in failures)
    assert sum(client.slept) >= case.waits
    assert whole(client, platform, other) is not of_all
    client.sandbox.control("faults", method="DELETE")
    client.sandbox.control("limits", method="DELETE")
    assert client.sync(platform, **asked).failures == ()
    assert whole(client, platform, hit)
    assert whole(client, platform, other)
