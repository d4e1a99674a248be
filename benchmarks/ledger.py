"""Compare the ledger with a bare `insert_arrow`: the same rows, the same engine, one run.

Prints one JSON line: rows per second of a bare insert (whole table at once, and page by page) into a table of the raw table's
shape, of a first pull, of a pull that finds everything as it was, and of one that finds a tenth of the days changed; the ratio
of the first pull to the faster bare insert (the bar is 0.70); and by how many MiB each way raised this process above idle.

Use: python benchmarks/ledger.py [--rows 300000] [--page 20000] [--rounds 3]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa

from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level
from domain.windows import DateWindow
from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.ledger import Ledger, LoadKey
from warehouse.raw import create_raw_tables

SINCE = date(2024, 1, 1)
ADS = 2_500
"""Ads a day."""
_WORDS = {
    "customer_id": ("1234567890",),
    "customer_name": ("Клиент «Ромашка» и партнёры",),
    "customer_currency_code": ("RUB",),
    "customer_time_zone": ("Europe/Moscow",),
    "campaign_id": tuple(f"{10**10 + n}" for n in range(50)),
    "campaign_name": tuple(f"Кампания «Поиск» № {n} | Москва" for n in range(50)),
    "campaign_status": ("ENABLED", "PAUSED"),
    "ad_group_id": tuple(f"{10**11 + n}" for n in range(500)),
    "ad_group_name": tuple(f"Группа объявлений {n}" for n in range(500)),
    "ad_id": tuple(f"{10**12 + n}" for n in range(ADS)),
    "ad_name": tuple(f"Объявление {n}: скидка до 30 %" for n in range(ADS)),
}
REPORT = Report(
    "google_ads",
    "ad_daily",
    Level.AD,
    "ad_group_ad",
    (
        Column("segments_date", ColumnType.DATE, "Date"),
        *(Column(name, ColumnType.STRING, name) for name in _WORDS),
        Column("impressions", ColumnType.INTEGER, "Impressions"),
        Column("clicks", ColumnType.INTEGER, "Clicks"),
        Column("cost_micros", ColumnType.INTEGER, "Cost"),
        Column("conversions", ColumnType.DECIMAL, "Conversions"),
        Column("conversions_value", ColumnType.DECIMAL, "Value"),
    ),
    ("segments_date", "campaign_id", "ad_group_id", "ad_id"),
    "segments_date",
    30,
    "Ads by day",
)
KEY = LoadKey("org", "int", "1234567890")


def main() -> None:
    """Measure each way in a process of its own, alternating, and print the best of each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=300_000)
    options.add_argument("--page", type=int, default=20_000, help="rows in a page, as a connector delivers them")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--way", choices=sorted(WAYS), help=argparse.SUPPRESS)
    options.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.way:
        print(json.dumps(_measured(given.way, Home.open(given.home), given.rows, given.page)))
        return
    with tempfile.TemporaryDirectory() as directory:
        home = Home.open(Path(directory) / "home")
        with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)):
            seen: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
            for _ in range(given.rounds):
                for way in WAYS:
                    seen[way].append(_in_a_child(way, home.path, given.rows, given.page))
        Warehouse.stop(home)
    rates = {way: round(given.rows / min(run["seconds"] for run in runs)) for way, runs in seen.items()}
    bare = max(rates["bare_whole"], rates["bare_pages"])
    print(
        json.dumps(
            {
                "rows": given.rows,
                "rows_per_second": rates,
                "first_pull_to_bare": round(rates["first_pull"] / bare, 2),
                "mib_above_idle": {way: round(max(run["mib"] for run in runs)) for way, runs in seen.items()},
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
                "versions": {name: version(name) for name in ("chdb", "clickhouse-connect", "pyarrow", "numpy")},
            }
        )
    )


