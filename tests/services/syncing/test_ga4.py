"""GA4 into committed slices: restated, emptied and vanished rows, a lost property, and what the marts are held against."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.patience import Patience
from domain.errors import PermissionDenied, RateLimited
from domain.windows import DateWindow
from home.directory import Home
from services.integrations import IntegrationAccess
from services.outcomes import SyncResult
from services.reconciling import reconcile
from services.syncing import sync_integration
from store.files import open_landing
from warehouse.client import Warehouse
from warehouse.reconciliation import SessionDay

START = date(2026, 3, 10)
RESTATED, ZEROED, VANISHED = START - timedelta(days=1), START - timedelta(days=2), START - timedelta(days=3)
PROPERTIES = ("601", "602")
HEADER = [
    *("platform", "account_id", "account_name", "currency", "timezone", "date", "source", "medium", "campaign", "sessions", "users", "conversions"),
    *("conversions_value", "as_of"),
]
Fact = tuple[date, str, int, Decimal, Decimal]


def _facts() -> Iterator[tuple[date, Fact]]:
    """Nine days as known on each day, and three that later become other, nothing, and less."""
    for back in range(9):
        day = START - timedelta(days=back)
        yield day, (day, "google", 100, Decimal("2.5"), Decimal("99.90"))
        yield day, (day, "bing", 10, Decimal(1), Decimal(20))
    yield RESTATED + timedelta(days=2), (RESTATED, "google", 140, Decimal("4.25"), Decimal("170.01"))
    yield RESTATED + timedelta(days=2), (RESTATED, "bing", 10, Decimal(1), Decimal(20))
    yield ZEROED + timedelta(days=3), (ZEROED, "google", 0, Decimal(0), Decimal(0))
    yield VANISHED + timedelta(days=4), (VANISHED, "bing", 10, Decimal(1), Decimal(20))


def truth(today: date) -> list[Fact]:
    """What the platform answers on a day of its clock; rows of zeros alone are left out."""
    known = [(as_of, fact) for as_of, fact in _facts() if as_of <= today]
    newest = {fact[0]: max(as_of for as_of, other in known if other[0] == fact[0]) for _, fact in known}
    return sorted(fact for as_of, fact in known if as_of == newest[fact[0]] and fact[2])


@pytest.fixture(scope="module")
def site(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two properties with the same facts; the clock stands at START."""
    path: Path = tmp_path_factory.mktemp("analytics") / "analytics.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for account in PROPERTIES:
            for as_of, (day, source, sessions, conversions, value) in _facts():
                names = ("ga4", account, f"Site {account}", "EUR", "Europe/Berlin", day, source, "cpc", "C")
                writer.writerow([*names, sessions, sessions, conversions, value, as_of])
    return start_sandbox(START, path)


@dataclass
class Web:
    """Pulls the properties into the warehouse on days of its own choosing."""

    name: str
    home: Home
    warehouse: Warehouse
    site: Any
    slept: list[float] = field(default_factory=list)

    @property
    def access(self) -> IntegrationAccess:
        return IntegrationAccess("ga4-1", self.name, "ga4", {"access_token": "sandbox"}, self.site.settings("ga4"))

    def on(self, today: date) -> "Web":
        self.site.move(today)
        self.home.remember(today=today.isoformat(), pinned_at=datetime.now(UTC).isoformat())
        return self

    def sync(self) -> SyncResult:
        patience = Patience(self.slept.append, attempts=3, budget=30)
        since = START - timedelta(days=20)
        return sync_integration(self.access, self.warehouse, open_landing(self.home), self.home.clock, home=self.home, patience=patience, history_since=since)

    def stored(self, account: str = "601", as_of: date = date(2099, 1, 1)) -> list[Fact]:
        """Read the traffic rows that count."""
        view = f"raw.raw_ga4__traffic_daily__as_of(organization_id='{self.name}', since='2000-01-01', until='2099-12-31', as_of='{as_of} 23:59:59')"
        columns = "date, sessionSource, sessions, keyEvents, totalRevenue"
        with self.warehouse.client() as client:
            return sorted(client.query(f"SELECT {columns} FROM {view} WHERE _account_id = '{account}'").result_rows)


@pytest.fixture
def web(home: Home, clickhouse: Warehouse, site: Any, request: pytest.FixtureRequest) -> Iterator[Web]:
    made = Web(f"org-{abs(hash(request.node.nodeid))}", home, clickhouse, site)
    yield made.on(START)
    site.control("faults", method="DELETE")
    site.control("limits", method="DELETE")


def test_day_after_day_the_tables_equal_the_platforms_answer_and_as_of_gives_every_earlier_one(web: Web) -> None:
    assert web.sync().failures == ()
    assert web.stored() == web.stored("602") == truth(START)
    assert (web.sync().dates_changed, web.stored()) == (0, truth(START))
    later = START + timedelta(days=1)
    assert {f[0] for f in truth(START)} - {f[0] for f in truth(later)} == {ZEROED}
    assert web.on(later).sync().failures == ()
    assert web.stored() == web.stored("602") == truth(later)
    assert (web.stored(as_of=START), web.stored(as_of=later)) == (truth(START), truth(later))


def test_a_lost_property_is_named_with_its_fix_and_the_other_is_complete(web: Web) -> None:
    web.site.fault("ga4", "lost_account", account_id="602", times=None)
    result = web.sync()
    (failure,) = result.failures
    assert isinstance(failure, PermissionDenied)
    assert "ga4 account 602" in str(failure)
    assert "Viewer" in failure.fix
    assert web.stored() == truth(START)
    assert web.stored("602") == []


def test_a_used_up_quota_leaves_the_property_with_what_was_complete_and_a_rerun_gives_the_rest(web: Web) -> None:
    web.site.fault("ga4", "throttle", account_id="601", endpoint="runReport", skip=1)
    (failure,) = web.sync().failures
    assert isinstance(failure, RateLimited)
    assert failure.retry_after == 3600
    assert web.slept == []
    assert web.stored() == []
    assert web.stored("602") == truth(START)
    assert web.sync().failures == ()
    assert web.stored() == truth(START)


def totals(change: int = 0) -> Callable[[DateWindow], list[SessionDay]]:
    """Totals as the mart would give them, one day of one property off by `change` sessions."""

    def read(window: DateWindow) -> list[SessionDay]:
        days: dict[date, list[Fact]] = {}
        for fact in truth(START):
            days.setdefault(fact[0], []).append(fact)
        return [
            SessionDay(
                account, day, sum(f[2] for f in facts) + (change if (account, day) == ("601", START) else 0), *(sum(f[i] for f in facts) for i in (3, 4))
            )
            for account in PROPERTIES
            for day, facts in days.items()
        ]

    return read


def test_sessions_are_held_against_the_property_without_a_breakdown(web: Web) -> None:
    zero = dict.fromkeys(("sessions", "conversions", "conversions_value"), Decimal(0))
    equal = reconcile(web.access, web.warehouse, web.home.clock, totals=totals())
    assert (equal.reconciled, equal.rounding, equal.accounts, equal.data_through) == (zero, zero, 2, START)
    apart = reconcile(web.access, web.warehouse, web.home.clock, totals=totals(change=-7))
    assert apart.reconciled == {**zero, "sessions": Decimal(7)}
    assert [(d.account_id, d.date, d.measure, d.delivered - d.stored) for d in apart.differences] == [("601", START, "sessions", Decimal(7))]
