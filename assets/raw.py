"""Raw assets: one per report of every platform; a step pulls all integrations of its platform."""

from collections.abc import Iterator
from datetime import date
from functools import partial

import dagster as dg

from connectors.fx.reports import REPORTS as RATES
from connectors.imports.reports import REPORTS as IMPORTED_REPORTS
from connectors.registry import REPORTS
from domain.catalogue import Report
from domain.errors import ConfigurationError, Conflict, DiskFull, SourceError, Unreachable
from services.actors import system_actor
from services.exporting import load_assignments, load_budgets
from services.installation import Installation
from services.integrations import record_sync, register_accounts
from services.renewing import renewing
from services.syncing import AccountOutcome, ProgressEvent, SyncResult, sync_integration

ASSIGNMENTS = dg.AssetKey(["raw", "raw_mrm__account_assignments"])


SYNC_STEPS = (*(f"pull_{platform}" for platform in REPORTS), "raw__sync_outcome")
"""The steps of a job that take a SyncConfig."""


class SyncConfig(dg.Config):
    """What a run pulls. Empty fields mean: every integration, the report's own lookback, up to the account's today."""

    integration_ids: list[str] = []
    since: str = ""
    until: str = ""


def asset_key(report: Report) -> dg.AssetKey:
    """Return the key of a report's raw table: its address in ClickHouse."""
    return dg.AssetKey(["raw", report.table])


def raw_assets(platform: str) -> dg.AssetsDefinition:
    """Define the step that pulls a platform: an asset and a completeness check for each of its reports."""
    reports = REPORTS[platform]

    @dg.multi_asset(
        name=f"pull_{platform}",
        specs=[
            dg.AssetSpec(
                asset_key(r), group_name=platform, description=r.doc, kinds={"clickhouse", "python"}, owners=["team:data"], metadata={"source": r.source}
            )
            for r in reports
        ],
        check_specs=[dg.AssetCheckSpec("every_account_pulled", asset=asset_key(r), description="No account failed in the last pull.") for r in reports],
        pool=platform,
        required_resource_keys={"installation"},
    )
    def pull(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        installation: Installation = context.resources.installation
        results = list(_pull_all(installation, platform, config))
        for report in reports:
            yield from _account_for(report, results)

    return pull


LEDGER_VIEWS = [
    dg.AssetSpec(["raw", name], group_name="mrm", kinds={"clickhouse"}, owners=["team:data"], description=description)
    for name, description in {
        "pinned_slices": "The current slice of every report, account and date, as the build under way pinned them.",
        "pinned_partitions": "The organizations and months that the build under way must rewrite.",
        "pinned_parts": "The same as partitions: buckets of organizations and months, emptied ones too.",
        "loads": "The ledger, one row per committed load.",
        **{f"{r.table}__loads": f"{r.doc}: the rows of every load." for reports in REPORTS.values() for r in reports if r.name == "account_daily"},
        **{r.table: r.doc for r in IMPORTED_REPORTS},
    }.items()
]
"""What the ledger keeps for the models, beside the raw tables."""


@dg.asset(key=ASSIGNMENTS, group_name="mrm", kinds={"clickhouse", "postgres"}, owners=["team:data"], required_resource_keys={"installation"})
def account_assignments(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Which account belongs to which project and client, and since when; PostgreSQL's word, loaded through the ledger.

    What dead loads left behind is swept here, once a run.
    """
    installation: Installation = context.resources.installation
    installation.ledger.sweep()
    rows = load_assignments(installation.store, installation.ledger, installation.clock)
    return dg.MaterializeResult(metadata={"rows": rows})


@dg.multi_asset(
    name="pull_fx",
    specs=[
        dg.AssetSpec(["raw", r.table], group_name="fx", description=r.doc, kinds={"clickhouse", "python"}, owners=["team:data"], metadata={"source": r.source})
        for r in RATES
    ],
    check_specs=[dg.AssetCheckSpec("rates_pulled", asset=["raw", r.table], description="The bank answered in the last pull.") for r in RATES],
    required_resource_keys={"installation"},
)
def exchange_rates(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Official exchange rates of two central banks. A bank that fails holds nothing up: what lacks a rate is refused when it is asked."""
    installation: Installation = context.resources.installation
    outcomes = {outcome.report: outcome for outcome in installation.load_rates()}
    for report in RATES:
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


def _pull_all(installation: Installation, platform: str, config: SyncConfig) -> Iterator[SyncResult]:
    """Pull the platform's integrations one after the other; one that is impossible as a whole leaves the others complete."""
    wanted = set(config.integration_ids)
    for integration in installation.integrations(platform):
        if wanted and integration.id not in wanted:
            continue
        pull = partial(
            sync_integration,
            warehouse=installation.warehouse,
            landing=installation.landing,
            clock=installation.clock,
            home=installation.home,
            since=date.fromisoformat(config.since) if config.since else None,
            until=date.fromisoformat(config.until) if config.until else None,
            history_since=installation.history_since,
            progress=lambda event: _show(installation, event),
            own=partial(register_accounts, installation.store, system_actor(integration.organization_id), integration.id),
            ledger=installation.ledger,
        )
        try:
            result = renewing(installation.store, integration, installation.clock, pull)
        except (Unreachable, DiskFull):
            raise
        except (SourceError, Conflict, ConfigurationError) as error:
            account_id = error.account_id if isinstance(error, SourceError) else ""
            result = SyncResult(integration.id, platform, 0, (AccountOutcome(platform, integration.id, account_id, "", error=error),))
        why = "; ".join(str(f) for f in result.failures) or None
        record_sync(installation.store, integration.organization_id, integration.id, installation.clock.now(), why)
        yield result


def _show(installation: Installation, event: ProgressEvent) -> None:
    installation.progress(f"pull.{event.platform}", event.done, event.total, f"{event.account_name} {event.report} {event.rows}")


def _account_for(report: Report, results: list[SyncResult]) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    outcomes = [o for result in results for o in result.outcomes if o.report in (report.name, "")]
    failed = [o for o in outcomes if o.error is not None]
    yield dg.MaterializeResult(
        asset_key=asset_key(report),
        metadata={
            "rows": sum(o.rows for o in outcomes),
            "accounts": len(outcomes),
            "dates_changed": sum(o.dates_changed for o in outcomes),
            "dates_verified": sum(o.dates_verified for o in outcomes),
        },
    )
    yield dg.AssetCheckResult(
        check_name="every_account_pulled",
        asset_key=asset_key(report),
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={o.account_id or o.integration_id: str(o.error) for o in failed},
    )
