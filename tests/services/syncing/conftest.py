"""A real ClickHouse, a sandbox with restatement, and an agency that pulls from it."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.patience import Patience
from domain.landing import Landing
from home.directory import Home
from services.integrations import IntegrationAccess
from services.outcomes import ProgressEvent, SyncResult
from services.syncing import sync_integration
from store.files import open_landing
from warehouse.client import Warehouse, WarehouseSettings

START = date(2026, 3, 10)
RESTATED, ZEROED, VANISHED = date(2026, 3, 5), date(2026, 3, 6), date(2026, 3, 7)
ZONES = {"google_ads": "Europe/Berlin", "meta_ads": "America/New_York", "yandex_direct": "Europe/Moscow"}
ACCOUNTS = {
    "google_ads": ("3000000001", "3000000002"),
    "meta_ads": ("4001", "4002"),
    "yandex_direct": ("agency-one", "agency-two"),
}
CREDENTIALS = {
    "google_ads": {"developer_token": "d" * 22, "access_token": "sandbox-secret-token"},
    "meta_ads": {"access_token": "sandbox-secret-token"},
    "yandex_direct": {"token": "sandbox-secret-token"},
    "ga4": {"access_token": "sandbox-secret-token"},
    "yandex_metrica": {"token": "sandbox-secret-token"},
}
HEADER = [
    *("platform", "account_id", "account_name", "currency", "timezone", "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name"),
    *("date", "impressions", "clicks", "spend", "conversions", "conversions_value", "as_of"),
]


@dataclass(frozen=True)
class Line:
    """One row of the dataset, as of a day."""

    platform: str
    account_id: str
    campaign: str
    ad: str
    day: date
    as_of: date
    impressions: int
    clicks: int
    spend: str
    conversions: str

    @property
    def cells(self) -> list[Any]:
        entity = [f"10{self.campaign}", f"Campaign {self.campaign}", *([f"20{self.campaign}", "Group", f"30{self.ad}", "Ad"] if self.ad else [""] * 4)]
        numbers = [self.impressions, self.clicks, self.spend, self.conversions, "0"]
        return [self.platform, self.account_id, f"{self.platform} {self.account_id}", "EUR", ZONES[self.platform], *entity, self.day, *numbers, self.as_of]


def lines() -> Iterator[Line]:
    """Ten days, then: conversions restated on day 21 and clicks lowered on day 10, a day restated to zero, a campaign that vanishes."""
    for platform, accounts in ACCOUNTS.items():
        for account in accounts:
            for back in range(10):
                day = START - timedelta(days=back)
                yield Line(platform, account, "1", "1", day, day, 1000, 100, "10.01", "100")
                yield Line(platform, account, "2", "2", day, day, 500, 50, "5.05", "7")
                yield Line(platform, account, "3", "", day, day, 70, 7, "0.70", "1")
            for as_of, clicks, conversions in ((RESTATED + timedelta(days=10), 93, "100"), (RESTATED + timedelta(days=21), 93, "140")):
                yield Line(platform, account, "1", "1", RESTATED, as_of, 1000, clicks, "10.01", conversions)
                yield Line(platform, account, "2", "2", RESTATED, as_of, 500, 50, "5.05", "7")
                yield Line(platform, account, "3", "", RESTATED, as_of, 70, 7, "0.70", "1")
            yield Line(platform, account, "1", "1", ZEROED, ZEROED + timedelta(days=6), 0, 0, "0", "0")
            yield Line(platform, account, "1", "1", VANISHED, VANISHED + timedelta(days=4), 1000, 100, "10.01", "100")


def truth(platform: str, account: str, today: date) -> dict[tuple[date, str, str], tuple[int, int, Decimal, Decimal]]:
    """What the platform answers on a day of its clock, at the grain of the dataset; rows of zeros alone are left out."""
    mine = [line for line in lines() if (line.platform, line.account_id) == (platform, account) and line.as_of <= today]
    newest = {day: max(line.as_of for line in mine if line.day == day) for day in {line.day for line in mine}}
    return {
        (line.day, line.campaign, line.ad): (line.impressions, line.clicks, Decimal(line.spend), Decimal(line.conversions))
        for line in mine
        if line.as_of == newest[line.day] and line.impressions
    }


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The embedded ClickHouse of the sync tests; each test has an organization of its own in it."""
    home = Home.open(tmp_path_factory.mktemp("clickhouse") / "home")
    with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as opened:
        yield opened
    Warehouse.stop(home)


@pytest.fixture(scope="session")
def platforms(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sandbox of the sync tests."""
    path: Path = tmp_path_factory.mktemp("restated") / "ads.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *(line.cells for line in lines())])
    return start_sandbox(START, path)


@dataclass
class Agency:
    """Pulls the sandbox into the warehouse on days of its own choosing."""

    name: str
    home: Home
    warehouse: Warehouse
    landing: Landing
    sandbox: Any
    events: list[ProgressEvent] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def access(self, platform: str, **settings: str) -> IntegrationAccess:
        """Name the core reports alone, unless the settings say otherwise: every load costs the tests time."""
        core = {} if platform in ("ga4", "yandex_metrica") else {"reports": "accounts, account_daily, campaign_daily, ad_daily"}
        own = {**self.sandbox.settings(platform), **core, **settings}
        return IntegrationAccess(f"{platform}-1", self.name, platform, CREDENTIALS[platform], own)

    def on(self, today: date) -> "Agency":
        """Set the platforms' clock and the home's."""
        self.sandbox.move(today)
        self.home.remember(today=today.isoformat(), pinned_at=datetime.now(UTC).isoformat())
        return self

    def sync(self, platform: str, settings: dict[str, str] | None = None, **asked: Any) -> SyncResult:
        return self.pull(self.access(platform, **(settings or {})), **asked)

    def pull(self, access: IntegrationAccess, **asked: Any) -> SyncResult:
        patience = Patience(sleep=self.slept.append, budget=30)
        return sync_integration(access, self.warehouse, self.landing, self.home.clock, home=self.home, progress=self.events.append, patience=patience, **asked)

    def stored(self, table: str, columns: str, account: str, as_of: str = "2099-01-01") -> list[tuple[Any, ...]]:
        """Read the rows that count, through the ledger's own view."""
        view = f"raw.{table}__as_of(organization_id='{self.name}', since='2000-01-01', until='2099-12-31', as_of='{as_of}')"
        with self.warehouse.client() as client:
            return client.query(f"SELECT {columns} FROM {view} WHERE _account_id = '{account}' ORDER BY ALL").result_rows

    def loads(self, columns: str) -> list[tuple[Any, ...]]:
        with self.warehouse.client() as client:
            return client.query(f"SELECT {columns} FROM raw.loads WHERE organization_id = '{self.name}' ORDER BY load_id").result_rows


@pytest.fixture
def agency(home: Home, clickhouse: Warehouse, platforms: Any, request: pytest.FixtureRequest) -> Iterator[Agency]:
    """An agency without data; faults that a test leaves go with it."""
    made = Agency(f"org-{abs(hash(request.node.nodeid))}", home, clickhouse, open_landing(home), platforms)
    yield made.on(START)
    platforms.control("faults", method="DELETE")


@pytest.fixture
def told() -> Callable[[str, str, date], Any]:
    """What a platform answers on a day: see `truth`."""
    return truth


@pytest.fixture
def accounts_of() -> dict[str, tuple[str, ...]]:
    """The accounts of each platform."""
    return ACCOUNTS
