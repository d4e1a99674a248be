"""Builds: pin the ledger, say which partitions (an organization's bucket in a month) the models must rewrite, and publish the data version when they have.

One build runs, others wait for it (a lock of the home, freed by the kernel however its holder dies) and then find what is left
to do, often nothing. Homes that share one ClickHouse see each other's builds by heartbeats.
"""

import fcntl
import threading
import time
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from clickhouse_connect.driver.client import Client

from domain.errors import Conflict
from home.directory import Home
from warehouse.build_events import LEASE, Build, Pin, attempts_since, last_build, next_build_id, note, pinned_build, unfinished
from warehouse.client import Warehouse
from warehouse.failures import AWAY, translated
from warehouse.partitions import months, partition_ids
from warehouse.planning import (
    all_partitions,
    changed_partitions,
    count_changed_slices,
    drop_slices,
    ledger_position,
    require_counts,
    write_current_slices,
    write_pinned_pairs,
)
from warehouse.raw import create_ledger_tables
from warehouse.slices import number

_POLL = 0.5


@dataclass(frozen=True)
class Plan:
    """A build under way: its pinned position and what to rewrite; `full`: the models are made anew.

    `partitions` are the months (YYYYMM), `parts` the partitions in them, as numbers of `warehouse.partitions`. A month whose rows
    all vanished stands in both too.
    """

    build_id: int
    position: int
    partitions: tuple[str, ...]
    parts: tuple[int, ...]
    changed_slices: int
    full: bool
    models_checksum: str
    started_at: datetime

    @property
    def partition_ids(self) -> tuple[str, ...]:
        """Return ClickHouse's ids of the partitions to rewrite, `bucket-YYYYMM`."""
        return partition_ids(self.parts)

    @property
    def dbt_vars(self) -> dict[str, Any]:
        """Return what dbt gets as --vars."""
        return {"build_id": self.build_id, "partitions": list(self.partitions), "full": self.full}


DataVersion = Build
"""A published build is the data version that caches, ETags, reports and facts carry."""


