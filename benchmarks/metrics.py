"""Hold the metric compiler against SQL written by hand, and one organization's question against a table of many.

Fills the fact that dbt makes (contract, order, partitions and kept sums as in a home) with generated rows inside the engine, then
alternates the compiled question with hand-written SQL and prints one JSON line: the medians, their ratio, and the whole way through
the door. Both are asked twice: as they are, when ClickHouse reads the sums by campaign and day that the fact keeps, and `from_rows`,
with that forbidden, as for a question by ad. The second part asks one of twenty organizations by month and platform.

Use: python benchmarks/metrics.py [--keys 3000000] [--rows 100000000] [--rounds 15]; --rows 0 leaves the second part out
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from dbt.cli.main import dbtRunner

from domain.clock import PinnedClock
from domain.questions import Grain, Question, Scope
from home.directory import Home
from services.installation import ALL_REPORTS
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.metrics.catalogue import Catalogue
from warehouse.metrics.compiler import Compiled, Compiler
from warehouse.metrics.door import MetricDoor
from warehouse.raw import create_raw_tables

DBT = Path(__file__).resolve().parents[1] / "dbt"
METRICS = ("impressions", "clicks", "spend", "conversions", "ctr", "cpa")
QUARTER = {"since": date(2025, 1, 1), "until": date(2025, 3, 31)}
BY_HAND = """
    SELECT platform, currency_code, sum(impressions) AS shown, sum(clicks) AS clicked, sum(spend) AS cost, sum(conversions) AS converted,
        clicked / nullIf(shown, 0), toDecimal128(cost, 12) / nullIf(converted, 0)
    FROM marts.fct_ad_performance_daily
    WHERE organization_id = {organization:String} AND date_day BETWEEN {since:Date} AND {until:Date}
    GROUP BY platform, currency_code ORDER BY platform, currency_code"""
ORGANIZATIONS = 20


def main() -> None:
    """Measure both and print one JSON line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--keys", type=int, default=3_000_000, help="rows of the fact in the quarter of the first part")
    options.add_argument("--rows", type=int, default=100_000_000, help="rows over all organizations in the second part")
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = Home.open(Path(directory) / "home")
        with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
            catalogue = made(home, warehouse)
            door = MetricDoor(warehouse, PinnedClock(date(2026, 1, 1), datetime.now(UTC)), catalogue)
            with warehouse.client() as client:
                found = {"load": os.getloadavg()[0], "quarter": quarter(client, door, catalogue, given.keys, given.rounds)}
                if given.rows:
                    found["organization"] = organization(client, door, catalogue, given.rows, given.rounds)
        Warehouse.stop(home)
    print(json.dumps(found))


def made(home: Home, warehouse: Warehouse) -> Catalogue:
    """Make the empty marts with dbt, and return the catalogue that it parsed."""
    with warehouse.client() as client:
        create_raw_tables(client, ALL_REPORTS)
    os.environ.update({**warehouse.dbt_environment(), "DBT_LOG_PATH": str(home.directory("logs"))})
    target = home.directory("dbt") / "target"
    done = dbtRunner().invoke(["run", "--project-dir", str(DBT), "--profiles-dir", str(DBT), "--target-path", str(target), "--quiet"])
    if not done.success:
        raise SystemExit(f"dbt failed: {done.exception or [r.message for r in done.result if r.message]}")
    return Catalogue.load(target / "semantic_manifest.json")


