"""Dagster's definitions: loaded without home, server or network; keys are the tables' addresses."""

import subprocess
import sys

import dagster as dg
import pytest

from connectors.registry import REPORTS
from pipelines.definitions import definitions

GRAPH = definitions.resolve_asset_graph()
KEYS = {tuple(key.path) for key in GRAPH.get_all_asset_keys()}


def test_definitions_load_where_no_home_exists(tmp_path: object) -> None:
    code = "from pipelines.definitions import definitions; print(len(definitions.resolve_asset_graph().get_all_asset_keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"MRM_HOME": f"{tmp_path}/none", "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
    )
    assert int(done.stdout) > 20


@pytest.mark.parametrize("platform", list(REPORTS))
def test_every_report_is_an_asset_at_its_raw_table(platform: str) -> None:
    assert {("raw", r.table) for r in REPORTS[platform]} <= KEYS


def test_marts_hang_on_raw_through_staging() -> None:
    above = ancestors()
    assert dg.AssetKey(["raw", "raw_meta_ads__ad_daily"]) in above
    assert dg.AssetKey(["staging", "stg_meta_ads__ad_daily"]) in above


def ancestors() -> set[dg.AssetKey]:
    """Walk up from the fact."""
    found: set[dg.AssetKey] = set()
    frontier = {dg.AssetKey(["marts", "fct_ad_performance_daily"])}
    while frontier:
        frontier = {parent for key in frontier for parent in GRAPH.get(key).parent_keys} - found
        found |= frontier
    return found


def test_the_daily_schedule_and_the_sync_sensor_stand_on_one_job() -> None:
    repository = definitions.get_repository_def()
    assert repository.get_schedule_def("daily_sync").job_name == "sync_and_build"
    assert repository.get_sensor_def("sync_requests").job_name == "sync_and_build"


def test_every_asset_says_what_it_is() -> None:
    silent = [key.to_user_string() for key in GRAPH.get_all_asset_keys() if not (GRAPH.get(key).description or "").strip()]
    assert silent == []
