"""Rows per second from the sandbox on loopback to committed slices, and the memory that it takes: `python -m benchmarks.pulling google_ads --rows 200000`.

One account whose ad report has that many rows, pulled once into an embedded ClickHouse. Prints wall time, the processor time of this
process and of the sandbox, and the growth of this process's memory over the connected but idle one. Times never gate tests.
"""

import argparse
import csv
import json
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.processes import SandboxProcess, processor_seconds
from connectors.patience import Patience
from home.directory import Home
from services.integrations import IntegrationAccess
from services.syncing import sync_integration
from store.files import open_landing
from warehouse.client import Warehouse, WarehouseSettings

TODAY = date(2026, 11, 23)
DAYS = 400
COLUMNS = (
    "platform,account_id,account_name,currency,timezone,campaign_id,campaign_name,ad_group_id,ad_group_name,ad_id,ad_name,date,"
    "impressions,clicks,spend,conversions,conversions_value"
)
ACCOUNTS = {"google_ads": "1234567890", "meta_ads": "100200300", "yandex_direct": "shop-login"}
CREDENTIALS = {
    "google_ads": {"developer_token": "d" * 22, "access_token": "sandbox"},
    "meta_ads": {"access_token": "sandbox"},
    "yandex_direct": {"token": "sandbox"},
}


def dataset(platform: str, rows: int) -> Iterator[list[object]]:
    """Yield that many ad rows over 400 days, in ten campaigns of ten groups."""
    for number in range(rows):
        ad, back = divmod(number, DAYS)
        campaign, group = 1 + ad % 10, 11 + ad % 100
        names = [campaign, f"Campaign {campaign}", group, f"Group {group}", 1000 + ad, f"Ad {ad}"]
        measures = [1000 + number % 977, number % 53, f"{number % 5000}.{number % 100:02d}", number % 7, f"{number % 900}.5"]
        yield [platform, ACCOUNTS[platform], "Shop", "USD", "America/New_York", *names, TODAY - timedelta(days=back), *measures]


def peak(stop: threading.Event, found: list[int]) -> None:
    """Keep the largest resident size in bytes of this process until told to stop."""
    page = resource.getpagesize()
    while not stop.wait(0.02):
        found.append(int(Path("/proc/self/statm").read_text().split()[1]) * page)


def main() -> None:
    """Serve the dataset, pull it, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", choices=list(ACCOUNTS))
    parser.add_argument("--rows", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mrm-pulling-") as directory:
        place = Path(directory)
        with (place / "ads.csv").open("w", newline="") as file:
            file.write(COLUMNS + "\n")
            csv.writer(file).writerows(dataset(asked.platform, asked.rows))
        sandbox = SandboxProcess(place / "sandbox", [place / "ads.csv"], TODAY)
        home = Home.open(place / "home")
        home.remember(today=TODAY.isoformat(), pinned_at=datetime.now(UTC).isoformat())
        try:
            with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
                sandbox.start()
                print(json.dumps(pull(asked.platform, home, warehouse, sandbox.state)))
        finally:
            Warehouse.stop(home)
            sandbox.stop()


def pull(platform: str, home: Home, warehouse: Warehouse, state: dict[str, Any]) -> dict[str, object]:
    """Pull the account list first, so that everything is imported and connected, then the ad report under the clock."""
    given = {name: str(value) for name, value in state[platform].items()}

    def sync(reports: str) -> int:
        access = IntegrationAccess(f"{platform}-1", "org", platform, CREDENTIALS[platform], {**given, "reports": reports})
        result = sync_integration(access, warehouse, open_landing(home), home.clock, home=home, patience=Patience())
        if result.failures:
            raise result.failures[0]
        return result.rows

    sync("accounts")
    idle = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    stop, sizes = threading.Event(), [idle]
    watcher = threading.Thread(target=peak, args=(stop, sizes))
    watcher.start()
    began, processor, served = time.monotonic(), time.process_time(), processor_seconds(int(state["pid"]))
    rows = sync("ad_daily")
    wall, own, served = time.monotonic() - began, time.process_time() - processor, processor_seconds(int(state["pid"])) - served
    stop.set()
    watcher.join()
    figures = {
        "rows": rows,
        "seconds": round(wall, 2),
        "own_cpu_seconds": round(own, 2),
        "sandbox_cpu_seconds": round(served, 2),
        "rows_per_second": round(rows / wall),
    }
    return {"platform": platform, **figures, "idle_mb": idle >> 20, "grown_mb": (max(sizes) - idle) >> 20}


if __name__ == "__main__":
    main()
