"""The embedded server beside the same engine in process: `python -m benchmarks.embedded` (half a minute; ratios from one run).

In process is the physical limit: no HTTP, no second process. Runs of both sides alternate, and the fastest of each counts.
"""

import http.client
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.embedded.engine import Engine, Handle

ROWS = 1_000_000
ANSWER = "SELECT number AS a, toString(number) AS s, number / 3 AS f FROM numbers(2000000)"
TABLE = "CREATE TABLE bench (a Int64, s String, f Float64) ENGINE = MergeTree ORDER BY a"


def fastest(sides: dict[str, Callable[[], Any]], rounds: int, times: int = 1) -> dict[str, float]:
    """Run the sides in turn and return each one's fastest seconds per call."""
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(rounds):
        for name, call in sides.items():
            started = time.perf_counter()
            for _ in range(times):
                call()
            best[name] = min(best[name], (time.perf_counter() - started) / times)
    return best


class Http:
    """A kept-alive connection without a client library."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.connection = http.client.HTTPConnection(warehouse.host, warehouse.port)
        self.headers = {"X-ClickHouse-User": warehouse.user, "X-ClickHouse-Key": warehouse.password}

    def __call__(self, body: bytes, target: str = "/") -> int:
        """Send a request and return the size of the answer."""
        self.connection.request("POST", target, body=body, headers=self.headers)
        response = self.connection.getresponse()
        size = 0
        while data := response.read(1 << 20):
            size += len(data)
        assert response.status == 200
        return size


def arrow_stream(table: pa.Table) -> bytes:
    """Write a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def measure(warehouse: Warehouse, handle: Handle) -> dict[str, dict[str, float]]:
    """Time the three things that count, on each side."""
    table = pa.table(
        {"a": pa.array(range(ROWS), pa.int64()), "s": pa.array([f"row {n % 1000}" for n in range(ROWS)]), "f": pa.array([n / 3 for n in range(ROWS)])}
    )
    data = arrow_stream(table)
    ask, client = Http(warehouse), warehouse.client()
    handle.run(TABLE)
    client.command(TABLE)

    def insert_in_process() -> None:
        insertion = handle.insert(b"INSERT INTO bench", "ArrowStream")
        insertion.append(data)
        insertion.finish()

    one = {
        "in_process": lambda: handle.run("SELECT 1", "Native"),
        "http": lambda: ask(b"SELECT 1 FORMAT Native"),
        "clickhouse_connect": lambda: client.query("SELECT 1"),
    }
    out = {"in_process": lambda: sum(len(block) for block in handle.stream(ANSWER, "Native")), "http": lambda: ask(ANSWER.encode() + b" FORMAT Native")}
    into = {
        "in_process": insert_in_process,
        "http": lambda: ask(data, "/?query=INSERT+INTO+bench+FORMAT+ArrowStream"),
        "insert_arrow": lambda: client.insert_arrow("bench", table),
    }
    try:
        return {"SELECT 1, ms": fastest(one, rounds=15, times=40), "2M rows out, s": fastest(out, rounds=6), "1M rows in, s": fastest(into, rounds=6)}
    finally:
        client.close()
        ask.connection.close()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        home = Home.open(Path(directory) / "home")
        started = time.perf_counter()
        warehouse = Warehouse.open(home, WarehouseSettings(clickhouse_url=None))
        start = time.perf_counter() - started
        engine = Engine(Path(directory) / "in_process", "bench")
        engine.open()
        handle = engine.handle(carrier="bench")
        try:
            measured = measure(warehouse, handle)
        finally:
            handle.close()
            engine.close()
            warehouse.close()
            Warehouse.stop(home)
    print(f"start of the server: {start:.2f} s")
    for name, sides in measured.items():
        scale = 1000 if name.endswith("ms") else 1
        print(
            name, json.dumps({side: {"time": round(seconds * scale, 3), "ratio": round(seconds / sides["in_process"], 2)} for side, seconds in sides.items()})
        )


if __name__ == "__main__":
    main()
