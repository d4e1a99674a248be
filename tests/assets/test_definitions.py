"""Dagster's definitions: loaded without home, server or network; keys are the tables' addresses."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import dagster as dg
import pytest

from assets.partitions import PARTITIONS, Slice, partition_keys, slices
from assets.quality import FACT, quality_checks
from connectors.registry import REPORTS
from domain.windows import DateWindow
from pipelines.definitions import definitions
from warehouse.quality import CHECKS, Finding

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


def test_sensors_start_the_jobs_and_nothing_runs_by_a_clock_of_dagsters_own() -> None:
    repository = definitions.get_repository_def()
    started = {s.name: s.job_name if s.has_jobs else None for s in repository.sensor_defs if not isinstance(s, dg.RunStatusSensorDefinition)}
    assert started == {"due_integrations": "sync_and_build", "sync_requests": "sync_and_build", "unbuilt_loads": "build", "alerts": None}
    assert repository.schedule_defs == []


def test_every_job_resolves() -> None:
    assert {definitions.resolve_job_def(name).name for name in ("sync_and_build", "build")} == {"sync_and_build", "build"}


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("settled", [True, False])
def test_quality_is_checked_last_and_where_nothing_was_built_too_but_not_over_a_failed_build(built: bool, settled: bool) -> None:
    order: list[str] = []

    @dg.asset(key=["raw", "a"])
    def pulled() -> None:
        order.append("pulled")

    @dg.asset(key=FACT, deps=[["raw", "a"]], output_required=False)
    def models() -> Iterator[dg.Output[None]]:
        order.append("models")
        if built:
            yield dg.Output(None)

    def check_quality() -> list[Finding]:
        order.append("quality")
        return []

    installation = SimpleNamespace(last_build=lambda: 1, builds=SimpleNamespace(settled=lambda: settled), check_quality=check_quality)
    resources = {"installation": dg.ResourceDefinition.hardcoded_resource(installation)}
    definitions = dg.Definitions(assets=[pulled, models], asset_checks=[quality_checks], resources=resources, executor=dg.in_process_executor)
    with dg.DagsterInstance.ephemeral() as instance:
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
    assert done.success
    assert order == ["pulled", "models", *(["quality"] if settled else [])]
    assert [e.passed for e in done.get_asset_check_evaluations()] == [True] * len(CHECKS) * settled


def test_a_raw_asset_has_a_partition_for_each_integration_and_month() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("integrations", ["meta_ads:a", "ga4:b"])
        keys = PARTITIONS.get_partition_keys(dynamic_partitions_store=instance)
    assert {k.split("|")[0] for k in keys} == {"meta_ads:a", "ga4:b"}
    assert slices([k for k in keys if "|2024-0" in k], "meta_ads")[0] == Slice("meta_ads", "a", DateWindow(date(2024, 9, 1), date(2024, 9, 30)))
    assert [str(k) for k in partition_keys("ga4", "b", [DateWindow(date(2023, 12, 31), date(2024, 1, 1))])] == ["ga4:b|2023-12-01", "ga4:b|2024-01-01"]
    assert partition_keys("ga4", "b", [DateWindow(date(2020, 12, 31), date(2020, 12, 31))]) == [], "months before the first have no partition"


def test_every_asset_that_we_make_has_an_owner_and_the_models_that_of_their_files() -> None:
    assert [key.to_user_string() for key in GRAPH.materializable_asset_keys if not GRAPH.get(key).owners] == []
    assert GRAPH.get(dg.AssetKey(["marts", "mart_anomalies"])).owners == ["team:analytics"]
    assert GRAPH.get(dg.AssetKey(["marts", "mart_anomalies"])).metadata["documentation"] == "docs/warehouse.md"


def test_every_report_says_how_fresh_it_must_be_and_where_it_is_documented() -> None:
    for key in (dg.AssetKey(["raw", r.table]) for reports in REPORTS.values() for r in reports):
        assert GRAPH.get(key).freshness_policy_or_from_metadata is not None
        assert GRAPH.get(key).metadata["documentation"].startswith("docs/connectors/")


def test_every_asset_says_what_it_is() -> None:
    silent = [key.to_user_string() for key in GRAPH.get_all_asset_keys() if not (GRAPH.get(key).description or "").strip()]
    assert silent == []