def fill(client: Client, organization_id: str, rows: int, since: date, days: int) -> None:
    """Insert generated ads by day: three platforms, twelve accounts, twelve ads a campaign, one currency for each platform."""
    client.command(
        """INSERT INTO marts.fct_ad_performance_daily
            (organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day, level_of_row,
             impressions, clicks, spend, conversions, conversions_value, currency_code, vat_included)
        SELECT {organization:String}, 'i', ['google_ads', 'meta_ads', 'yandex_direct'][1 + ad % 3], toString(ad % 12), toString(ad % {campaigns:UInt32}),
            toString(ad % ({campaigns:UInt32} * 3)), toString(ad), toDate({since:Date}) + number % {days:UInt32}, 'ad',
            sipHash64(number) % 1000 AS shown, shown % 40, toDecimal64(shown % 97, 6) / 7, toDecimal64(shown % 5, 6) / 3, toDecimal64(shown % 211, 6),
            ['EUR', 'USD', 'RUB'][1 + ad % 3], false
        FROM (SELECT number, intDiv(number, {days:UInt32}) AS ad FROM numbers({rows:UInt64}))""",
        parameters={"organization": organization_id, "since": since, "days": days, "rows": rows, "campaigns": max(12, rows // days // 144 * 12)},
        settings={"max_partitions_per_insert_block": 1000},
    )


def quarter(client: Client, door: MetricDoor, catalogue: Catalogue, keys: int, rounds: int) -> dict[str, Any]:
    """Ask a quarter by platform."""
    fill(client, "one", keys, QUARTER["since"], 90)
    client.command("OPTIMIZE TABLE marts.fct_ad_performance_daily FINAL")
    scope, question = Scope(organization_id="one"), Question(metrics=METRICS, by=("platform", "currency"), **QUARTER)
    compiled = Compiler(catalogue, scope, question).answer()
    found: dict[str, Any] = {"keys": keys, "kept_sums": kept_sums(client)}
    for name, kept in (("as_asked", 1), ("from_rows", 0)):
        found[name] = compared(client, compiled, {"optimize_use_projections": kept}, rounds)
    finer = question.model_copy(update={"by": ("ad_group", "currency"), "top": 10})
    found["whole_door_ms"], found["whole_door_top_ad_groups_ms"] = alternated(lambda: door.ask(scope, question), lambda: door.ask(scope, finer), rounds)
    return found


def compared(client: Client, compiled: Compiled, settings: dict[str, int], rounds: int) -> dict[str, float]:
    """Alternate the compiled question with the one written by hand under the same settings."""
    signs = [f"{name} {settings}" for name in ("compiled", "by hand")]
    compiled_ms, by_hand_ms = alternated(
        lambda: client.query(compiled.sql, parameters=dict(compiled.parameters), settings={"join_use_nulls": 1, "log_comment": signs[0], **settings}),
        lambda: client.query(BY_HAND, parameters={"organization": "one", **QUARTER}, settings={"log_comment": signs[1], **settings}),
        rounds,
    )
    (compiled_cpu, read), (by_hand_cpu, _) = (spent(client, sign) for sign in signs)
    return {
        "rows_read": read,
        "compiled_ms": compiled_ms,
        "by_hand_ms": by_hand_ms,
        "ratio": round(compiled_ms / by_hand_ms, 3),
        "compiled_cpu_ms": compiled_cpu,
        "by_hand_cpu_ms": by_hand_cpu,
        "cpu_ratio": round(compiled_cpu / by_hand_cpu, 3),
    }


def spent(client: Client, sign: str) -> tuple[float, int]:
    """Return the median processor time of the queries with this comment, which other work on the machine changes little, and the rows that one read."""
    client.command("SYSTEM FLUSH LOGS")
    found = client.query(
        """SELECT quantileExact(0.5)(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']), max(read_rows) FROM system.query_log
        WHERE type = 'QueryFinish' AND log_comment = {sign:String}""",
        parameters={"sign": sign},
    ).result_rows
    return round(float(found[0][0]) / 1000, 1), int(found[0][1])


def kept_sums(client: Client) -> int:
    """Count the rows of the fact's kept sums."""
    return int(client.query("SELECT sum(rows) FROM system.projection_parts WHERE active AND table = 'fct_ad_performance_daily'").result_rows[0][0])


def organization(client: Client, door: MetricDoor, catalogue: Catalogue, rows: int, rounds: int) -> dict[str, float]:
    """Ask a year of one of twenty organizations by month and platform."""
    began = time.monotonic()
    for number in range(ORGANIZATIONS):
        fill(client, f"org-{number:02d}", rows // ORGANIZATIONS, date(2025, 1, 1), 365)
    filled = time.monotonic() - began
    scope = Scope(organization_id="org-07")
    question = Question(metrics=METRICS, by=("platform", "currency"), grain=Grain.MONTH, since=date(2025, 1, 1), until=date(2025, 12, 31))
    compiled = Compiler(catalogue, scope, question).answer()

    def ask(kept: int) -> None:
        client.query(compiled.sql, parameters=dict(compiled.parameters), settings={"join_use_nulls": 1, "optimize_use_projections": kept})

    compiled_ms, door_ms = alternated(lambda: ask(1), lambda: door.ask(scope, question), rounds)
    rows_ms, _ = alternated(lambda: ask(0), lambda: None, 3)
    return {
        "rows": rows,
        "organizations": ORGANIZATIONS,
        "fill_s": round(filled, 1),
        "compiled_ms": compiled_ms,
        "whole_door_ms": door_ms,
        "compiled_from_rows_ms": rows_ms,
    }


def alternated(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the median milliseconds of two calls taken in turn, after one round of warming up."""
    times: tuple[list[float], list[float]] = ([], [])
    for lap in range(rounds + 1):
        for kept, call in zip(times, (first, second), strict=True):
            began = time.perf_counter()
            call()
            if lap:
                kept.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times[0]), 1), round(statistics.median(times[1]), 1)


if __name__ == "__main__":
    main()