class Builds:
    """Plan, publish or fail one build at a time. Give each run its own object: planning again gives up this object's last plan."""

    def __init__(self, warehouse: Warehouse, home: Home) -> None:
        self._warehouse, self._home = warehouse, home
        self._lock: IO[str] | None = None
        self._stopped = threading.Event()

    def plan(self, models_checksum: str = "", full: bool = False) -> Plan | None:
        """Pin the ledger as it is now and return what changed since the last published build, or None if nothing did.

        Waits while another build runs. A changed `models_checksum` (the dbt project's) or `full` plans everything anew. Builds
        that failed or died since the last published one leave their months to this one. Raises DataQualityError where raw rows
        contradict the ledger.
        """
        self._take_lock()
        try:
            with translated(), self._warehouse.client() as client:
                create_ledger_tables(client)
                self._await_others(client)
                plan = self._plan(client, models_checksum, full)
        except BaseException:
            self._release()
            raise
        if plan is None:
            self._release()
        else:
            self._start_heartbeat(plan.build_id)
        return plan

    def publish(self, plan: Plan, models_built: int, tests_passed: int, tests_failed: int) -> DataVersion:
        """Publish: one row in `marts.builds`. Raises Conflict where another build has taken over meanwhile."""
        with translated(), self._warehouse.client() as client:
            self._require_pinned(client, plan)
            client.command(
                """INSERT INTO marts.builds SELECT {build_id:UInt64}, {position:UInt64}, parseDateTime64BestEffort({started_at:String}, 6, 'UTC'),
                    now64(6, 'UTC'), {models:UInt32}, {passed:UInt32}, {failed:UInt32}, {checksum:String}, {full:Bool}, {partitions:Array(UInt32)},
                    {changed:UInt64}""",
                parameters={
                    "build_id": plan.build_id,
                    "position": plan.position,
                    "started_at": plan.started_at.isoformat(),
                    "models": models_built,
                    "passed": tests_passed,
                    "failed": tests_failed,
                    "checksum": plan.models_checksum,
                    "full": plan.full,
                    "partitions": list(plan.parts),
                    "changed": plan.changed_slices,
                },
            )
            note(client, self._home.id, plan.build_id, "published")
            drop_slices(client, keep=[plan.build_id])
            published = last_build(client)
        self._release()
        if published is None or published.build_id != plan.build_id:
            raise Conflict(f"Build {plan.build_id} was published and superseded at once", fix="Ask for last()")
        return published

    def fail(self, plan: Plan, why: str) -> None:
        """Note that the models or tests failed: the last published slices are pinned again, and the next plan redoes these months.

        Raises Unreachable where even that cannot be noted; the next plan finds out by itself, and this one holds nobody up.
        """
        try:
            with translated(), self._warehouse.client() as client:
                if pinned_build(client) == plan.build_id:
                    last = last_build(client)
                    note(client, self._home.id, plan.build_id, "failed", why=why[:2000])
                    if last is not None and last.build_id != plan.build_id:
                        note(client, self._home.id, last.build_id, "restored")
                        drop_slices(client, keep=[last.build_id])
        finally:
            self._release()

    def last(self) -> Build | None:
        """Return the last published build, None before the first."""
        with translated(), self._warehouse.client() as client:
            return last_build(client)

    def building(self) -> bool:
        """Tell whether a build runs now, here or in another home: the marts change under the reader."""
        with translated(), self._warehouse.client() as client:
            running = unfinished(client)
        if running is None:
            return False
        owner, alive = running
        return self._locked() if owner == self._home.id else alive

    def settled(self) -> bool:
        """Tell whether the marts are exactly the last published version: no build runs, and none failed or died since."""
        with translated(), self._warehouse.client() as client:
            return not attempts_since(client, last_build(client))

    def failure(self) -> str | None:
        """Return what the last build said when it failed, None where the last one was published or still runs."""
        with translated(), self._warehouse.client() as client:
            last = last_build(client)
            rows = client.query(
                """SELECT argMax(event, event_id), argMax(why, event_id) FROM raw.build_events
                WHERE build_id > {last:UInt64} AND event IN ('pinned', 'failed') HAVING count() > 0""",
                parameters={"last": last.build_id if last else 0},
            ).result_rows
        return str(rows[0][1]) if rows and rows[0][0] == "failed" else None

    def unbuilt(self) -> int | None:
        """Return the ledger's position where slices changed since the last published build began, None where nothing waits."""
        with translated(), self._warehouse.client() as client:
            last = last_build(client)
            waiting = number(
                client,
                "SELECT count() FROM raw.loads WHERE committed_at >= {since:DateTime64(6, 'UTC')} AND has(stored, true)",
                {"since": last.started_at if last else datetime.fromtimestamp(0, UTC)},
            )
            return ledger_position(client) if waiting else None

    def _plan(self, client: Client, models_checksum: str, full: bool) -> Plan | None:
        last = last_build(client)
        last_id = last.build_id if last else 0
        attempts = attempts_since(client, last)
        known_checksum = last.models_checksum if last else ""
        checksum = models_checksum or known_checksum
        full = full or checksum != known_checksum or any(is_full for _, is_full in attempts)
        build_id = next_build_id(client)
        started_at = datetime.now(UTC)
        drop_slices(client, keep=[last_id, pinned_build(client)])
        position = write_current_slices(client, build_id)
        changed = changed_partitions(client, build_id, last_id).union(*(parts for parts, _ in attempts))
        if last is None and changed:
            full = True
        if full:
            changed |= all_partitions(client, [build_id, last_id])
        if not changed and not full:
            drop_slices(client, keep=[last_id])
            return None
        parts = sorted(changed)
        require_counts(client, build_id, months(parts))
        slices = count_changed_slices(client, build_id, last_id, parts)
        write_pinned_pairs(client, build_id, parts)
        note(client, self._home.id, build_id, "pinned", Pin(position, parts, slices, full, checksum))
        drop_slices(client, keep=[build_id, last_id])
        return Plan(build_id, position, tuple(str(m) for m in months(parts)), tuple(parts), slices, full, checksum, started_at)

    def _require_pinned(self, client: Client, plan: Plan) -> None:
        last = last_build(client)
        if pinned_build(client) != plan.build_id or (last is not None and last.build_id >= plan.build_id):
            raise Conflict(f"Build {plan.build_id} is no longer the one under way", why="Another build took over, or this one was ended", fix="Plan again")

    def _take_lock(self) -> None:
        self._release()
        file = (self._home.directory("state") / "build.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except BaseException:
            file.close()
            raise
        self._lock = file

    def _release(self) -> None:
        self._stopped.set()
        self._stopped = threading.Event()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _locked(self) -> bool:
        """Tell whether some process or thread holds the home's build lock."""
        with (self._home.directory("state") / "build.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _await_others(self, client: Client) -> None:
        """Wait while another home's build lives."""
        while (running := unfinished(client)) is not None and running[0] != self._home.id and running[1]:
            time.sleep(_POLL)

    def _start_heartbeat(self, build_id: int) -> None:
        """Beat until this object is released or forgotten: a plan that its caller dropped holds nobody up."""
        arguments = (weakref.ref(self), self._stopped, self._warehouse, self._home.id, build_id)
        threading.Thread(target=_beat, args=arguments, name=f"build-{build_id}", daemon=True).start()


def _beat(builds: "weakref.ref[Builds]", stopped: threading.Event, warehouse: Warehouse, owner: str, build_id: int) -> None:
    while not stopped.wait(LEASE.total_seconds() / 4) and builds() is not None:
        try:
            with warehouse.client() as client:
                note(client, owner, build_id, "beat")
        except AWAY:
            continue  # the server is away: the build itself will say so
