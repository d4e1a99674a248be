"""The raw tables, the ledger's own tables and the views over them: DDL made from the connectors' reports.

Rows are append-only. `raw.loads` holds one row per commit; `raw.current_slices` the winners that a build pinned.
"""

import re
from collections.abc import Iterable

from clickhouse_connect.driver.client import Client

from domain.catalogue import Column, ColumnType, Report
from domain.errors import ConfigurationError
from warehouse.slices import as_of_rows, as_of_slices, pinned_rows

DATABASES = ("raw", "staging", "intermediate", "marts")
LEDGER_COLUMNS = (
    ("_load_id", "String"),
    ("_organization_id", "LowCardinality(String)"),
    ("_integration_id", "LowCardinality(String)"),
    ("_account_id", "String"),
    ("_date", "Date"),
)
"""What the ledger adds to a report's rows."""

_TYPES = {
    ColumnType.STRING: "String",
    ColumnType.INTEGER: "Int64",
    ColumnType.DECIMAL: "Decimal(18, 6)",
    ColumnType.DATE: "Date",
    ColumnType.BOOLEAN: "Bool",
}
_CODECS = {ColumnType.DECIMAL: " CODEC(T64, ZSTD(1))"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_LOAD = """
    load_id String,
    organization_id LowCardinality(String),
    integration_id LowCardinality(String),
    platform LowCardinality(String),
    report LowCardinality(String) COMMENT 'the raw table',
    account_id String,
    since Date,
    until Date,
    observed_at DateTime64(6, 'UTC') COMMENT 'the clock of the home when the pull began',
    committed_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'the wall clock of the server',
    account_today Date COMMENT 'the date in the account when the pull began: only earlier dates are complete',
    snapshot Bool,
    proof String,
    dates Array(Date) COMMENT 'every date of the window, empty ones too',
    row_counts Array(UInt64),
    hashes Array(String),
    stored Array(Bool) COMMENT 'false: verified, the rows live in an older load',
    rows_load_id Array(String) COMMENT 'the load that holds the rows of each date',
    rows UInt64 COMMENT 'rows delivered, stored or verified'
"""

_TABLES = (
    f"CREATE TABLE IF NOT EXISTS raw.loads ({_LOAD}) ENGINE = MergeTree ORDER BY (organization_id, integration_id, report, account_id, load_id)",
    f"CREATE TABLE IF NOT EXISTS raw.load_proposals ({_LOAD}) ENGINE = MergeTree ORDER BY load_id TTL toDateTime(committed_at) + INTERVAL 2 DAY",
    """CREATE TABLE IF NOT EXISTS raw.load_leases (
        load_id String, organization_id String, integration_id String, report String, account_id String,
        state LowCardinality(String) COMMENT 'open, renewed, committing, committed, abandoned, fenced or swept',
        expires_at DateTime64(6, 'UTC'), noted_at DateTime64(6, 'UTC')
    ) ENGINE = MergeTree ORDER BY load_id TTL toDateTime(noted_at) + INTERVAL 7 DAY WHERE state IN ('committed', 'swept')""",
    """CREATE TABLE IF NOT EXISTS raw.current_slices (
        build_id UInt64, report LowCardinality(String), date Date, organization_id LowCardinality(String), integration_id LowCardinality(String),
        account_id String, load_id String COMMENT 'the load that holds the rows', row_count UInt64, content_hash String, observed_at DateTime64(6, 'UTC')
    ) ENGINE = MergeTree PARTITION BY build_id ORDER BY (report, date, organization_id, integration_id, account_id)""",
    """CREATE TABLE IF NOT EXISTS raw.current_months (
        build_id UInt64, report LowCardinality(String), organization_id LowCardinality(String), partition UInt32, slices UInt64, digest UInt64
    ) ENGINE = MergeTree PARTITION BY build_id ORDER BY (report, organization_id, partition)""",
    """CREATE MATERIALIZED VIEW IF NOT EXISTS raw.current_months_feed TO raw.current_months AS
        SELECT build_id, report, organization_id, toYYYYMM(date) AS partition, count() AS slices,
               sumWithOverflow(sipHash64(integration_id, account_id, date, row_count, content_hash)) AS digest
        FROM raw.current_slices GROUP BY build_id, report, organization_id, partition""",
    """CREATE TABLE IF NOT EXISTS raw.build_events (
        event_id UInt64, build_id UInt64,
        event LowCardinality(String) COMMENT 'pinned, beat, published, failed; restored: the last published build is pinned again',
        noted_at DateTime64(6, 'UTC'), expires_at DateTime64(6, 'UTC'), owner String,
        position UInt64, partitions Array(UInt32), changed_slices UInt64, is_full Bool, models_checksum String, why String
    ) ENGINE = MergeTree ORDER BY event_id""",
    """CREATE TABLE IF NOT EXISTS marts.builds (
        build_id UInt64, position UInt64, started_at DateTime64(6, 'UTC'), finished_at DateTime64(6, 'UTC'), models_built UInt32,
        tests_passed UInt32, tests_failed UInt32, models_checksum String, is_full Bool, partitions Array(UInt32), changed_slices UInt64
    ) ENGINE = MergeTree ORDER BY build_id""",
    """CREATE OR REPLACE VIEW raw.pinned_build AS
        SELECT argMax(build_id, event_id) AS build_id FROM raw.build_events WHERE event IN ('pinned', 'restored')""",
    """CREATE OR REPLACE VIEW raw.pinned_partitions AS SELECT arrayJoin(pinned) AS partition
        FROM (SELECT argMax(partitions, event_id) AS pinned FROM raw.build_events WHERE event IN ('pinned', 'restored'))""",
    """CREATE OR REPLACE VIEW raw.pinned_slices AS
        SELECT report, date, organization_id, integration_id, account_id, load_id, row_count, content_hash, observed_at
        FROM raw.current_slices WHERE build_id = (SELECT build_id FROM raw.pinned_build)""",
    f"CREATE OR REPLACE VIEW raw.pinned_slices__as_of AS {as_of_slices()}",
)


def create_ledger_tables(client: Client) -> None:
    """Create the databases and the ledger's own tables where they are missing."""
    for database in DATABASES:
        client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
    for statement in _TABLES:
        client.command(statement)


def create_raw_tables(client: Client, reports: Iterable[Report]) -> None:
    """Create the ledger's tables and, per report, its raw table, `__current` and `__as_of` views; add columns that are new.

    Nothing is ever dropped. Raises ConfigurationError where a column exists with another type than the report's.
    """
    create_ledger_tables(client)
    for report in reports:
        _create_report(client, report)


def clickhouse_type(column: Column) -> str:
    """Return a column's ClickHouse type as `system.columns` spells it."""
    name = _TYPES[column.type]
    return f"Nullable({name})" if column.nullable else name


def raw_columns(report: Report) -> tuple[str, ...]:
    """Name the columns of a report's raw table in order, the ledger's first."""
    return (*(name for name, _ in LEDGER_COLUMNS), *(c.name for c in report.columns))


def raw_table(report: Report) -> str:
    """Return the checked, qualified name of a report's raw table."""
    if not _NAME.fullmatch(report.table):
        raise ValueError(f"{report.table!r} cannot name a table")
    return f"raw.{report.table}"


def _create_report(client: Client, report: Report) -> None:
    table = raw_table(report)
    known = _existing_columns(client, report)
    wanted = {column.name: clickhouse_type(column) for column in report.columns}
    if not known:
        columns = [*(f"`{name}` {kind}" for name, kind in LEDGER_COLUMNS), *(_definition(column) for column in report.columns)]
        client.command(
            f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)}) ENGINE = MergeTree PARTITION BY toYYYYMM(_date)"
            " ORDER BY (_organization_id, _integration_id, _account_id, _date, _load_id)"
        )
    elif changed := [name for name, kind in wanted.items() if known.get(name, kind) != kind]:
        name = changed[0]
        raise ConfigurationError(
            f"{table} holds the column {name} as {known[name]}, and the report {report.name} now calls for {wanted[name]}",
            fix="Give the new column another name: raw rows are never rewritten",
        )
    elif missing := [column for column in report.columns if column.name not in known]:
        additions = ", ".join(f"ADD COLUMN IF NOT EXISTS {_definition(column)}" for column in missing)
        client.command(f"ALTER TABLE {table} {additions}")
    names = raw_columns(report)
    client.command(f"CREATE OR REPLACE VIEW {table}__current AS {pinned_rows(report.table, names)}")
    client.command(f"CREATE OR REPLACE VIEW {table}__as_of AS {as_of_rows(report.table, names)}")


def _existing_columns(client: Client, report: Report) -> dict[str, str]:
    rows = client.query(
        "SELECT name, type FROM system.columns WHERE database = 'raw' AND table = {name:String}",
        parameters={"name": report.table},
    ).result_rows
    return {str(row[0]): str(row[1]) for row in rows}


def _definition(column: Column) -> str:
    if not _NAME.fullmatch(column.name):
        raise ValueError(f"{column.name!r} cannot name a column")
    comment = column.doc.replace("\\", "\\\\").replace("'", "\\'")
    return f"`{column.name}` {clickhouse_type(column)} COMMENT '{comment}'{_CODECS.get(column.type, '')}"
