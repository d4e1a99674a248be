"""From nothing to a report: what a newcomer runs, in the order in which they run it; then kill -9 at random moments.

MRM_KILLS sets how many moments are tried, two in each home (two here; ten take some minutes).
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from home.directory import Home
from warehouse.client import Warehouse

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("MRM_KILLS", "2"))
OURS = ("_load_id", "_integration_id", "_organization_id", "integration_id", "organization_id", "project_id")
"""Columns that are made anew in every home."""
STATE = """
    SELECT database, table, arrayStringConcat(groupArray(concat('`', name, '`')), ', ')
    FROM (SELECT database, table, name FROM system.columns WHERE database IN ('raw', 'marts') ORDER BY database, table, position)
    WHERE (database = 'raw' AND endsWith(table, '__current') OR table IN ('fct_ad_performance_daily', 'campaign_metrics')) AND name NOT IN {ours:Array(String)}
    GROUP BY database, table ORDER BY database, table
"""
FEBRUARY = ("--since", "2026-02-01", "--until", "2026-02-28", "--format", "json")


def test_every_platform_is_pulled_and_reconciles_to_the_unit(demo_home: tuple[Path, dict[str, Any]]) -> None:
    _, result = demo_home
    assert [s["platform"] for s in result["sources"]] == ["google_ads", "meta_ads", "yandex_direct"]
    assert all(value == 0 for s in result["sources"] for value in s["reconciled"].values())
    assert all(s["data_through"] == "2026-02-28" for s in result["sources"])
    assert result["models"]["tests_failed"] == 0
    assert result["models"]["built"] > 10
    assert Path(result["report"]["path"]).read_text().startswith("<!doctype html>")


def test_totals_hold_campaigns_without_ads(demo_home: tuple[Path, dict[str, Any]], mrm: Any) -> None:
    home, _ = demo_home
    done = mrm("query", "--home", str(home), "--metrics", "impressions,clicks,spend,conversions", "--by", "currency", *FEBRUARY)
    rows = {row["currency"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows["RUB"] == {"currency": "RUB", "impressions": 7900, "clicks": 206, "spend": "2312.75", "conversions": 8.75}
    assert rows["USD"] == {"currency": "USD", "impressions": 4500, "clicks": 45, "spend": "22.44", "conversions": 3}


def test_money_over_two_currencies_is_refused_with_the_way_out(demo_home: tuple[Path, dict[str, Any]], mrm: Any) -> None:
    home, _ = demo_home
    done = mrm("query", "--home", str(home), "--metrics", "spend", *FEBRUARY)
    assert done.returncode == 2
    assert "--by currency" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_question_holds_periods_a_top_totals_a_comparison_and_a_conversion(demo_home: tuple[Path, dict[str, Any]], mrm: Any) -> None:
    home, _ = demo_home
    asked = ("--metrics", "spend,cpa", "--by", "campaign", "--grain", "month", "--top", "1", "--totals", "--compare", "year", "--currency", "RUB")
    answer = json.loads(mrm("query", "--home", str(home), *asked, "--where", "spend>=0.01", *FEBRUARY).stdout)
    assert [row["row_type"] for row in answer["rows"]] == ["row", "other", "total"]
    assert Decimal(answer["rows"][0]["spend"]) + Decimal(answer["rows"][1]["spend"]) == Decimal(answer["rows"][2]["spend"])
    assert {row["date"] for row in answer["rows"]} == {"2026-02-01", None}
    assert (answer["currency"], answer["comparison"]["since"]) == ("RUB", "2025-02-01")
    assert {"rows", "data_version", "freshness", "warnings", "sql"} <= set(answer)
    refused = mrm("query", "--home", str(home), "--metrics", "spend", "--currency", "XAU", *FEBRUARY)
    assert refused.returncode == 2
    assert "no exchange rate into XAU" in refused.stderr


def test_an_unknown_metric_offers_the_nearest(demo_home: tuple[Path, dict[str, Any]], mrm: Any) -> None:
    home, _ = demo_home
    done = mrm("query", "--home", str(home), "--metrics", "spand", *FEBRUARY)
    assert done.returncode == 2
    assert "spend" in done.stderr


def test_a_second_demo_keeps_the_build_and_the_report(demo_home: tuple[Path, dict[str, Any]], mrm: Any) -> None:
    home, first = demo_home
    again = json.loads(mrm("demo", "--no-serve", "--json", "--home", str(home)).stdout)
    assert again["reused"] is True
    assert (again["models"], again["data_version"]) == (first["models"], first["data_version"])
    assert (again["report"]["artifact_id"], again["report"]["version"]) == (first["report"]["artifact_id"], first["report"]["version"])
    assert all(value == 0 for s in again["sources"] for value in s["reconciled"].values())


def test_status_names_the_login_and_every_integration(demo_home: tuple[Path, dict[str, Any]], mrm: Any) -> None:
    home, _ = demo_home
    found = json.loads(mrm("status", "--home", str(home), "--json").stdout)
    assert found["login"]["email"] == "demo@mrm.local"
    assert {i["platform"]: i["last_error"] for i in found["integrations"]} == {"google_ads": None, "meta_ads": None, "yandex_direct": None}


def test_the_clock_does_not_go_back(demo_home: tuple[Path, dict[str, Any]], mrm: Any) -> None:
    home, _ = demo_home
    done = mrm("demo", "--no-serve", "--json", "--home", str(home), "--today", "2026-02-01")
    assert done.returncode == 3
    assert json.loads(done.stderr)["error"]["fix"]


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


@pytest.mark.parametrize("seed", range(0, KILLS, 2))
def test_a_demo_killed_at_any_moment_and_killed_again_ends_the_same(
    seed: int, tmp_path: Path, demo_home: tuple[Path, dict[str, Any]], dataset: Path, mrm: Any
) -> None:
    reference, printed = demo_home
    expected = checksums(reference)
    home = tmp_path / "home"
    moments = sorted(random.Random(number).uniform(1, float(printed["seconds"])) for number in range(seed, min(seed + 2, KILLS)))
    for moment in moments:
        with start(home, dataset) as killed:
            time.sleep(moment)  # the moment of the kill is the point of this test
            killed.send_signal(signal.SIGKILL)
    again = mrm("demo", "--no-serve", "--json", "--home", str(home), "--dataset", str(dataset), "--today", "2026-03-01")
    assert again.returncode == 0, (moments, again.stderr)
    found = checksums(home)
    mrm("down", "--home", str(home))
    assert len(found) > 10
    assert found == expected, moments
    assert all(value == 0 for s in json.loads(again.stdout)["sources"] for value in s["reconciled"].values())
