"""Raw assets: one per report of every platform; a step pulls all integrations of its platform."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, cast

import dagster as dg

from assets.partitions import INTEGRATIONS, PARTITIONS, RUN_OF, Slice, integration_key, partition_keys, slices
from connectors.fx.reports import REPORTS as RATE_REPORTS
from connectors.imports.reports import REPORTS as IMPORTED_REPORTS
from connectors.registry import REPORTS
from domain.catalogue import Report
from domain.windows import DateWindow
from services.exporting import load_assignments, load_budgets
from services.installation import Installation
from services.outcomes import AccountOutcome, SyncResult
from services.pulling import RATES, Wanted, pull_in_run, rates_in_run
from warehouse.quality import FRESH_DAYS

KINDS = {"google_ads": "googleads", "meta_ads": "facebook", "yandex_direct": "yandex", "ga4": "googleanalytics", "yandex_metrica": "yandex"}
"""The icon of a platform in Dagster's UI."""

REQUEST = "mrm/sync_request"
"""The tag that names the sync request that a run answers."""
CLAIM = "mrm/claim"
"""The tag that names the claim on integrations that a run works off: it gives back what it did not come to."""

ASSIGNMENTS = dg.AssetKey(["raw", "raw_mrm__account_assignments"])

FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=FRESH_DAYS), warn_window=timedelta(hours=30))
"""How long after its last pull a raw asset counts as fresh, by the wall: a daily schedule with its retries, then the service level."""

SHOWN = 100
"""How many partitions that are not whole a failed run lists."""

SYNC_STEPS = (*(f"pull_{platform}" for platform in REPORTS), "raw__sync_outcome")
"""The steps of a job that take a SyncConfig."""


class SyncConfig(dg.Config):
    """What a run without partitions pulls. Empty fields mean: every integration, the report's own lookback, up to the account's today.

    `not_since` is the moment that a backfill began: what was pulled since then is left out.
    """

    integration_ids: list[str] = []
    since: str = ""
    until: str = ""
    not_since: str = ""

    def wanted(self) -> Wanted:
        """Read the texts as dates."""
        return Wanted(
            frozenset(self.integration_ids),
            date.fromisoformat(self.since) if self.since else None,
            date.fromisoformat(self.until) if self.until else None,
            datetime.fromisoformat(self.not_since) if self.not_since else None,
        )


def asset_key(report: Report) -> dg.AssetKey:
    """Return the key of a report's raw table: its address in ClickHouse."""
    return dg.AssetKey(["raw", report.table])


