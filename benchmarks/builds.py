"""Show that a one-day load's build reads rows with the partitions that changed, not with the history behind them.

Loads some months of ads at so many rows a month, builds everything (month by month, as the project does), restates the last day of
one organization, builds again, and counts the rows that the engine read in both builds (system.query_log): for dbt's statements and
for the planning before and the publishing after them, the tables of `system` left out. Then the same over five times the history.
Prints one JSON line; rows are what counts, wall times and the planning's share of the rows stand beside.

Use: python benchmarks/builds.py [--months 24] [--rows 200000] [--times 5]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from connectors.fx.reports import REPORTS as RATES
from connectors.imports.reports import REPORTS as IMPORTED
from connectors.registry import REPORTS
from domain.windows import DateWindow
from home.directory import Home
from services.exporting import STORE_REPORTS
from warehouse.builds import Builds
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.ledger import Ledger, LoadKey
from warehouse.raw import create_raw_tables

DBT = Path(__file__).resolve().parents[1] / "dbt"
UNTIL = date(2025, 5, 31)
GOOGLE = {report.name: report for report in REPORTS["google_ads"]}
ORGANIZATIONS = 4


def main() -> None:
    """Measure the history and a longer one, and print both ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--months", type=int, default=24, help="months of the history")
    options.add_argument("--rows", type=int, default=200_000, help="ad rows a month over all organizations")
    options.add_argument("--times", type=int, default=5, help="how many times longer the second history is; 1: none")
    given = options.parse_args()
    once = measured(given.months, given.rows)
    answer = {"1x": once, "one_day_of_full": round(once["day_rows_read"] / once["full_rows_read"], 4), "goal": "at most 0.10"}
    if given.times > 1:
        longer = measured(given.months * given.times, given.rows)
        growth = round(longer["day_rows_read"] / once["day_rows_read"], 3)
        answer |= {f"{given.times}x": longer, "growth_of_one_day": growth, "growth_goal": "at most 1.2"}
    print(json.dumps(answer))


