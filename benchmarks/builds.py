"""Show that a one-day load's build reads rows with the months that changed, not with the history behind them.

Loads the same account over 1x and 10x of history, builds, restates one day, builds again, and counts the rows that the engine
read for dbt's statements in that second build (system.query_log). Prints one JSON line; figures are counts, not times.

Use: python benchmarks/builds.py [--days 60] [--ads 50]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.fx.reports import REPORTS as RATES
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
ACCOUNTS = 4


def main() -> None:
    """Measure both histories and print the ratio of rows read to the ratio of rows held."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=60, help="days of the 1x history")
    options.add_argument("--ads", type=int, default=50, help="ads per account")
    given = options.parse_args()
    once, tenfold = (measured(given.days * factor, given.ads) for factor in (1, 10))
    ratio = round(tenfold["rows_read"] / once["rows_read"], 2)
    print(json.dumps({"1x": once, "10x": tenfold, "rows_read_ratio": ratio, "history_ratio": round(tenfold["fact_rows"] / once["fact_rows"], 2)}))


def measured(days: int, ads: int) -> dict[str, int]:
    """Return rows in the fact and rows read by the build of one restated day, over a history of so many days."""
    with tempfile.TemporaryDirectory() as directory:
        home = Home.open(Path(directory) / "home")
        with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
            with warehouse.client() as client:
                create_raw_tables(client, [*(r for reports in REPORTS.values() for r in reports), *RATES, *STORE_REPORTS])
            load(home, warehouse, UNTIL - timedelta(days=days - 1), ads, cents=100, at=datetime(2025, 6, 1, tzinfo=UTC))
            build(home, warehouse)
            load(home, warehouse, UNTIL, ads, cents=101, at=datetime(2025, 6, 2, tzinfo=UTC))
            before = now(warehouse)
            build(home, warehouse)
            with warehouse.client() as client:
                client.command("SYSTEM FLUSH LOGS")
                read = client.query(
                    """SELECT sum(read_rows) FROM system.query_log
                    WHERE type = 'QueryFinish' AND query LIKE '%"app": "dbt"%' AND query NOT LIKE '%system.%'
                        AND event_time_microseconds >= {before:DateTime64(6)}""",
                    parameters={"before": before},
                ).result_rows[0][0]
                held = client.query("SELECT count() FROM marts.fct_ad_performance_daily").result_rows[0][0]
        Warehouse.stop(home)
    return {"fact_rows": int(held), "rows_read": int(read)}


def load(home: Home, warehouse: Warehouse, since: date, ads: int, *, cents: int, at: datetime) -> None:
    """Commit account, campaign and ad level from a date on."""
    ledger = Ledger(warehouse, home)
    days = [since + timedelta(days=n) for n in range((UNTIL - since).days + 1)]
    for number in range(ACCOUNTS):
        account = f"account-{number}"
        snapshot = {"id": account, "descriptive_name": account, "currency_code": "EUR", "time_zone": "UTC"}
        put(ledger, account, "accounts", [snapshot], DateWindow(at.date(), at.date()), at)
        for name, parts in (("account_daily", 1), ("campaign_daily", 1), ("ad_daily", ads)):
            rows = [row(day, part, cents * ads // parts) for day in days for part in range(parts)]
            put(ledger, account, name, rows, DateWindow(since, UNTIL), at)


def row(day: date, part: int, cents: int) -> dict[str, Any]:
    """Return one row with the columns of every level."""
    return {
        "segments_date": day,
        "customer_currency_code": "EUR",
        "campaign_id": "c",
        "campaign_name": "Campaign",
        "ad_group_id": "g",
        "ad_group_ad_ad_id": str(part),
        "metrics_impressions": 100,
        "metrics_clicks": 3,
        "metrics_cost_micros": cents * 10_000,
        "metrics_conversions": Decimal(1),
    }


def put(ledger: Ledger, account: str, name: str, rows: list[dict[str, Any]], window: DateWindow, at: datetime) -> None:
    """Commit one load; columns that a row lacks are empty."""
    report = GOOGLE[name]
    empty = {"string": "", "integer": 0, "decimal": Decimal(0), "boolean": False, "date": None}
    table = pa.table({c.name: pa.array([r.get(c.name, empty[c.type]) for r in rows], c.type.arrow) for c in report.columns}, report.schema)
    with ledger.open(LoadKey("org", "integration", account), report, window, at, timezone="UTC") as opened:
        opened.write(table)
        opened.commit(f"{len(rows)} rows")


def build(home: Home, warehouse: Warehouse) -> None:
    """Plan, run dbt, publish."""
    builds = Builds(warehouse, home)
    plan = builds.plan()
    assert plan is not None
    target = home.directory("dbt") / "target"
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "build",
        "--project-dir",
        str(DBT),
        "--profiles-dir",
        str(DBT),
        "--target-path",
        str(target),
        "--quiet",
    ]
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
