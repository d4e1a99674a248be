"""The raw tables, the ledger's own tables and the views over them: DDL made from the connectors' reports.

Rows are append-only. `raw.loads` holds one row per commit; `raw.current_slices` the winners that a build pinned.
"""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from clickhouse_connect.driver.client import Client

from domain.catalogue import Column, ColumnType, Report
from domain.errors import ConfigurationError
from warehouse.partitions import numbered
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
_LONGEST = 64 * 2**20
"""Bytes of a view's text: an as-of view holds the SQL of every model below it."""

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

_TABLES = {
    "raw.loads": f"CREATE TABLE IF NOT EXISTS raw.loads ({_LOAD}) ENGINE = MergeTree ORDER BY (organization_id, integration_id, report, account_id, load_id)",
    "raw.load_leases": """CREATE TABLE IF NOT EXISTS raw.load_leases (
        load_id String, organization_id String, integration_id String, report String, account_id String,
        state LowCardinality(String) COMMENT 'open, renewed, abandoned, fenced or swept',
        expires_at DateTime64(6, 'UTC'), noted_at DateTime64(6, 'UTC')
    ) ENGINE = MergeTree ORDER BY load_id""",
    "raw.current_slices": """CREATE TABLE IF NOT EXISTS raw.current_slices (
        build_id UInt64, report LowCardinality(String), date Date, organization_id LowCardinality(String), integration_id LowCardinality(String),
        account_id String, load_id String COMMENT 'the load that holds the rows', row_count UInt64, content_hash String, observed_at DateTime64(6, 'UTC')
    ) ENGINE = MergeTree PARTITION BY build_id ORDER BY (report, date, organization_id, integration_id, account_id)
        SETTINGS index_granularity = 512""",
    "raw.current_months": """CREATE TABLE IF NOT EXISTS raw.current_months (
        build_id UInt64, report LowCardinality(String), organization_id LowCardinality(String), partition UInt32, slices UInt64, digest UInt64
    ) ENGINE = MergeTree PARTITION BY build_id ORDER BY (report, organization_id, partition)""",
    "raw.pinned_pairs": """CREATE TABLE IF NOT EXISTS raw.pinned_pairs (
        build_id UInt64, organization_id LowCardinality(String), partition UInt32
    ) ENGINE = MergeTree PARTITION BY build_id ORDER BY (organization_id, partition)""",
    "raw.current_months_feed": """CREATE MATERIALIZED VIEW IF NOT EXISTS raw.current_months_feed TO raw.current_months AS
        SELECT build_id, report, organization_id, toYYYYMM(date) AS partition, count() AS slices,
               sumWithOverflow(sipHash64(integration_id, account_id, date, row_count, content_hash)) AS digest
        FROM raw.current_slices GROUP BY build_id, report, organization_id, partition""",
    "raw.build_events": """CREATE TABLE IF NOT EXISTS raw.build_events (
        event_id UInt64, build_id UInt64,
        event LowCardinality(String) COMMENT 'pinned, beat, published, failed; restored: the last published build is pinned again',
        noted_at DateTime64(6, 'UTC'), expires_at DateTime64(6, 'UTC'), owner String,
        position UInt64, partitions Array(UInt32), changed_slices UInt64, is_full Bool, models_checksum String, why String
    ) ENGINE = MergeTree ORDER BY event_id""",
    "raw.tombstones": """CREATE TABLE IF NOT EXISTS raw.tombstones (
        tombstone_id String, scope LowCardinality(String) COMMENT 'organization, integration or visitor forgotten; superseded loads dropped by retention',
        organization_id String, subject String COMMENT 'the id that was forgotten; for retention the instant from which on as_of answers',
        event LowCardinality(String) COMMENT 'begun or done', noted_at DateTime64(6, 'UTC'), noted_by String, rows UInt64
    ) ENGINE = MergeTree ORDER BY (scope, organization_id, subject, noted_at)""",
    "raw.quality_results": """CREATE TABLE IF NOT EXISTS raw.quality_results (
        checked_at DateTime64(6, 'UTC'), check LowCardinality(String), organization_id LowCardinality(String), platform LowCardinality(String),
        account_id String, status LowCardinality(String) COMMENT 'ok, warn or fail', detail String
    ) ENGINE = MergeTree ORDER BY (organization_id, platform, account_id, check, checked_at)""",
    "marts.user_events": """CREATE TABLE IF NOT EXISTS marts.user_events (
        timestamp DateTime, user_id String, organization_id String, event_name String, event_properties String COMMENT 'JSON',
        session_id String, device_type String, browser String
    ) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (organization_id, user_id, timestamp)""",
    "marts.builds": """CREATE TABLE IF NOT EXISTS marts.builds (
        build_id UInt64, position UInt64, started_at DateTime64(6, 'UTC'), finished_at DateTime64(6, 'UTC'), models_built UInt32,
        tests_passed UInt32, tests_failed UInt32, models_checksum String, is_full Bool, partitions Array(UInt32), changed_slices UInt64
    ) ENGINE = MergeTree ORDER BY build_id""",
}
_PINNED = "FROM raw.build_events WHERE event IN ('pinned', 'restored')"
_VIEWS = {
    "raw.pinned_build": f"SELECT argMax(build_id, event_id) AS build_id {_PINNED}",
    "raw.pinned_parts": f"""SELECT intDiv(part, 1000000) AS bucket, part % 1000000 AS month, concat(toString(bucket), '-', toString(month)) AS partition_id
        FROM (SELECT arrayJoin(pinned) AS part FROM (SELECT argMax(partitions, event_id) AS pinned {_PINNED}))""",
    "raw.pinned_partitions": f"""SELECT organization_id, partition FROM raw.pinned_pairs
        WHERE build_id = (SELECT build_id FROM raw.pinned_build)
            AND {numbered("partition")} IN (SELECT arrayJoin(pinned) FROM (SELECT argMax(partitions, event_id) AS pinned {_PINNED}))""",
    "raw.pinned_slices": """SELECT report, date, organization_id, integration_id, account_id, load_id, row_count, content_hash, observed_at
        FROM raw.current_slices WHERE build_id = (SELECT build_id FROM raw.pinned_build)""",
    "raw.pinned_slices__as_of": as_of_slices(),
}