def measured(months: int, rows: int) -> dict[str, float]:
    """Return rows read and seconds of the full build over so many months, and of the build after one restated day."""
    since = (UNTIL.replace(day=1) - timedelta(days=30 * (months - 1))).replace(day=1)
    ads = max(1, rows // 30 // ORGANIZATIONS)
    with tempfile.TemporaryDirectory() as directory:
        home = Home.open(Path(directory) / "home")
        with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
            with warehouse.client() as client:
                create_raw_tables(client, [*(r for reports in REPORTS.values() for r in reports), *RATES, *STORE_REPORTS, *IMPORTED])
            for organization in range(ORGANIZATIONS):
                load(home, warehouse, f"org-{organization}", since, ads, cents=100, at=datetime(2025, 6, 1, tzinfo=UTC))
            full_read, full_planning, full_seconds = built(home, warehouse)
            load(home, warehouse, "org-0", UNTIL, ads, cents=101, at=datetime(2025, 6, 2, tzinfo=UTC))
            day_read, day_planning, day_seconds = built(home, warehouse)
            with warehouse.client() as client:
                held = int(client.query("SELECT count() FROM marts.fct_ad_performance_daily").result_rows[0][0])
        Warehouse.stop(home)
    return {
        "fact_rows": held,
        "full_rows_read": full_read,
        "full_planning_rows": full_planning,
        "day_rows_read": day_read,
        "day_planning_rows": day_planning,
        "full_seconds": full_seconds,
        "day_seconds": day_seconds,
    }


def built(home: Home, warehouse: Warehouse) -> tuple[int, int, float]:
    """Build, and return the rows that the engine read for it, how many of them outside of dbt, and its seconds."""
    before, started = now(warehouse), time.monotonic()
    build(home, warehouse)
    seconds = round(time.monotonic() - started, 1)
    with warehouse.client() as client:
        client.command("SYSTEM FLUSH LOGS")
        read, planning = client.query(
            """SELECT sum(read_rows), sumIf(read_rows, query NOT LIKE '%"app": "dbt"%') FROM system.query_log
            WHERE type = 'QueryFinish' AND query NOT LIKE '%system.%' AND event_time_microseconds >= {before:DateTime64(6)}""",
            parameters={"before": before},
        ).result_rows[0]
    return int(read), int(planning), seconds


def load(home: Home, warehouse: Warehouse, organization: str, since: date, ads: int, *, cents: int, at: datetime) -> None:
    """Commit account, campaign and ad level from a date on, a month a load."""
    ledger = Ledger(warehouse, home)
    key = LoadKey(organization, f"{organization}-google", "account")
    snapshot = pa.table({"id": ["account"], "descriptive_name": ["Account"], "currency_code": ["EUR"], "time_zone": ["UTC"]})
    put(ledger, key, "accounts", snapshot, DateWindow(at.date(), at.date()), at)
    while since <= UNTIL:
        until = min(UNTIL, (since.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1))
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        for name, parts in (("account_daily", 1), ("campaign_daily", 1), ("ad_daily", ads)):
            put(ledger, key, name, rows_of(days, parts, cents * ads // parts), DateWindow(since, until), at)
        since = until + timedelta(days=1)


def rows_of(days: list[date], parts: int, cents: int) -> pa.Table:
    """Return one row per day and part with the columns of every level."""
    count = len(days) * parts
    return pa.table(
        {
            "segments_date": pa.array([day for day in days for _ in range(parts)], pa.date32()),
            "customer_currency_code": pa.repeat(pa.scalar("EUR"), count),
            "campaign_id": pa.repeat(pa.scalar("c"), count),
            "campaign_name": pa.repeat(pa.scalar("Campaign"), count),
            "ad_group_id": pa.repeat(pa.scalar("g"), count),
            "ad_group_ad_ad_id": pa.array([str(part) for _ in days for part in range(parts)]),
            "metrics_impressions": pa.repeat(pa.scalar(100, pa.int64()), count),
            "metrics_clicks": pa.repeat(pa.scalar(3, pa.int64()), count),
            "metrics_cost_micros": pa.repeat(pa.scalar(cents * 10_000, pa.int64()), count),
            "metrics_conversions": pa.repeat(pa.scalar(Decimal(1), pa.decimal128(18, 6)), count),
        }
    )


def put(ledger: Ledger, key: LoadKey, name: str, rows: pa.Table, window: DateWindow, at: datetime) -> None:
    """Commit one load; columns that the rows lack are empty."""
    report = GOOGLE[name]
    empty = {"string": "", "integer": 0, "decimal": Decimal(0), "boolean": False, "date": None}
    columns = {c.name: rows[c.name] if c.name in rows.column_names else pa.array([empty[c.type]] * len(rows), c.type.arrow) for c in report.columns}
    with ledger.open(key, report, window, at, timezone="UTC") as opened:
        opened.write(pa.table(columns, report.schema))
        opened.commit(f"{len(rows)} rows")


def build(home: Home, warehouse: Warehouse) -> None:
    """Plan, run dbt as the pipelines do, publish."""
    builds = Builds(warehouse, home)
    plan = builds.plan()
    assert plan is not None
    places = ["--project-dir", str(DBT), "--profiles-dir", str(DBT), "--target-path", str(home.directory("dbt") / "target"), "--quiet"]
    command = [str(Path(sys.executable).with_name("dbt")), "build", "--exclude-resource-type", "unit_test", *places]
    environment = {**os.environ, **warehouse.dbt_environment(), "DBT_LOG_PATH": str(home.directory("logs"))}
    subprocess.run([*command, *(["--full-refresh"] if plan.full else [])], env=environment, check=True)
    builds.publish(plan, models_built=0, tests_passed=0, tests_failed=0)


def now(warehouse: Warehouse) -> datetime:
    """Return the server's own time."""
    with warehouse.client() as client:
        instant: datetime = client.query("SELECT now64(6)").result_rows[0][0]
    return instant


if __name__ == "__main__":
    main()
