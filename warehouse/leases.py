"""Leases of loads: who may still commit, told by the server's clock, in append-only rows of `raw.load_leases`.

Committing and sweeping exclude each other. The commit statement itself reads the leases and writes only while more than SLACK
is left of its own and no sweeper has fenced it; the server stops it at half of SLACK (max_execution_time), so that it is over
before anybody may take the load for dead. The sweeper first writes `fenced` (a row that the commit statement sees), then reads
the leases again and withdraws where the load was renewed or committed meanwhile. So rows of a load that commits are never
deleted. This needs inserts to be visible to the next query: true of one ClickHouse server; a replicated one needs insert_quorum
with select_sequential_consistency.
"""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from clickhouse_connect.driver.client import Client

from warehouse.client import Warehouse
from warehouse.failures import AWAY
from warehouse.slices import number

LEASE = timedelta(minutes=5)
SLACK = timedelta(seconds=60)
"""What is left of a lease at least when the commit statement starts."""
KEPT = timedelta(days=7)
"""How long the leases of loads that are over stay readable."""

VALID = "max(expires_at) > now64(6, 'UTC') AND countIf(state IN ('abandoned', 'fenced', 'swept')) = 0"
"""Over the rows of one load: it lives."""
COMMITTABLE = f"{VALID} AND max(expires_at) > now64(6, 'UTC') + toIntervalSecond({int(SLACK.total_seconds())})"
"""Over the rows of one load: it lives, and for long enough that a commit statement ends before its lease does."""


@dataclass(frozen=True)
class DeadLoad:
    """A load that was given up or whose owner died: `report` is its raw table."""

    load_id: str
    organization_id: str
    integration_id: str
    report: str
    account_id: str


@dataclass(frozen=True)
class Opened:
    """A lease that stands already: its load's id, and this machine's monotonic second just before it was written."""

    load_id: str
    since: float


class LeasesAhead:
    """The leases of an account's next loads, one of each report: written together when the first is wanted, for one statement instead of one per load.

    Each is taken once, while less than a quarter of its life is over; after that its load opens a lease of its own. `close` ends those that nobody took;
    one that was taken belongs to its load, and runs out where that never came to be.
    """

    def __init__(self, warehouse: Warehouse, organization_id: str, integration_id: str, account_id: str, reports: Iterable[str], lease: timedelta) -> None:
        self._warehouse, self._whose, self._reports, self._lease = warehouse, (organization_id, integration_id, account_id), list(reports), lease
        self._left: dict[str, Opened] | None = None

    def take(self, report: str) -> Opened | None:
        """Return the lease of a report (its raw table); None where it is taken, too old, or not among those that were asked for.

        The first call writes them all. Raises Unreachable.
        """
        if self._left is None:
            since, ids = time.monotonic(), {name: new_load_id() for name in self._reports}
            with self._warehouse.client() as client:
                _open(client, *self._whose, ids, int(self._lease / timedelta(milliseconds=1)))
            self._left = {name: Opened(load_id, since) for name, load_id in ids.items()}
        found = self._left.get(report)
        if found is None or time.monotonic() - found.since > self._lease.total_seconds() / 4:
            return None
        return self._left.pop(report)

    def close(self) -> None:
        """Mark what nobody took as swept: no row was ever written under it."""
        if self._left:
            with suppress(*AWAY), self._warehouse.client() as client:
                _note_all(client, [opened.load_id for opened in self._left.values()], "swept")
        self._left = {}


class LoadLease:
    """The lease of one load, renewed by a thread of its own until it is closed.

    Times are the server's: this machine may sleep or be stopped, and its clock may be wrong.
    """

    def __init__(self, warehouse: Warehouse, client: Client, load_id: str, lease: timedelta) -> None:
        self._warehouse, self._client, self._id = warehouse, client, load_id
        self._milliseconds = int(lease / timedelta(milliseconds=1))
        self._until = time.monotonic() + lease.total_seconds()
        self._stopped = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, args=(max(lease.total_seconds() / 4, 0.05),), name=f"lease-{load_id}", daemon=True)

    def open(self, organization_id: str, integration_id: str, report: str, account_id: str) -> None:
        """Write the first row and start the heartbeat."""
        _open(self._client, organization_id, integration_id, account_id, {report: self._id}, self._milliseconds)
        self._thread.start()

    def take_over(self, opened: Opened) -> None:
        """Start the heartbeat of a lease that stands already."""
        self._until = opened.since + self._milliseconds / 1000
        self._thread.start()

    @property
    def lost(self) -> bool:
        """Tell whether a heartbeat found the lease expired or fenced."""
        return self._lost.is_set()

    @property
    def short(self) -> bool:
        """Tell whether, as far as this machine's clock knows, the lease is too near its end for a commit."""
        return self._until - time.monotonic() < 2 * SLACK.total_seconds()

    def renew(self, least: timedelta) -> bool:
        """Prolong a lease that is still valid, by at least `least`; False where it is not, and nothing is written."""
        return _renew(self._client, self._id, max(self._milliseconds, int(least / timedelta(milliseconds=1))))

    def note(self, state: str) -> None:
        """Write the last row of a load that gives up; one that commits needs none, its commit row says it."""
        _note_all(self._client, [self._id], state)

    def close(self) -> None:
        """Stop the heartbeat; the lease runs out by itself unless a last row was noted."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self, interval: float) -> None:
        while not self._stopped.wait(interval):
            try:
                begun = time.monotonic()
                with self._warehouse.client() as client:
                    if not _renew(client, self._id, self._milliseconds):
                        self._lost.set()
                        return
                self._until = begun + self._milliseconds / 1000
            except AWAY:
                continue  # the server is away: the lease decides when it is back


def new_load_id() -> str:
    """Return 32 hexadecimal digits that sort by the wall's microsecond, the rest random."""
    return f"{time.time_ns() // 1000:016x}{secrets.token_hex(8)}"


