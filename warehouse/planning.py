"""What a build must rewrite: the current slices, written once, compared with those of the last completed build."""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

import re
from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from domain.errors import DataQualityError
from warehouse.partitions import months, numbered
from warehouse.slices import number, winners

_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def ledger_position(client: Client) -> int:
    """Count the commits."""
    return number(client, "SELECT uniqExact(load_id) FROM raw.loads")


def write_current_slices(client: Client, build_id: int) -> int:
    """Write the winners of all slices for a build; return the ledger's position: at least so many commits are among them."""
    position = ledger_position(client)
    client.command(
        f"""INSERT INTO raw.current_slices
            (build_id, report, date, organization_id, integration_id, account_id, load_id, row_count, content_hash, observed_at)
        SELECT {{build_id:UInt64}}, report, date, organization_id, integration_id, account_id, rows_load, row_count, content_hash, observed_at
        FROM ({winners()})""",
        parameters={"build_id": build_id},
    )
    return position


def changed_partitions(client: Client, build_id: int, last: int) -> set[int]:
    """Return the partitions in which the two builds' slices differ, vanished ones included.

    An empty slice differs from an absent one: a complete answer without rows is knowledge.
    Compares one digest per report, organization and month, so that it reads no slice.
    """
    rows = client.query(
        f"""SELECT DISTINCT {numbered("partition")} FROM (
            SELECT organization_id, partition, sumIf(slices, build_id = {{new:UInt64}}) AS slices_new, sumIf(slices, build_id = {{last:UInt64}}) AS slices_last,
                sumWithOverflow(if(build_id = {{new:UInt64}}, digest, 0)) AS digest_new,
                sumWithOverflow(if(build_id = {{last:UInt64}}, digest, 0)) AS digest_last
            FROM raw.current_months WHERE build_id IN ({{new:UInt64}}, {{last:UInt64}})
            GROUP BY report, organization_id, partition HAVING slices_new != slices_last OR digest_new != digest_last
        )""",
        parameters={"new": build_id, "last": last},
    ).result_rows
    return {int(row[0]) for row in rows}


def all_partitions(client: Client, build_ids: Sequence[int]) -> set[int]:
    """Return every partition in which one of the builds has slices."""
    rows = client.query(
        f"SELECT DISTINCT {numbered('partition')} FROM raw.current_months WHERE build_id IN {{builds:Array(UInt64)}}",
        parameters={"builds": list(build_ids)},
    ).result_rows
    return {int(row[0]) for row in rows}


def write_pinned_pairs(client: Client, build_id: int, partitions: Sequence[int]) -> None:
    """Write which organizations and months the build reads, so that its statements look them up without the history's months."""
    client.command(
        f"""INSERT INTO raw.pinned_pairs SELECT DISTINCT build_id, organization_id, partition FROM raw.current_months
        WHERE build_id = {{build_id:UInt64}} AND {numbered("partition")} IN {{partitions:Array(UInt32)}}""",
        parameters={"build_id": build_id, "partitions": list(partitions)},
    )


def count_changed_slices(client: Client, build_id: int, last: int, partitions: Sequence[int]) -> int:
    """Count the slices within these partitions whose content differs between two builds; the months keep the history's slices unread."""
    return number(
        client,
        f"""SELECT count() FROM (
            SELECT 1 FROM raw.current_slices
            WHERE build_id IN ({{new:UInt64}}, {{last:UInt64}}) AND toYYYYMM(date) IN {{months:Array(UInt32)}}
                AND {numbered("toYYYYMM(date)")} IN {{partitions:Array(UInt32)}}
            GROUP BY report, date, organization_id, integration_id, account_id
            HAVING countIf(build_id = {{new:UInt64}}) = 0 OR countIf(build_id = {{last:UInt64}}) = 0 OR uniqExact(row_count, content_hash) > 1
        )""",
        {"new": build_id, "last": last, "months": months(partitions), "partitions": list(partitions)},
    )


def require_counts(client: Client, build_id: int, checked_months: Sequence[int]) -> None:
    """Compare every slice of these months with the rows that stand in raw. Raises DataQualityError naming the first differences."""
    reports = client.query(
        "SELECT DISTINCT report FROM raw.current_months WHERE build_id = {build_id:UInt64} AND partition IN {months:Array(UInt32)} ORDER BY report",
        parameters={"build_id": build_id, "months": list(checked_months)},
    ).result_rows
    for (report,) in reports:
        if not _TABLE.fullmatch(report):
            raise DataQualityError(f"The ledger names a raw table {report!r}", fix="Restore raw.loads from a backup")
        wrong = client.query(
            _COUNTS.format(report=report),
            parameters={"build_id": build_id, "months": list(checked_months), "report": report},
        ).result_rows
        if wrong:
            listed = "; ".join(f"integration {i}, account {a}, {d}: ledger {n}, table {found}" for i, a, d, n, found in wrong)
            raise DataQualityError(
                f"raw.{report} contradicts the ledger: {listed}",
                why="Rows were changed or lost outside the ledger",
                fix="Sync these dates again, or restore the warehouse from a backup",
            )


_COUNTS = """SELECT s.integration_id, s.account_id, s.date, s.row_count, r.found FROM (
        SELECT organization_id, integration_id, account_id, date, load_id, row_count FROM raw.current_slices
        WHERE build_id = {{build_id:UInt64}} AND report = {{report:String}} AND row_count > 0 AND toYYYYMM(date) IN {{months:Array(UInt32)}}
    ) AS s LEFT JOIN (
        SELECT _organization_id, _integration_id, _account_id, _date, _load_id, count() AS found FROM raw.{report}
        WHERE toYYYYMM(_date) IN {{months:Array(UInt32)}} GROUP BY _organization_id, _integration_id, _account_id, _date, _load_id
    ) AS r ON s.organization_id = r._organization_id AND s.integration_id = r._integration_id AND s.account_id = r._account_id
        AND s.date = r._date AND s.load_id = r._load_id
    WHERE s.row_count != r.found ORDER BY s.date LIMIT 3 SETTINGS join_use_nulls = 0"""


def drop_slices(client: Client, keep: Sequence[int]) -> None:
    """Remove the current slices of all builds but these."""
    for table in ("current_slices", "current_months", "pinned_pairs"):
        parts = client.query(
            "SELECT DISTINCT partition FROM system.parts WHERE database = 'raw' AND table = {table:String} AND active",
            parameters={"table": table},
        ).result_rows
        for (partition,) in parts:
            if int(partition) not in keep:
                client.command(f"ALTER TABLE raw.{table} DROP PARTITION {int(partition)}")
