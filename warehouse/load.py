"""One pull on its way into the ledger: pages in, one commit out."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from domain.catalogue import Report
from domain.errors import DataQualityError, IncompleteAnswer, LoadExpired, UsageError
from domain.windows import DateWindow
from home.directory import Home
from warehouse.appending import Appender
from warehouse.client import Warehouse
from warehouse.delivered import EPOCH, checked, slice_numbers
from warehouse.failures import AWAY, translated
from warehouse.forgetting import VISITOR_COLUMNS, forgotten_visitors
from warehouse.hashing import SliceHasher
from warehouse.leases import LoadLease, Opened, new_load_id
from warehouse.recording import CurrentSlice, Proposal, current_slices, expired, record
from warehouse.spool import SUFFIX, Spool


@dataclass(frozen=True)
class LoadKey:
    """Whose rows: with a report and a date this names a slice."""

    organization_id: str
    integration_id: str
    account_id: str


@dataclass(frozen=True)
class Pull:
    """What a load pulls: `observed_at` is the home's clock when it began, `account_today` the date in the account then."""

    key: LoadKey
    report: Report
    window: DateWindow
    observed_at: datetime
    account_today: date
    known: Mapping[date, CurrentSlice] | None = None
    """The current slices of the window (others are left alone) where somebody has read them; None: the load reads them."""


@dataclass(frozen=True)
class Commit:
    """What a load committed: rows delivered, dates whose content is new or changed, dates found as they were.

    `dates_restated` counts those of the changed that had a current slice before.
    """

    load_id: str
    rows: int
    dates_changed: int
    dates_verified: int
    dates_restated: int = 0


