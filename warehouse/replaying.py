"""The rows of one committed load: what the ledger says of them, what is in the raw table, and the same rows put back."""

# ruff: noqa: S608 - table names come from the reports and are checked, every value is bound

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from domain.catalogue import Report
from domain.windows import DateWindow
from warehouse.appending import Appender
from warehouse.client import Warehouse
from warehouse.delivered import EPOCH, checked, slice_numbers
from warehouse.failures import translated
from warehouse.hashing import SliceHasher
from warehouse.raw import raw_table

Content = dict[date, tuple[int, str]]
"""Rows and content hash by date; dates without rows are absent."""
_MINE = """_organization_id = {organization_id:String} AND _integration_id = {integration_id:String} AND _account_id = {account_id:String}
    AND _date BETWEEN {since:Date} AND {until:Date} AND _load_id = {load_id:String}"""


@dataclass(frozen=True)
class StoredLoad:
    """A committed load that stored rows of its own, and what the ledger says of them."""

    load_id: str
    organization_id: str
    integration_id: str
    report: str
    account_id: str
    window: DateWindow
    content: Content

    @property
    def parameters(self) -> dict[str, object]:
        """Return the values that the statements bind."""
        named = {name: getattr(self, name) for name in ("load_id", "organization_id", "integration_id", "account_id")}
        return {**named, "since": self.window.since, "until": self.window.until}


def stored_loads(client: Client, organization_id: str, integration_id: str, since: date, until: date) -> list[StoredLoad]:
    """List an integration's committed loads that stored rows for a window of dates, both inclusive, in the order of the commits."""
    with translated():
        rows = client.query(
            """SELECT load_id, organization_id, integration_id, report, account_id, since, until, dates, row_counts, hashes, stored FROM raw.loads
            WHERE organization_id = {organization:String} AND integration_id = {integration:String} AND since <= {until:Date} AND until >= {since:Date}
            ORDER BY load_id""",
            parameters={"organization": organization_id, "integration": integration_id, "since": since, "until": until},
        ).result_rows
    loads = []
    for load_id, organization, integration, report, account, first, last, dates, counts, hashes, stored in rows:
        content = {d: (int(n), h) for d, n, h, own in zip(dates, counts, hashes, stored, strict=True) if own and n}
        if content:
            loads.append(StoredLoad(load_id, organization, integration, report, account, DateWindow(first, last), content))
    return loads


def content_of(tables: Iterable[pa.Table], report: Report, load: StoredLoad) -> Content:
    """Count and hash rows by date as a load does; dates that the load did not store are left out."""
    hasher = SliceHasher(report, load.window.days)
    for rows in tables:
        if len(rows):
            whole = checked(rows, report)
            hasher.add(whole, slice_numbers(whole, report, load.window))
    found = {day: (int(hasher.counts[number]), hasher.digest(number)) for number, day in enumerate(load.window.dates()) if hasher.counts[number]}
    return {day: content for day, content in found.items() if day in load.content}


def raw_rows(client: Client, report: Report, load: StoredLoad) -> Iterator[pa.Table]:
    """Read the rows that the raw table holds of a load."""
    names = ", ".join(f"`{column.name}`" for column in report.columns)
    settings = {"output_format_arrow_string_as_string": 1, "output_format_arrow_low_cardinality_as_dictionary": 0}
    sql = f"SELECT {names} FROM {raw_table(report)} WHERE {_MINE}"
    with translated():
        found = client.query_arrow(sql, parameters=load.parameters, settings=settings)
    columns = [_as_sent(found.column(c.name), c.type.arrow) for c in report.columns]
    yield pa.table(columns, schema=report.schema)


def put_back(warehouse: Warehouse, report: Report, load: StoredLoad, tables: Iterable[pa.Table]) -> int:
    """Replace what the raw table holds of a load by rows that were proved equal to the ledger's, under the same load id; return how many."""
    days = np.array([day in load.content for day in load.window.dates()])
    constants = {"_load_id": load.load_id, "_organization_id": load.organization_id}
    appender = Appender(warehouse, report, {**constants, "_integration_id": load.integration_id, "_account_id": load.account_id})
    written = 0
    try:
        with translated(), warehouse.client() as client:
            client.command(f"ALTER TABLE {raw_table(report)} DELETE WHERE {_MINE}", parameters=load.parameters, settings={"mutations_sync": 2})
            for rows in tables:
                if not len(rows):
                    continue
                whole = checked(rows, report)
                numbers = slice_numbers(whole, report, load.window)
                own = days[numbers]
                dates = pa.array(numbers[own].astype(np.int32) + (load.window.since - EPOCH).days, pa.int32()).cast(pa.date32())
                appender.add(whole.filter(pa.array(own)), dates)
                written += int(own.sum())
            appender.finish()
    finally:
        appender.close()
    return written


def _as_sent(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Turn ClickHouse's Arrow into the report's: its Date travels as a 16-bit number of days, its Bool as one of 8 bits in old servers."""
    if column.type == kind:
        return column
    if pa.types.is_date32(kind) and pa.types.is_integer(column.type):
        return column.cast(pa.int32()).cast(kind)
    return column.cast(kind)
