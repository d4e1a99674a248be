"""What Dagster loads: assets of every platform, the job that syncs and builds, its schedule and its sensor."""

import dagster as dg

from assets.insights import insight_reports
from assets.models import dbt_models
from assets.quality import quality_checks
from assets.raw import LEDGER_VIEWS, account_assignments, exchange_rates, project_budgets, raw_assets, sync_outcome
from connectors.registry import REPORTS
from pipelines.resources import installation
from pipelines.sensors import sync_request_done, sync_request_failed, sync_requests_sensor

raw = [raw_assets(platform) for platform in REPORTS]

sync_and_build = dg.define_asset_job(
    "sync_and_build",
    selection=dg.AssetSelection.all(),
    description="Pull every integration, build the marts where slices changed, write the reports.",
)

daily = dg.ScheduleDefinition(
    name="daily_sync",
    job=sync_and_build,
    cron_schedule="0 6 * * *",
    execution_timezone="Europe/Moscow",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every morning at six, Moscow time: platforms have closed their day in most zones.",
)

definitions = dg.Definitions(
    assets=[*raw, *LEDGER_VIEWS, account_assignments, exchange_rates, project_budgets, dbt_models(), insight_reports, sync_outcome],
    asset_checks=[quality_checks],
    jobs=[sync_and_build],
    schedules=[daily],
    sensors=[sync_requests_sensor(sync_and_build), sync_request_done, sync_request_failed],
    resources={"installation": installation},
    executor=dg.in_process_executor,
)
