"""What Dagster loads: assets of every platform, the jobs that pull and build, and the sensors that start them."""

import dagster as dg

from assets.insights import insight_reports
from assets.models import dbt_models
from assets.quality import quality_checks
from assets.raw import (
    IMPORTED,
    LEDGER_VIEWS,
    account_assignments,
    exchange_rates,
    project_budgets,
    raw_assets,
    sync_outcome,
)
from connectors.registry import REPORTS
from pipelines.resources import installation
from pipelines.sensors import alerts_sensor, due_integrations_sensor, run_canceled, run_failed, run_succeeded, sync_requests_sensor, unbuilt_loads_sensor

raw = [raw_assets(platform) for platform in REPORTS]
models = dbt_models()

sync_and_build = dg.define_asset_job(
    "sync_and_build",
    selection=dg.AssetSelection.all(),
    description="Pull the integrations that are asked for (all by default), build the marts where slices changed, write the reports.",
)

build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.assets(account_assignments, project_budgets, models, insight_reports),
    description="Build the marts where slices changed and write the reports, without a pull.",
)

definitions = dg.Definitions(
    assets=[*raw, *LEDGER_VIEWS, *IMPORTED, account_assignments, exchange_rates, project_budgets, models, insight_reports, sync_outcome],
    asset_checks=[quality_checks],
    jobs=[sync_and_build, build],
    sensors=[
        due_integrations_sensor(sync_and_build),
        sync_requests_sensor(sync_and_build),
        unbuilt_loads_sensor(build, "sync_and_build"),
        alerts_sensor,
        run_succeeded,
        run_failed,
        run_canceled,
    ],
    resources={"installation": installation},
    executor=dg.in_process_executor,
)
