"""Whatever dies, wherever it dies, the previous state stands and a rerun completes it."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import DiskFull
from warehouse.ledger import Ledger
from warehouse.spool import Spool

NOON = datetime(2024, 4, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
BEFORE_THE_COMMIT = ("opened", "written", "rows_stored")
AFTER_THE_COMMIT = ("recorded",)

CHILD = """
import json, os, signal, sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
import pyarrow as pa
from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level
from domain.windows import DateWindow
from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.ledger import Ledger, LoadKey

job = json.loads(sys.argv[1])
columns = tuple(Column(name, ColumnType(kind), "", nullable) for name, kind, nullable in job["columns"])
report = Report("meta_ads", "ad_daily", Level.AD, "insights", columns, ("day", "ad_id"), "day", 7, "")
rows = [(date.fromisoformat(day), ad, name, clicks, Decimal(spend), live) for day, ad, name, clicks, spend, live in job["rows"]]
page = pa.table([pa.array(values, c.type.arrow) for values, c in zip(zip(*rows), columns)], schema=report.schema)

def passing(point):
    if point == job["die_at"]:
        os.kill(os.getpid(), signal.SIGKILL)

warehouse = Warehouse.open(Home.open(Path(job["home"])), WarehouseSettings(clickhouse_url=job["url"]))
ledger = Ledger(warehouse, Home.open(Path(job["home"])), passing=passing)
window = DateWindow(date.fromisoformat(job["since"]), date.fromisoformat(job["until"]))
with ledger.open(LoadKey("org", "int", "acc"), report, window, datetime.fromisoformat(job["observed_at"])) as load:
    load.write(page.slice(0, 1))
    load.write(page.slice(1))
    load.commit("Total rows")
"""


def _run_child(agency, rows, since, until, die_at, repository):
    server = agency.warehouse
    job = {
        "home": str(agency.home.path),
        "url": f"http://{server.user}:{server.password}@{server.host}:{server.port}",
        "columns": [(c.name, str(c.type), c.nullable) for c in agency.report.columns],
        "rows": [(str(day), ad, name, clicks, str(spend), live) for day, ad, name, clicks, spend, live in rows],
        "since": str(since),
        "until": str(until),
        "observed_at": LATER.isoformat(),
        "die_at": die_at,
    }
    return subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(job)],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("point", ["written", "rows_stored", "recorded"])
def test_kill_9_leaves_the_previous_state_and_a_rerun_completes_it(agency, ad, day, repository, point):
    before = [ad(0, "a", 1), ad(1, "a", 2)]
    after = [ad(0, "a", 1), ad(1, "a", 3), ad(2, "b", 4)]
    agency.pull(before, day(0), day(1))
    died = _run_child(agency, after, day(0), day(2), point, repository)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert agency.current() == (after if point in AFTER_THE_COMMIT else before)
    assert agency.ledger.sweep() == 0  # its lease has not run out yet
    done = _run_child(agency, after, day(0), day(2), "nowhere", repository)
    assert done.returncode == 0, done.stderr
    assert agency.current() == after
    agency.command("ALTER TABLE raw.load_leases UPDATE expires_at = toDateTime64(0, 6, 'UTC') WHERE 1 SETTINGS mutations_sync = 2")
    assert agency.ledger.sweep() == (0 if point in AFTER_THE_COMMIT else 1)
    assert agency.current() == after
    assert list(agency.home.directory("spool").iterdir()) == []


@pytest.mark.parametrize("point", BEFORE_THE_COMMIT)
@pytest.mark.parametrize("known", [False, True])
def test_an_abort_before_the_commit_row_changes_nothing(agency, ad, point, known):
    before = [ad(0, "a", 1)] if known else []
    if known:
        agency.pull(before)

    def passing(here):
        if here == point:
            raise KeyboardInterrupt

    ledger = Ledger(agency.warehouse, agency.home, passing=passing)
    with pytest.raises(KeyboardInterrupt):
        agency.pull([ad(0, "b", 2)], observed_at=LATER, ledger=ledger)
    assert agency.current() == before
    assert agency.pull([ad(0, "b", 2)], observed_at=LATER).dates_changed == 1
    assert agency.current() == [ad(0, "b", 2)]


def test_an_abort_after_the_commit_row_keeps_it(agency, ad):
    def passing(here):
        if here == "recorded":
            raise KeyboardInterrupt

    ledger = Ledger(agency.warehouse, agency.home, passing=passing)
    with pytest.raises(KeyboardInterrupt):
        agency.pull([ad(0, "b", 2)], ledger=ledger)
    agency.command("ALTER TABLE raw.load_leases UPDATE expires_at = toDateTime64(0, 6, 'UTC') WHERE 1 SETTINGS mutations_sync = 2")
    assert agency.ledger.sweep() == 0
    assert agency.current() == [ad(0, "b", 2)]


def _on_a_full_disk(make):
    """Put spools on the device that is always full."""

    def made(self, path, schema):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "open", lambda path, mode: open("/dev/full", "wb", buffering=0))  # noqa: PTH123, SIM115
            make(self, path, schema)

    return made


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")  # house: a device of Linux
def test_a_full_disk_under_the_spool_is_named_and_leaves_nothing(agency, ad, monkeypatch):
    agency.pull([ad(0, "a", 1)])
    monkeypatch.setattr(Spool, "__init__", _on_a_full_disk(Spool.__init__))
    with pytest.raises(DiskFull, match="No space is left"):
        agency.pull([ad(0, "a", 2)], observed_at=LATER)
    monkeypatch.undo()
    assert agency.current() == [ad(0, "a", 1)]
    assert agency.pull([ad(0, "a", 2)], observed_at=LATER).dates_changed == 1


def test_a_full_clickhouse_disk_is_named_and_leaves_nothing_half_visible(agency, ad):
    agency.pull([ad(0, "a", 1)])
    agency.command("ALTER TABLE raw.raw_meta_ads__ad_daily MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000000")
    try:
        with pytest.raises(DiskFull, match="ClickHouse has no disk space left"):
            agency.pull([ad(0, "a", 2)], observed_at=LATER)
    finally:
        agency.command("ALTER TABLE raw.raw_meta_ads__ad_daily RESET SETTING min_free_disk_bytes_to_perform_insert")
    assert agency.current() == [ad(0, "a", 1)]
    assert agency.pull([ad(0, "a", 2)], observed_at=LATER).dates_changed == 1
