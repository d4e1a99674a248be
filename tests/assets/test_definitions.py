"""Dagster's definitions: loaded without home, server or network; keys are the tables' addresses."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from types import SimpleNamespace

import dagster as dg
import pytest

from assets.partitions import PARTITIONS, Slice, partition_keys, slices
from assets.quality import FACT, quality_checks
from assets.raw import asset_key, raw_assets
from connectors.registry import REPORTS
from domain.errors import TransientFailure
from domain.windows import DateWindow
from pipelines.definitions import definitions
from services.outcomes import AccountOutcome, SyncResult
from warehouse.quality import CHECKS, Finding

REPORTS_OF_META = {report.name: report for report in REPORTS["meta_ads"]}
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


def test_a_backfill_materializes_what_came_in_whole_and_fails_with_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, date]] = []

    def pull_month(_: object, __: object, platform: str, window: DateWindow, wanted: Iterable[Slice]) -> list[SyncResult]:
        results = []
        for one in wanted:
            asked.append((one.integration_id, window.since))
            error = TransientFailure("no answer", platform=platform, account_id="1") if one.integration_id == "b" else None
            outcome = AccountOutcome(platform, one.integration_id, "1", "campaign_daily", rows=5, windows=(window,), error=error)
            results += [] if one.integration_id == "paused" else [SyncResult(one.integration_id, platform, 1, (outcome,))]
        return results

    monkeypatch.setattr("assets.raw._pull_month", pull_month)
    resources = {"installation": dg.ResourceDefinition.hardcoded_resource(SimpleNamespace())}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("integrations", ["ga4:c", "meta_ads:a", "meta_ads:b", "meta_ads:paused"])
        tags = {"dagster/asset_partition_range_start": "ga4:c|2026-01-01", "dagster/asset_partition_range_end": "meta_ads:paused|2026-02-01"}
        done = dg.materialize([raw_assets("meta_ads")], instance=instance, resources=resources, tags=tags, raise_on_error=False)
        found = {name: instance.get_materialized_partitions(asset_key(REPORTS_OF_META[name])) for name in ("campaign_daily", "ad_daily")}
    assert not done.success
    assert asked == [(i, date(2026, month, 1)) for month in (2, 1) for i in ("a", "b", "paused")], "newest month first"
    whole = {f"{i}|2026-0{month}-01" for i in ("ga4:c", "meta_ads:a") for month in (1, 2)}
    assert found == {"campaign_daily": whole, "ad_daily": whole | {f"meta_ads:b|2026-0{month}-01" for month in (1, 2)}}
    [failure] = [e for e in done.all_events if e.is_step_failure]
    said = failure.step_failure_data.user_failure_data.metadata
    assert "no answer" in said["meta_ads:b|2026-01-01 campaign_daily"].value
    assert "paused" in said["meta_ads:paused|2026-02-01 campaign_daily"].value


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
