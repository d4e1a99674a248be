"""kill -9 of the demo at a random moment, then a rerun: the same current slices and marts as if nothing had happened.

MRM_KILLS sets how many moments are tried (two here; ten take some minutes).
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from home.directory import Home
from warehouse.client import Warehouse

pytestmark = [pytest.mark.xdist_group("journey"), pytest.mark.slow]
KILLS = int(os.environ.get("MRM_KILLS", "2"))
OURS = ("_load_id", "_integration_id", "_organization_id", "integration_id", "organization_id", "project_id")
"""Columns that are made anew in every home."""
STATE = """
    SELECT database, name, arrayStringConcat(groupArray(concat('`', column, '`')), ', ')
    FROM (SELECT table, database, table AS name, name AS column FROM system.columns WHERE database IN ('raw', 'marts') ORDER BY position)
    WHERE (database = 'raw' AND name LIKE '%\\_\\_current' OR name IN ('fct_ad_performance_daily', 'campaign_metrics')) AND column NOT IN {ours:Array(String)}
    GROUP BY database, name ORDER BY database, name
"""


def checksums(home: Path) -> dict[str, tuple[int, int]]:
    """Return rows and an order-free checksum of every current slice and mart."""
    with Warehouse.open(Home.open(home)) as warehouse, warehouse.client() as client:
        tables = client.query(STATE, parameters={"ours": list(OURS)}).result_rows
        return {
            f"{database}.{name}": tuple(client.query(f"SELECT count(), sum(cityHash64({columns})) FROM {database}.`{name}`").first_row)  # type: ignore[misc]
            for database, name, columns in tables
        }


def start(home: Path, dataset: Path) -> "subprocess.Popen[str]":
    """Start a demo in a process group of its own."""
    command = [sys.executable, "-m", "mrm", "demo", "--no-serve", "--json", "--home", str(home), "--dataset", str(dataset), "--today", "2026-03-01"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_demo_killed_at_any_moment_ends_the_same(seed: int, tmp_path: Path, demo_home: tuple[Path, dict[str, Any]], dataset: Path, mrm: Any) -> None:
    reference, printed = demo_home
    expected = checksums(reference)
    home = tmp_path / "home"
    moment = random.Random(seed).uniform(1, float(printed["seconds"]))
    with start(home, dataset) as killed:
        time.sleep(moment)  # the moment of the kill is the point of this test
        killed.send_signal(signal.SIGKILL)
    again = mrm("demo", "--no-serve", "--json", "--home", str(home), "--dataset", str(dataset), "--today", "2026-03-01")
    assert again.returncode == 0, (moment, again.stderr)
    found = checksums(home)
    mrm("down", "--home", str(home))
    assert len(found) > 10
    assert found == expected, moment
    assert all(value == 0 for s in json.loads(again.stdout)["sources"] for value in s["reconciled"].values())
