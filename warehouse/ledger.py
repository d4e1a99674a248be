"""The loads ledger: rows are appended under a load id, and ONE row in `raw.loads`, in one part, is the commit.

Whatever dies before that row leaves the previous state: rows without a commit are joined by nobody, and are swept once their
lease is over. The winner of a slice is the load with the greatest (observed_at, load_id), as a whole: vanished rows vanish, an
empty complete answer clears the day, a failed pull changes nothing, and a slow old backfill never beats a fresher pull.

Durable means what ClickHouse means by it: a committed load survives kill -9 of every process. A power cut may take rows that
the kernel still held in memory; the build's count of rows against the ledger then says so.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.catalogue import Report
from domain.errors import UsageError
from domain.windows import DateWindow
from home.directory import Home
from warehouse.client import Warehouse
from warehouse.failures import translated
from warehouse.leases import LEASE, DeadLoad, LeasesAhead, sweep_loads
from warehouse.load import Commit, Load, LoadKey, Pull
from warehouse.planning import ledger_position
from warehouse.raw import Schema, create_ledger_tables
from warehouse.recording import CurrentSlice, current_slices
from warehouse.spool import sweep_spool

__all__ = ["Commit", "DeadLoad", "Ledger", "Load", "LoadKey"]

_NOWHERE = ZoneInfo("Etc/GMT+12")
"""Where a date ends last: an account of unknown zone has complete dates only where they are over everywhere."""


class Ledger:
    """Open loads, sweep dead ones, and tell the ledger's position.

    `passing` is called with the name of each point that a load or a sweep passes; the crash tests die there.
    """

    def __init__(self, warehouse: Warehouse, home: Home, *, lease: timedelta = LEASE, passing: Callable[[str], None] = lambda point: None) -> None:
        self._warehouse, self._home, self._lease, self._passing = warehouse, home, lease, passing
        self._created: set[Report] = set()
        self._schema: Schema | None = None
        self._creating = threading.Lock()

    def open(
        self,
        key: LoadKey,
        report: Report,
        window: DateWindow,
        observed_at: datetime,
        *,
        timezone: str = "",
        today: date | None = None,
        known: Mapping[date, CurrentSlice] | None = None,
        leases: LeasesAhead | None = None,
    ) -> Load:
        """Open a load of one report of one account for a window, under a lease.

        `observed_at` is the home's clock when the pull begins, UTC-aware. `timezone` is the account's IANA zone: it says which
        dates are complete. `today` is the account's where a clock tells it otherwise: a pinned one stays on its date in every zone
        while its hours run. A snapshot's window is one day, the account's today. `known` are the window's current slices where
        `current` has read them for several loads at once; `leases` are those that `ahead` opens together.
        """
        if observed_at.tzinfo is None:
            raise ValueError("observed_at must be UTC-aware")
        if not report.date_column and window.days != 1:
            raise UsageError(f"{report.name} is a snapshot: its window is one day, not {window}", fix="Pass the account's today as since and until")
        self._create_table(report)
        today = today or observed_at.astimezone(ZoneInfo(timezone) if timezone else _NOWHERE).date()
        pull = Pull(key, report, window, observed_at.astimezone(UTC), today, known)
        with translated():
            opened = leases.take(report.table) if leases else None
        return Load(self._warehouse, self._home, pull, self._lease, self._passing, opened)

    @contextmanager
    def ahead(self, key: LoadKey, reports: Iterable[Report]) -> Iterator[LeasesAhead]:
        """Give `open` leases for one load of each report of an account that follow each other soon; they are written when the first is opened."""
        leases = LeasesAhead(self._warehouse, key.organization_id, key.integration_id, key.account_id, [r.table for r in reports], self._lease)
        try:
            yield leases
        finally:
            leases.close()

    def current(self, key: LoadKey, reports: Iterable[Report], window: DateWindow) -> Mapping[str, Mapping[date, CurrentSlice]]:
        """Return an account's current slices in a window, by raw table and date; dates never pulled are absent."""
        tables = [report.table for report in reports]
        with translated(), self._warehouse.client(readonly=True) as client:
            return current_slices(client, key.organization_id, key.integration_id, tables, key.account_id, window.since, window.until)

    def sweep(self, landed: Callable[[DeadLoad], object] = lambda load: None) -> int:
        """Delete what expired and abandoned loads left: rows, then spool files. Return how many loads were swept.

        `landed` is called for each of them, to delete the bytes that landed.
        """
        with translated(), self._warehouse.client() as client:
            create_ledger_tables(client)
            swept = sweep_loads(client, self._passing, landed)
        sweep_spool(self._home.directory("spool"))
        return swept

    def position(self) -> int:
        """Count the commits: a number that only grows."""
        with translated(), self._warehouse.client() as client:
            return ledger_position(client)

    def _create_table(self, report: Report) -> None:
        with self._creating:
            if report not in self._created:
                with translated(), self._warehouse.client() as client:
                    if self._schema is None:
                        schema = Schema(client)
                        schema.ledger(client)
                        self._schema = schema
                    self._schema.report(client, report)
                self._created.add(report)