def _open(client: Client, organization_id: str, integration_id: str, account_id: str, ids: Mapping[str, str], milliseconds: int) -> None:
    """Write the first rows of leases; `ids` are the loads' by their reports."""
    client.command(
        """INSERT INTO raw.load_leases SELECT load.1, {organization_id:String}, {integration_id:String}, load.2, {account_id:String},
            'open', now64(6, 'UTC') + toIntervalMillisecond({ms:Int64}), now64(6, 'UTC')
        FROM (SELECT arrayJoin(arrayZip({load_ids:Array(String)}, {reports:Array(String)})) AS load)""",
        parameters={
            "load_ids": list(ids.values()),
            "organization_id": organization_id,
            "integration_id": integration_id,
            "reports": list(ids),
            "account_id": account_id,
            "ms": milliseconds,
        },
    )


def _again(state: str, expires: str) -> str:
    return f"""SELECT load_id, any(organization_id), any(integration_id), any(report), any(account_id), {state}, {expires}, now64(6, 'UTC')
        FROM raw.load_leases WHERE load_id IN {{load_ids:Array(String)}} GROUP BY load_id"""


def _renew(client: Client, load_id: str, milliseconds: int) -> bool:
    client.command(
        f"""INSERT INTO raw.load_leases {_again("'renewed'", "now64(6, 'UTC') + toIntervalMillisecond({ms:Int64})")} HAVING {VALID}""",
        parameters={"load_ids": [load_id], "ms": milliseconds},
    )
    return bool(number(client, f"SELECT {VALID} FROM raw.load_leases WHERE load_id = {{load_id:String}}", {"load_id": load_id}))


def sweep_loads(client: Client, passing: Callable[[str], None], landed: Callable[[DeadLoad], object] = lambda load: None) -> int:
    """Delete the rows of loads whose lease ran out or that were abandoned; return how many loads were swept.

    `landed` is called for each of them to delete what else it left.

    A load that holds a lease, or was committed, is left alone. A sweep that dies half way is taken up by the next. Leases of
    loads that have been over for KEPT go.
    """
    _forget(client)
    doomed = _expired(client)
    if not doomed:
        return 0
    _note_all(client, [load.load_id for load in doomed], "fenced")
    passing("fenced")
    doomed = _expired(client)  # without those that renewed or committed before our fence stood
    for load in doomed:
        _delete_rows(client, load)
        landed(load)
        passing("rows_deleted")
    _note_all(client, [load.load_id for load in doomed], "swept")
    return len(doomed)


def _expired(client: Client) -> list[DeadLoad]:
    rows = client.query(
        """SELECT load_id, any(organization_id), any(integration_id), any(report), any(account_id) FROM raw.load_leases GROUP BY load_id
        HAVING countIf(state = 'swept') = 0 AND (max(expires_at) <= now64(6, 'UTC') OR countIf(state = 'abandoned') > 0)
            AND load_id NOT IN (SELECT load_id FROM raw.loads)"""
    ).result_rows
    return [DeadLoad(*row) for row in rows]


def _forget(client: Client) -> None:
    """Delete the leases of loads that were committed or swept long ago; one that is merely expired stays until it is swept."""
    old = client.query(
        """SELECT load_id FROM raw.load_leases GROUP BY load_id
        HAVING max(noted_at) < now64(6, 'UTC') - toIntervalSecond({kept:UInt64})
            AND (countIf(state = 'swept') > 0 OR load_id IN (SELECT load_id FROM raw.loads))""",
        parameters={"kept": int(KEPT.total_seconds())},
    ).result_rows
    if old:
        client.command(
            "ALTER TABLE raw.load_leases DELETE WHERE load_id IN {load_ids:Array(String)}",
            parameters={"load_ids": [row[0] for row in old]},
        )


def _note_all(client: Client, load_ids: list[str], state: str) -> None:
    if load_ids:
        client.command(
            f"INSERT INTO raw.load_leases {_again('{state:String}', 'max(expires_at)')}",
            parameters={"load_ids": load_ids, "state": state},
        )


def _delete_rows(client: Client, dead: DeadLoad) -> None:
    table, load = f"raw.`{dead.report.replace('`', '')}`", vars(dead)
    if not number(client, "SELECT count() FROM system.tables WHERE database = 'raw' AND name = {report:String}", {"report": dead.report}):
        return
    where = """_organization_id = {organization_id:String} AND _integration_id = {integration_id:String}
        AND _account_id = {account_id:String} AND _load_id = {load_id:String}"""
    months = client.query(f"SELECT DISTINCT toYYYYMM(_date) FROM {table} WHERE {where}", parameters=load).result_rows
    for (month,) in months:
        client.command(f"DELETE FROM {table} IN PARTITION {int(month)} WHERE {where}", parameters=load)
