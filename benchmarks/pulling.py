"""Rows per second from the sandbox on loopback to committed slices, and the memory that it takes: `python -m benchmarks.pulling google_ads --rows 200000`.

One account whose report has that many rows, pulled once into an embedded ClickHouse. Prints wall time, the processor time of this
process and of the sandbox, and the growth of this process's memory over the connected but idle one. Times never gate tests.
"""

import argparse
import json
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.datasets import ACCOUNTS, CREDENTIALS, DAYS, TODAY, Facts
from benchmarks.processes import SandboxProcess, processor_seconds
from connectors.memory import use_system_memory
from connectors.patience import Patience
from home.directory import Home
from services.integrations import IntegrationAccess
from services.syncing import sync_integration
from store.files import open_landing
from warehouse.client import Warehouse, WarehouseSettings


def resident() -> int:
    """Return this process's resident size in bytes (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def watch(stop: threading.Event, found: list[int]) -> None:
    """Note the resident size until told to stop."""
    while not stop.wait(0.02):
        found.append(resident())


@contextmanager
def serving(wanted: Facts) -> Iterator[tuple[Path, SandboxProcess]]:
    """Serve a dataset from a process of its own; yields an empty directory and the sandbox."""
    with tempfile.TemporaryDirectory(prefix="mrm-pulling-") as directory:
        place = Path(directory)
        sandbox = SandboxProcess(place / "sandbox", wanted.write(place), TODAY)
        sandbox.start()
        try:
            yield place, sandbox
        finally:
            sandbox.stop()


def measure(wanted: Facts, place: Path, state: dict[str, Any]) -> dict[str, Any]:
    """Pull a report once into a home of its own and return the figures."""
    home = Home.open(place / "home")
    home.remember(today=TODAY.isoformat(), pinned_at=datetime.now(UTC).isoformat())
    use_system_memory()
    try:
        with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
            return pull(wanted, home, warehouse, state)
    finally:
        Warehouse.stop(home)


def pull(wanted: Facts, home: Home, warehouse: Warehouse, state: dict[str, Any]) -> dict[str, Any]:
    """Pull the account list first, so that everything is imported and connected, then the report under the clock."""
    given = {name: str(value) for name, value in state[wanted.platform].items()}

    def sync(reports: str) -> int:
        access = IntegrationAccess(f"{wanted.platform}-1", "org", wanted.platform, CREDENTIALS[wanted.platform], {**given, "reports": reports})
        window = {"since": wanted.since, "until": wanted.until} if reports == wanted.name else {}
        result = sync_integration(access, warehouse, open_landing(home), home.clock, home=home, patience=Patience(), **window)
        if result.failures:
            raise result.failures[0]
        return result.rows

    sync("accounts")
    idle = resident()
    stop, sizes = threading.Event(), [idle]
    watcher = threading.Thread(target=watch, args=(stop, sizes))
    watcher.start()
    began, processor, served = time.monotonic(), time.process_time(), processor_seconds(int(state["pid"]))
    rows = sync(wanted.name)
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
    return {"platform": wanted.platform, "report": wanted.name, **figures, "idle_mb": idle >> 20, "grown_mb": (max(sizes) - idle) >> 20}


def main() -> None:
    """Serve the dataset, pull it, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", choices=list(ACCOUNTS))
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--report", default="", help="visits: Metrica's logs instead of its daily traffic")
    asked = parser.parse_args()
    wanted = Facts(asked.platform, asked.rows, asked.days, asked.report)
    with serving(wanted) as (place, sandbox):
        print(json.dumps(measure(wanted, place, sandbox.state)))


if __name__ == "__main__":
    main()
