"""A ClickHouse of the ledger's own, emptied before each test, and a small report to pull into it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level
from domain.windows import DateWindow
from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.ledger import Commit, Ledger, Load, LoadKey
from warehouse.raw import create_raw_tables

DAY = date(2024, 3, 1)
NOON = datetime(2024, 4, 1, 12, tzinfo=UTC)
ADS = Report(
    platform="meta_ads",
    name="ad_daily",
    level=Level.AD,
    source="insights",
    columns=(
        Column("day", ColumnType.DATE, "Date"),
        Column("ad_id", ColumnType.STRING, "Ad"),
        Column("ad_name", ColumnType.STRING, "Name; it's the platform's", nullable=True),
        Column("clicks", ColumnType.INTEGER, "Clicks"),
        Column("spend", ColumnType.DECIMAL, "Spend", nullable=True),
        Column("live", ColumnType.BOOLEAN, "Live"),
    ),
    key=("day", "ad_id"),
    date_column="day",
    lookback_days=7,
    doc="Ads by day",
)
ACCOUNTS = Report(
    platform="meta_ads",
    name="accounts",
    level=Level.ACCOUNT,
    source="account",
    columns=(Column("id", ColumnType.STRING, "Account"), Column("name", ColumnType.STRING, "Name")),
    key=("id",),
    date_column="",
    lookback_days=0,
    doc="Accounts",
)
Row = tuple[date, str, str | None, int, Decimal | None, bool]


@dataclass
class Agency:
    """Pulls rows into a ledger as a connector would, and reads back what counts."""

    warehouse: Warehouse
    home: Home
    ledger: Ledger
    key: LoadKey = field(default_factory=lambda: LoadKey("org", "int", "acc"))
    report: Report = ADS

    def table(self, rows: Sequence[Row]) -> pa.Table:
        """Make an Arrow page of rows."""
        columns = list(zip(*rows, strict=True)) if rows else [[] for _ in self.report.columns]
        return pa.table([pa.array(values, column.type.arrow) for values, column in zip(columns, self.report.columns, strict=True)], schema=self.report.schema)

    def open(
        self, since: date = DAY, until: date | None = None, observed_at: datetime = NOON, ledger: Ledger | None = None, timezone: str = "Europe/Moscow"
    ) -> Load:
        """Open a load of the window."""
        return (ledger or self.ledger).open(self.key, self.report, DateWindow(since, until or since), observed_at, timezone=timezone)

    def pull(
        self, rows: Sequence[Row], since: date = DAY, until: date | None = None, observed_at: datetime = NOON, pages: int = 1, ledger: Ledger | None = None
    ) -> Commit:
        """Pull and commit rows in so many pages."""
        with self.open(since, until, observed_at, ledger) as load:
            size = max(1, -(-len(rows) // pages))
            for start in range(0, len(rows), size):
                load.write(self.table(rows[start : start + size]))
            return load.commit(f"Total rows: {len(rows)}")

    def empty(self) -> None:
        """Empty the ledger."""
        with self.warehouse.client() as client:
            tables = client.query(
                "SELECT concat(database, '.', name) FROM system.tables WHERE database IN ('raw', 'marts') AND engine = 'MergeTree' AND total_rows > 0"
            )
            for (name,) in tables.result_rows:
                client.command(f"TRUNCATE TABLE {name}")

    def current(self, as_of: datetime | None = None) -> list[Row]:
        """Read the rows of the slices that win now, or won by then, sorted."""
        names = ", ".join(column.name for column in self.report.columns)
        known_by = as_of.strftime("%Y-%m-%d %H:%M:%S.%f") if as_of else "2100-01-01 00:00:00"
        parameters = {"as_of": known_by, "organization_id": self.key.organization_id, "since": "2000-01-01", "until": "2100-01-01"}
        arguments = "as_of = {as_of:DateTime64(6, 'UTC')}, organization_id = {organization_id:String}, since = {since:Date}, until = {until:Date}"
        return sorted(tuple(row) for row in self.rows(f"SELECT {names} FROM raw.{self.report.table}__as_of({arguments})", parameters))

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        """Run a SELECT."""
        with self.warehouse.client() as client:
            return [tuple(row) for row in client.query(sql, parameters=dict(parameters or {})).result_rows]

    def count(self, sql: str) -> int:
        """Run a SELECT of one number."""
        return int(str(self.rows(sql)[0][0]))

    def command(self, sql: str) -> None:
        """Run a statement."""
        with self.warehouse.client() as client:
            client.command(sql)


@pytest.fixture(scope="session")
def ledger_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home of the ledger tests' server."""
    directory: Path = tmp_path_factory.mktemp("ledger")
    return Home.open(directory / "home")


@pytest.fixture(scope="session")
def ledger_warehouse(ledger_home: Home) -> Iterator[Warehouse]:
    """A server whose ledger may be emptied without disturbing other rooms' tests."""
    with Warehouse.open(ledger_home, WarehouseSettings(clickhouse_url=None)) as opened:
        yield opened
    Warehouse.stop(ledger_home)


@pytest.fixture
def agency(ledger_warehouse: Warehouse, home: Home) -> Agency:
    """An agency with an empty ledger and a home of its own."""
    with ledger_warehouse.client() as client:
        create_raw_tables(client, [ADS, ACCOUNTS])
    agency = Agency(ledger_warehouse, home, Ledger(ledger_warehouse, home))
    agency.empty()
    return agency


@pytest.fixture
def ad() -> Callable[..., Row]:
    """Make one row: `ad(0, "a", 5)` is ad a on the first day with 5 clicks and 5.50 spent."""

    def make(day: int, ad_id: str, clicks: int, name: str | None = "Объявление", spend: str | None = None) -> Row:
        return (DAY + timedelta(days=day), ad_id, name, clicks, Decimal(spend if spend is not None else f"{clicks}.500000"), True)

    return make


@pytest.fixture
def day() -> Callable[[int], date]:
    """Name a date by its number after the first."""
    return lambda number: DAY + timedelta(days=number)


@pytest.fixture
def reports() -> tuple[Report, Report]:
    """The daily report and the snapshot."""
    return ADS, ACCOUNTS