class Schema:
    """What stands in the databases, read once; makes what is missing or has changed. Nothing is ever dropped."""

    def __init__(self, client: Client) -> None:
        tables = client.query("SELECT concat(database, '.', name), comment FROM system.tables WHERE database IN ('raw', 'marts')").result_rows
        self._comments: dict[str, str] = {str(row[0]): str(row[1]) for row in tables}
        self._columns: dict[str, dict[str, str]] = {}

    def ledger(self, client: Client) -> None:
        """Make the ledger's own tables and views."""
        missing = [name for name in _TABLES if name not in self._comments]
        if missing:
            for database in DATABASES:
                client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
        for name in missing:
            client.command(_TABLES[name])
            self._comments[name] = ""
        for name, query in _VIEWS.items():
            self.view(client, name, query)

    def view(self, client: Client, name: str, query: str) -> None:
        """Create a view, or replace it where its query is another one; its comment keeps the query's digest."""
        digest = blake2b(query.encode(), digest_size=8).hexdigest()
        if self._comments.get(name) != digest:
            client.command(f"CREATE OR REPLACE VIEW {name} AS {query} COMMENT '{digest}'", settings={"max_query_size": _LONGEST})
            self._comments[name] = digest

    def report(self, client: Client, report: Report) -> None:
        """Make a report's raw table and views, and add the columns that are new.

        Raises ConfigurationError where a column exists with another type than the report's.
        """
        table = raw_table(report)
        if table not in self._comments:
            client.command(report_statement(report))
        else:
            self._add_columns(client, report)
        names = raw_columns(report)
        self.view(client, f"{table}__current", pinned_rows(report.table, names))
        self.view(client, f"{table}__as_of", as_of_rows(report.table, names))

    def _add_columns(self, client: Client, report: Report) -> None:
        known = self._known(client, report.table)
        for column in report.columns:
            if known.get(column.name, clickhouse_type(column)) != clickhouse_type(column):
                raise ConfigurationError(
                    f"raw.{report.table} holds the column {column.name} as {known[column.name]}, and the report now calls for {clickhouse_type(column)}",
                    fix="Give the new column another name: raw rows are never rewritten",
                )
        missing = [column for column in report.columns if column.name not in known]
        if missing:
            additions = ", ".join(f"ADD COLUMN IF NOT EXISTS {_definition(column)}" for column in missing)
            client.command(f"ALTER TABLE {raw_table(report)} {additions}")

    def _known(self, client: Client, table: str) -> dict[str, str]:
        """Return the types of a table's columns by name; one query reads those of every table."""
        if not self._columns:
            for of, name, kind in client.query("SELECT table, name, type FROM system.columns WHERE database = 'raw'").result_rows:
                self._columns.setdefault(of, {})[name] = kind
        return self._columns.get(table, {})