def pages(rows: int, size: int, changed_days: int = 0) -> Iterator[pa.Table]:
    """Yield the same pages for the same arguments; the last `changed_days` days have one click more in each row."""
    days = -(-rows // ADS)
    for start in range(0, rows, size):
        number = np.arange(start, min(start + size, rows))
        ad, day = number % ADS, number // ADS
        clicks = number * 7919 % 300 + (day >= days - changed_days)
        columns = [
            pa.array((np.datetime64(SINCE) + day).astype("datetime64[D]")),
            *(pa.array(words).take(pa.array(ad % len(words))) for words in _WORDS.values()),
            *(pa.array(values.astype(np.int64)) for values in (number * 104_729 % 10_000, clicks, number * 15_485_863 % 10**9)),
            *(_decimals(number * prime % 10**9) for prime in (32_452_843, 49_979_687)),
        ]
        yield pa.table(columns, schema=REPORT.schema)


def _decimals(units: np.ndarray) -> pa.Array:
    pairs = np.stack([units.astype(np.int64), np.zeros(len(units), np.int64)], axis=1)
    return pa.Array.from_buffers(pa.decimal128(18, 6), len(units), [None, pa.py_buffer(pairs.tobytes())])


def bare_whole(warehouse: Warehouse, home: Home, rows: int, size: int) -> Iterator[None]:
    """Insert the finished table by one `insert_arrow`."""
    whole = pa.concat_tables([_with_constants(page) for page in pages(rows, size)])
    yield
    with warehouse.client() as client:
        client.insert_arrow("raw.bare", whole)


def bare_pages(warehouse: Warehouse, home: Home, rows: int, size: int) -> Iterator[None]:
    """Insert finished pages of 100,000 rows by one `insert_arrow` each."""
    larger = [_with_constants(page) for page in pages(rows, 100_000)]
    yield
    with warehouse.client() as client:
        for page in larger:
            client.insert_arrow("raw.bare", page)


def first_pull(warehouse: Warehouse, home: Home, rows: int, size: int) -> Iterator[None]:
    """Pull a window that nothing is known of."""
    ready = list(pages(rows, size))
    with warehouse.client() as client:
        client.command("TRUNCATE TABLE raw.loads")
    yield
    _pull(warehouse, home, rows, ready)


def verified_pull(warehouse: Warehouse, home: Home, rows: int, size: int) -> Iterator[None]:
    """Pull the same window again."""
    ready = list(pages(rows, size))
    yield
    _pull(warehouse, home, rows, ready)


def changed_pull(warehouse: Warehouse, home: Home, rows: int, size: int) -> Iterator[None]:
    """Pull it once more, the last tenth of its days restated."""
    ready = list(pages(rows, size, changed_days=max(1, rows // ADS // 10)))
    yield
    _pull(warehouse, home, rows, ready)


def streamed_pull(warehouse: Warehouse, home: Home, rows: int, size: int) -> Iterator[None]:
    """Pull pages that are made as they are written, so that memory shows the ledger's own."""
    next(pages(size, size))
    with warehouse.client() as client:
        client.command("TRUNCATE TABLE raw.loads")
    yield
    _pull(warehouse, home, rows, pages(rows, size))


WAYS: dict[str, Callable[[Warehouse, Home, int, int], Iterator[None]]] = {
    "bare_whole": bare_whole,
    "bare_pages": bare_pages,
    "first_pull": first_pull,
    "verified_pull": verified_pull,
    "changed_pull": changed_pull,
    "streamed_pull": streamed_pull,
}


def _pull(warehouse: Warehouse, home: Home, rows: int, ready: object) -> None:
    window = DateWindow(SINCE, SINCE + timedelta(days=-(-rows // ADS) - 1))
    with Ledger(warehouse, home).open(KEY, REPORT, window, datetime.now(UTC), timezone="Europe/Moscow") as load:
        for page in ready:  # type: ignore[attr-defined]
            load.write(page)
        load.commit(f"Total rows: {rows}")


def _with_constants(page: pa.Table) -> pa.Table:
    for name, value in (("_load_id", "0" * 32), ("_organization_id", "org"), ("_integration_id", "int"), ("_account_id", "1234567890")):
        page = page.append_column(name, pa.repeat(pa.scalar(value), len(page)))
    return page.append_column("_date", page.column("segments_date"))


def _measured(way: str, home: Home, rows: int, size: int) -> dict[str, float]:
    with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
        with warehouse.client() as client:
            create_raw_tables(client, [REPORT])
            client.command(f"CREATE TABLE IF NOT EXISTS raw.bare AS raw.{REPORT.table}")
            client.command("TRUNCATE TABLE raw.bare")
        list(WAYS["streamed_pull"](warehouse, home, 1_000, 500)) if way == "streamed_pull" else None  # warm: imports and pools count as idle
        run = WAYS[way](warehouse, home, rows, size)
        next(run)
        idle, started = _peak(), time.perf_counter()
        next(run, None)
        return {"seconds": time.perf_counter() - started, "mib": max(0.0, _peak() - idle)}


def _peak() -> float:
    """Return the most memory that this process ever held, in MiB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _in_a_child(way: str, home: Path, rows: int, size: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--way", way, "--home", str(home), "--rows", str(rows), "--page", str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])})
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    main()