class Load:
    """One pull under way. Use it as a context: left without `commit`, or by an exception, it never counts.

    Dates without a current slice are appended to the raw table as they arrive. Dates that have one are spooled, and only those
    that differ are appended at the commit. `write` holds no more than a batch of rows.
    """

    def __init__(self, warehouse: Warehouse, home: Home, pull: Pull, lease: timedelta, passing: Callable[[str], None], opened: Opened | None = None) -> None:
        self.load_id = opened.load_id if opened else new_load_id()
        self._pull, self._report, self._window, self._passing = pull, pull.report, pull.window, passing
        self._spool_path = home.directory("spool") / f"{self.load_id}{SUFFIX}"
        self._spool: Spool | None = None
        self._hasher = SliceHasher(pull.report, pull.window.days)
        self._keys: list[npt.NDArray[np.uint64]] = []
        self._known: dict[date, CurrentSlice] = {}
        self._ended = self._uncertain = False
        self._client = warehouse.client()
        self._appender = Appender(warehouse, pull.report, self._constants())
        self._lease = LoadLease(warehouse, self._client, self.load_id, lease)
        try:
            with translated():
                if opened:
                    self._lease.take_over(opened)
                else:
                    self._lease.open(pull.key.organization_id, pull.key.integration_id, pull.report.table, pull.key.account_id)
                self._direct = np.ones(pull.window.days, dtype=np.bool_)
                self._visitor = next((column.name for column in pull.report.columns if column.name in VISITOR_COLUMNS), "")
                self._forgotten = forgotten_visitors(self._client, pull.key.organization_id) if self._visitor else frozenset()
                self._known = self._current()
                for day in self._known:
                    self._direct[(day - pull.window.since).days] = False
            passing("opened")
        except BaseException:
            self.abandon()
            raise

    def write(self, rows: pa.Table) -> None:
        """Append one page of rows with the report's columns.

        Raises DataQualityError for rows that are not the report's, hold NaN or lie outside the window; LoadExpired; DiskFull.
        """
        self._require_open()
        rows = self._without_forgotten(checked(rows, self._report))
        if not len(rows):
            return
        numbers = slice_numbers(rows, self._report, self._window)
        self._keys.append(self._hasher.add(rows, numbers))
        direct = self._direct[numbers]
        if direct.all():
            self._append(rows, numbers)
        elif not direct.any():
            self._keep(rows)
        else:
            self._append(rows.filter(pa.array(direct)), numbers[direct])
            self._keep(rows.filter(pa.array(~direct)))
        self._passing("written")

    def commit(self, proof: str) -> Commit:
        """Commit every date of the window, empty ones too, as the platform now answers.

        `proof` is the platform's own sign of completeness. Raises IncompleteAnswer without one, DataQualityError for two rows
        of one natural key, LoadExpired when the lease is over, DiskFull. After any of them nothing has changed, and the load is over.
        """
        self._require_open()
        try:
            return self._commit(proof)
        except BaseException:
            self.abandon()
            raise

    def _commit(self, proof: str) -> Commit:
        if not proof.strip():
            raise IncompleteAnswer(
                f"the answer to {self._report.name} for {self._window} carries no proof of completeness",
                platform=self._report.platform,
                account_id=self._pull.key.account_id,
                fix="Sync again; an answer that does not prove itself complete is never committed",
            )
        self._require_unique()
        with translated():
            proposal = self._proposal(proof)
            stored = np.array(proposal.stored)
            self._append_changed(stored)
            self._passing("rows_stored")
            self._uncertain = True
            try:
                record(self._client, self._lease, proposal, int(self._hasher.counts[stored].sum()), self._passing, has_visitors=bool(self._visitor))
            except (LoadExpired, DataQualityError):
                self._uncertain = False
                raise
        self._end("committed")
        return Commit(self.load_id, proposal.rows, proposal.stored.count(True), proposal.stored.count(False), int((stored & ~self._direct).sum()))

    @property
    def uncertain(self) -> bool:
        """Tell whether the commit was asked for and its outcome is not known: what belongs to it must stay."""
        return self._uncertain

    def abandon(self) -> None:
        """Give up what was not committed: its rows never count, and the next sweep deletes them. Harmless after a commit."""
        if not self._ended:
            self._end("abandoned")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()

    def _end(self, state: str) -> None:
        """Let go of everything. A commit that failed with its outcome unknown notes nothing: its lease runs out instead."""
        self._ended = True
        self._appender.close()
        self._lease.close()
        if self._spool is not None:
            self._spool.close()
        with suppress(*AWAY):
            if state == "abandoned" and not self._uncertain:
                self._lease.note(state)
        self._client.close()

    def _require_open(self) -> None:
        if self._ended:
            raise UsageError(f"The load {self.load_id} is over", fix="Open another one")
        if self._lease.lost:
            raise expired(self.load_id)

    def _constants(self) -> dict[str, str]:
        key = self._pull.key
        return {"_load_id": self.load_id, "_organization_id": key.organization_id, "_integration_id": key.integration_id, "_account_id": key.account_id}

    def _current(self) -> dict[date, CurrentSlice]:
        key, window, table, known = self._pull.key, self._window, self._report.table, self._pull.known
        if known is None:
            known = current_slices(self._client, key.organization_id, key.integration_id, [table], key.account_id, window.since, window.until)[table]
        return {day: slice_ for day, slice_ in known.items() if window.since <= day <= window.until}

    def _without_forgotten(self, rows: pa.Table) -> pa.Table:
        """Drop the rows of visitors that were forgotten, before anything is counted or hashed."""
        if not self._forgotten or not len(rows):
            return rows
        return rows.filter(pc.invert(pc.is_in(rows.column(self._visitor), pa.array(sorted(self._forgotten), pa.string()))))

    def _append(self, rows: pa.Table, numbers: npt.NDArray[np.uint16]) -> None:
        days = numbers.astype(np.int32) + (self._window.since - EPOCH).days
        with translated():
            self._appender.add(rows, pa.array(days, pa.int32()).cast(pa.date32()))

    def _keep(self, rows: pa.Table) -> None:
        if self._spool is None:
            self._spool = Spool(self._spool_path, self._report.schema)
        self._spool.write(rows)

    def _append_changed(self, stored: npt.NDArray[np.bool_]) -> None:
        """Append the spooled rows of changed dates, and wait until the server has all rows."""
        wanted = stored & ~self._direct & (self._hasher.counts > 0)
        if self._spool is not None and wanted.any():
            for rows in self._spool.read():
                numbers = slice_numbers(rows, self._report, self._window)
                chosen = wanted[numbers]
                self._append(rows.filter(pa.array(chosen)), numbers[chosen])
        self._appender.finish()

    def _require_unique(self) -> None:
        keys = np.concatenate(self._keys) if self._keys else np.zeros(0, dtype=np.uint64)
        self._keys.clear()
        keys.sort()
        doubled = int((keys[1:] == keys[:-1]).sum())
        if doubled:
            raise DataQualityError(
                f"{self._report.platform} {self._report.name}, account {self._pull.key.account_id}: {doubled} of {len(keys)} rows repeat a natural key",
                why=f"The key is {', '.join(self._report.key)} within the account; a page came twice, or the report needs another key",
                fix="Sync again; nothing of this load was committed",
            )

    def _proposal(self, proof: str) -> Proposal:
        """Say of each date whether it is as it was when its slice was read. A committed load's rows stay until they are superseded, but for a
        forgotten visitor's, which end this load.
        """
        current = self._known
        dates = list(self._window.dates())
        hashes = [self._hasher.digest(number) for number in range(len(dates))]
        verified = [
            not self._direct[number] and day in current and current[day].content_hash == hashes[number]
            for number, day in enumerate(dates)
        ]  # fmt: skip
        return Proposal(
            load_id=self.load_id,
            organization_id=self._pull.key.organization_id,
            integration_id=self._pull.key.integration_id,
            platform=self._report.platform,
            report=self._report.table,
            account_id=self._pull.key.account_id,
            since=self._window.since,
            until=self._window.until,
            observed_at=self._pull.observed_at,
            account_today=self._pull.account_today,
            snapshot=not self._report.date_column,
            proof=proof,
            dates=dates,
            row_counts=self._hasher.counts.tolist(),
            hashes=hashes,
            stored=[not same for same in verified],
            rows_load_id=[current[day].rows_load_id if same else self.load_id for day, same in zip(dates, verified, strict=True)],
            rows=int(self._hasher.counts.sum()),
        )
