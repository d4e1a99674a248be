"""Loopback sandbox → committed slices for Meta's ads by day: `python benchmarks/meta_ads.py [ADS]` (500 by default, over 400 days).

Prints rows a second by the wall and by each process's processor time, since all of them share the machine with whatever else runs.
Times never gate tests.
"""

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from connectors.registry import REPORTS, connect
from domain.catalogue import Account, Connector, Report
from domain.clock import Clock, PinnedClock
from domain.windows import DateWindow
from home.directory import Home
from services.reading_ahead import read_ahead
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.ledger import Ledger, LoadKey
from warehouse.raw import create_raw_tables

TODAY = date(2026, 11, 23)
DAYS = 400
HEADER = (
    "platform,account_id,account_name,currency,timezone,campaign_id,campaign_name,ad_group_id,ad_group_name,ad_id,ad_name,"
    "date,impressions,clicks,spend,conversions,conversions_value"
)


def write_dataset(path: Path, ads: int) -> None:
    """Write one account whose ads all deliver every day; one in two has conversions."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADER.split(","))
        for back in range(DAYS):
            day = TODAY - timedelta(days=back)
            for ad in range(ads):
                place = (f"{1 + ad // 50}", f"Кампания {ad // 50}", f"{1000 + ad // 10}", f"Группа {ad // 10}", f"{10_000 + ad}", f"Объявление {ad}")
                row = ("meta_ads", "100200300", "Shop", "USD", "America/New_York", *place, day, 1000 + ad, 10 + ad % 7, f"{ad}.{back % 100:02d}")
                out.writerow((*row, ad % 2, f"{ad % 2 * 19}.90"))


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used (Linux)."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def pull(connector: Connector, ledger: Ledger, account: Account, report: Report, clock: Clock) -> int:
    """Pull the whole window into one load and commit it."""
    window = DateWindow(TODAY - timedelta(days=DAYS - 1), TODAY - timedelta(days=1))
    with ledger.open(LoadKey("org", str(time.time_ns()), account.account_id), report, window, clock.now(), timezone=account.timezone) as load:
        proof = ""
        for page in read_ahead(connector.pages(account, report, window)):
            load.write(page.rows)
            proof = page.proof
        return load.commit(proof).rows


def main() -> None:
    """Start a sandbox and a ClickHouse, pull three times, print the best."""
    with tempfile.TemporaryDirectory() as directory:
        place, state = Path(directory), Path(directory) / "state.json"
        write_dataset(place / "ads.csv", int(sys.argv[1]) if len(sys.argv) > 1 else 500)
        command = [sys.executable, "-m", "sandbox", "--dir", directory, "--state", str(state), "--today", TODAY.isoformat(), "--quiet"]
        sandbox = subprocess.Popen([*command, "--dataset", str(place / "ads.csv")])
        while not state.exists() and sandbox.poll() is None:
            time.sleep(0.01)
        endpoint = json.loads(state.read_text())["meta_ads"]["endpoint"]
        clock = PinnedClock(TODAY, datetime.now(UTC))
        home = Home.open(place / "home")
        report = next(r for r in REPORTS["meta_ads"] if r.name == "ad_daily")
        with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
            with warehouse.client() as client:
                create_raw_tables(client, [report])
            ledger = Ledger(warehouse, home)
            connector = connect("meta_ads", {"access_token": "sandbox"}, {"endpoint": endpoint}, clock)
            account = connector.accounts()[0]
            best = None
            for _ in range(3):
                wall, own, served = time.perf_counter(), time.process_time(), processor_seconds(sandbox.pid)
                rows = pull(connector, ledger, account, report, clock)
                taken = time.perf_counter() - wall, time.process_time() - own, processor_seconds(sandbox.pid) - served, rows
                best = taken if best is None or taken < best else best
            connector.close()
        Warehouse.stop(home)
        sandbox.terminate()
        sandbox.wait()
    wall, own, served, rows = best
    print(f"meta_ads ad_daily {rows:,} rows: {rows / wall:,.0f} rows/s by the wall")
    print(f"by processor time: connector and ledger {rows / own:,.0f} rows/s, sandbox {rows / served:,.0f} rows/s")
    print(f"peak memory of the pulling process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