def ledger_statements() -> tuple[str, ...]:
    """Return the statements that make the databases and the ledger's own tables on one server."""
    return (*(f"CREATE DATABASE IF NOT EXISTS {database}" for database in DATABASES), *_TABLES.values())


def report_statement(report: Report) -> str:
    """Return the statement that makes a report's raw table."""
    columns = [*(f"`{name}` {kind}" for name, kind in LEDGER_COLUMNS), *(_definition(column) for column in report.columns)]
    return (
        f"CREATE TABLE IF NOT EXISTS {raw_table(report)} ({', '.join(columns)}) ENGINE = MergeTree PARTITION BY toYYYYMM(_date)"
        " ORDER BY (_organization_id, _integration_id, _account_id, _date, _load_id)"
    )


def create_ledger_tables(client: Client) -> None:
    """Create the databases and the ledger's own tables where they are missing."""
    Schema(client).ledger(client)


def create_raw_tables(client: Client, reports: Iterable[Report]) -> None:
    """Create the ledger's tables and, per report, its raw table, `__current` and `__as_of` views; add columns that are new.

    Raises ConfigurationError where a column exists with another type than the report's.
    """
    schema = Schema(client)
    schema.ledger(client)
    for report in reports:
        schema.report(client, report)


def create_views(client: Client, queries: Mapping[str, str]) -> None:
    """Create views by qualified name, or replace those whose query is another one."""
    schema = Schema(client)
    for name, query in queries.items():
        schema.view(client, name, query)


def mart_columns(client: Client) -> list[tuple[str, tuple[str, ...]]]:
    """Return the stored tables of `marts` with their columns."""
    rows = client.query(
        """SELECT c.table, groupArray(c.name) FROM system.columns AS c INNER JOIN system.tables AS t ON c.database = t.database AND c.table = t.name
        WHERE c.database = 'marts' AND t.engine LIKE '%MergeTree%' GROUP BY 1 ORDER BY 1"""
    ).result_rows
    return [(str(table), tuple(columns)) for table, columns in rows]


def clickhouse_type(column: Column) -> str:
    """Return a column's ClickHouse type as `system.columns` spells it."""
    name = _TYPES[column.type]
    return f"Nullable({name})" if column.nullable else name


def raw_columns(report: Report) -> tuple[str, ...]:
    """Name the columns of a report's raw table in order, the ledger's first."""
    return tuple(raw_structure(report))


def raw_structure(report: Report) -> dict[str, str]:
    """Return the columns of a report's raw table with their ClickHouse types, in order."""
    return {**dict(LEDGER_COLUMNS), **{column.name: clickhouse_type(column) for column in report.columns}}


def raw_table(report: Report) -> str:
    """Return the checked, qualified name of a report's raw table."""
    if not _NAME.fullmatch(report.table):
        raise ValueError(f"{report.table!r} cannot name a table")
    return f"raw.{report.table}"


def _definition(column: Column) -> str:
    if not _NAME.fullmatch(column.name):
        raise ValueError(f"{column.name!r} cannot name a column")
    comment = column.doc.replace("\\", "\\\\").replace("'", "\\'")
    return f"`{column.name}` {clickhouse_type(column)} COMMENT '{comment}'{_CODECS.get(column.type, '')}"