def raw_assets(platform: str) -> dg.AssetsDefinition:
    """Define the step that pulls a platform: an asset and a completeness check for each of its reports.

    A run with partitions pulls exactly those months of those integrations, and fails last where one is not whole; one without pulls
    what its configuration says. Both materialize each partition that was pulled whole, and no other.
    """
    reports = REPORTS[platform]

    @dg.multi_asset(
        name=f"pull_{platform}",
        specs=[
            dg.AssetSpec(
                asset_key(r),
                group_name=platform,
                description=r.doc,
                kinds={"clickhouse", "python", KINDS.get(platform, "api")},
                owners=["team:data"],
                tags={"level": str(r.level)},
                metadata={"source": r.source, "key": ", ".join(r.key), "lookback days": r.lookback_days, "documentation": f"docs/connectors/{platform}.md"},
                freshness_policy=FRESH,
                partitions_def=PARTITIONS,
                skippable=True,
            )
            for r in reports
        ],
        check_specs=[dg.AssetCheckSpec("every_account_pulled", asset=asset_key(r), description="No account failed in the last pull.") for r in reports],
        pool=platform,
        backfill_policy=dg.BackfillPolicy.multi_run(RUN_OF),
        required_resource_keys={"installation"},
    )
    def pull(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        if context.has_partition_key or context.has_partition_key_range:
            yield from _pull_partitions(context, platform, reports)
            return
        results = _pull_with_the_others(context, platform, config)
        for result in results:
            _note_partitions(context, platform, reports, result)
        for report in reports:
            yield dg.MaterializeResult(asset_key=asset_key(report), metadata=_summed(report, results))
            yield _checked(report, results)

    return pull


LEDGER_VIEWS = [
    dg.AssetSpec(["raw", name], group_name="mrm", kinds={"clickhouse"}, owners=["team:data"], description=description)
    for name, description in {
        "pinned_slices": "The current slice of every report, account and date, as the build under way pinned them.",
        "pinned_partitions": "The organizations and months that the build under way must rewrite.",
        "pinned_parts": "The same as partitions: buckets of organizations and months, emptied ones too.",
        "loads": "The ledger, one row per committed load.",
        **{
            f"{r.table}__loads": f"The loads of {r.table}, as the ledger has them."
            for reports in REPORTS.values()
            for r in reports
            if r.name == "account_daily"
        },
    }.items()
]
"""What the ledger keeps for the models, beside the raw tables."""

IMPORTED = [
    dg.AssetSpec(asset_key(r), group_name="imports", kinds={"clickhouse"}, owners=["team:data"], description=f"{r.doc}; written by ./run import.")
    for r in IMPORTED_REPORTS
]
"""What files bring in; no step pulls it."""


@dg.asset(key=ASSIGNMENTS, group_name="mrm", kinds={"clickhouse", "postgres"}, owners=["team:data"], required_resource_keys={"installation"})
def account_assignments(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Which account belongs to which project and client, and since when; PostgreSQL's word, loaded through the ledger.

    What dead loads left behind is swept here, once a run.
    """
    installation: Installation = context.resources.installation
    installation.sweep()
    rows = load_assignments(installation.store, installation.ledger, installation.clock)
    return dg.MaterializeResult(metadata={"rows": rows})


@dg.multi_asset(
    name="pull_fx",
    specs=[
        dg.AssetSpec(["raw", r.table], group_name="fx", description=r.doc, kinds={"clickhouse", "python"}, owners=["team:data"], metadata={"source": r.source})
        for r in RATE_REPORTS
    ],
    check_specs=[dg.AssetCheckSpec("rates_pulled", asset=["raw", r.table], description="The bank answered in the last pull.") for r in RATE_REPORTS],
    required_resource_keys={"installation"},
)
def exchange_rates(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Official exchange rates of two central banks. A bank that fails holds nothing up: what lacks a rate is refused when it is asked."""
    installation: Installation = context.resources.installation
    loaded = installation.side_by_side.result(context.run_id, {RATES: partial(rates_in_run, installation, context.run_id)}, RATES)
    outcomes = {outcome.report: outcome for outcome in loaded}
    for report in RATE_REPORTS:
        outcome = outcomes.get(report.name)
        yield dg.MaterializeResult(asset_key=["raw", report.table], metadata={"rows": outcome.rows if outcome else 0})
        failed = outcome.error if outcome else None
        yield dg.AssetCheckResult(
            asset_key=["raw", report.table],
            check_name="rates_pulled",
            passed=failed is None,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"why": str(failed) if failed else ""},
        )


@dg.asset(
    key=["raw", "raw_mrm__project_budgets"], group_name="mrm", kinds={"clickhouse", "postgres"}, owners=["team:data"], required_resource_keys={"installation"}
)
def project_budgets(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """What each project may spend and between which dates; PostgreSQL's word, loaded through the ledger."""
    installation: Installation = context.resources.installation
    return dg.MaterializeResult(metadata={"rows": load_budgets(installation.store, installation.ledger, installation.clock)})


@dg.asset(
    key=["raw", "sync_outcome"],
    group_name="mrm",
    deps=[asset_key(r) for reports in REPORTS.values() for r in reports],
    owners=["team:data"],
    required_resource_keys={"installation"},
)
def sync_outcome(context: dg.AssetExecutionContext, config: SyncConfig) -> dg.MaterializeResult[None]:
    """Turns the run red when any account failed, after everything else was committed and built; each failure names its fix."""
    wanted = set(config.integration_ids)
    failing = [i for i in context.resources.installation.failing_integrations() if not wanted or i.id in wanted]
    if failing:
        raise dg.Failure(f"{len(failing)} integrations failed", metadata={f"{i.platform} {i.id}": i.last_error or "" for i in failing}, allow_retries=False)
    return dg.MaterializeResult()


def _pull_with_the_others(context: dg.AssetExecutionContext, platform: str, config: SyncConfig) -> list[SyncResult]:
    """Pull a platform while the run's other platforms are pulled beside it: they wait for their own answers, not for ours.

    Where the instance limits pools, each platform waits for its own turn.
    """
    installation: Installation = context.resources.installation
    chosen = context.run.step_keys_to_execute
    steps = {node.name for node in context.job_def.nodes if chosen is None or node.name in chosen}
    if context.instance.event_log_storage.supports_global_concurrency_limits and context.instance.event_log_storage.get_pool_limits():
        steps = set()
    settings = cast("Mapping[str, Any]", context.run.run_config.get("ops", {}))
    parts = {
        other: partial(_pull, installation, context.run, other, SyncConfig(**settings.get(f"pull_{other}", {}).get("config", {})).wanted())
        for other in REPORTS
        if f"pull_{other}" in steps and other != platform
    }
    installation.prepare_to_pull()
    return installation.side_by_side.result(
        context.run.run_id, {**parts, platform: partial(_pull, installation, context.run, platform, config.wanted())}, platform
    )


def _pull(installation: Installation, run: dg.DagsterRun, platform: str, wanted: Wanted) -> list[SyncResult]:
    return pull_in_run(installation, run.run_id, platform, wanted, request=run.tags.get(REQUEST), claim=run.tags.get(CLAIM))


def _pull_partitions(context: dg.AssetExecutionContext, platform: str, reports: Sequence[Report]) -> Iterator[dg.AssetCheckResult]:
    """Pull what a backfill's partitions name, month by month; materialize those that are whole, and raise Failure that lists the rest.

    Partitions of other platforms, which Dagster's UI offers for each asset, hold nothing of this one: they are whole.
    """
    asked = slices(context.partition_keys, platform)
    found: dict[tuple[str, DateWindow], SyncResult | None] = {(s.integration_id, s.window): None for s in asked}
    for window, mine in groupby(asked, key=lambda s: s.window):
        for result in _pull_month(context.resources.installation, context.run, platform, window, mine):
            found[result.integration_id, window] = result
    foreign = [key for key in context.partition_keys if not key.startswith(f"{platform}:")]
    failed: dict[str, str] = {}
    for report in reports:
        for key in foreign:
            context.log_event(dg.AssetMaterialization(asset_key(report), partition=key, metadata={"accounts": 0}))
        for (integration_id, window), outcome in found.items():
            [partition] = partition_keys(platform, integration_id, [window])
            why = _missing(report, outcome)
            if why:
                failed[f"{partition} {report.name}"] = why
            else:
                of_report = [o for o in outcome.outcomes if o.report == report.name] if outcome else []
                context.log_event(dg.AssetMaterialization(asset_key(report), partition=partition, metadata=_figures(of_report)))
        if asked:
            yield _checked(report, [result for result in found.values() if result])
    if failed:
        shown = dict(list(failed.items())[:SHOWN])
        raise dg.Failure(f"{len(failed)} of the partitions are not whole", metadata=shown, allow_retries=False)


def _missing(report: Report, result: SyncResult | None) -> str:
    """Say why a partition is not whole, empty where it is."""
    if result is None:
        return "The integration is paused, disconnected or gone, so nothing was pulled. Resume it with ./run integrations resume."
    return "; ".join(dict.fromkeys(str(o.error) for o in result.outcomes if o.error and o.report in (report.name, "")))


def _pull_month(installation: Installation, run: dg.DagsterRun, platform: str, window: DateWindow, wanted: Iterable[Slice]) -> list[SyncResult]:
    """Pull one month of the integrations that a backfill's partitions name."""
    return _pull(installation, run, platform, Wanted(frozenset(s.integration_id for s in wanted), window.since, window.until))


def _note_partitions(context: dg.AssetExecutionContext, platform: str, reports: Sequence[Report], result: SyncResult) -> None:
    """Materialize every month of an integration that a report has whole: no account of it failed."""
    context.instance.add_dynamic_partitions(INTEGRATIONS.name or "", [integration_key(platform, result.integration_id)])
    for report in reports:
        if _missing(report, result):
            continue
        outcomes = [o for o in result.outcomes if o.report == report.name]
        for key in partition_keys(platform, result.integration_id, [w for o in outcomes for w in o.windows]):
            context.log_event(dg.AssetMaterialization(asset_key(report), partition=key, metadata=_figures(outcomes)))


def _summed(report: Report, results: Sequence[SyncResult]) -> dict[str, Any]:
    outcomes = [o for result in results for o in result.outcomes if o.report in (report.name, "")]
    quota = {r.integration_id: dict(r.quota) for r in results if r.quota}
    return {
        **_figures(outcomes),
        "failed": len([o for o in outcomes if o.error is not None]),
        "seconds_discovering": round(sum(r.seconds_discovering for r in results), 3),
        **({"quota_left": quota} if quota else {}),
    }


def _checked(report: Report, results: Sequence[SyncResult]) -> dg.AssetCheckResult:
    failed = [o for result in results for o in result.outcomes if o.report in (report.name, "") and o.error is not None]
    return dg.AssetCheckResult(
        check_name="every_account_pulled",
        asset_key=asset_key(report),
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={o.account_id or o.integration_id: str(o.error) for o in failed},
    )


FIGURES = (
    *("rows", "bytes", "requests", "waits", "dates_changed", "dates_restated", "dates_verified"),
    *("seconds_waited", "seconds_pulling", "seconds_committing"),
)
"""What is summed up for a materialization; the fields of AccountOutcome."""


def _figures(outcomes: Sequence[AccountOutcome]) -> dict[str, int | float]:
    return {"accounts": len({o.account_id for o in outcomes}), **{name: round(sum(getattr(o, name) for o in outcomes), 3) for name in FIGURES}}
