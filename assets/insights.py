"""The insight asset: the analyst's report on every project, stored as an artifact version."""

import dagster as dg

from services.installation import Installation


@dg.asset(
    key=["insights", "reports"],
    group_name="insights",
    deps=[dg.AssetKey(["marts", "fct_ad_performance_daily"]), dg.AssetKey(["marts", "dim_account_project"])],
    kinds={"python", "postgres"},
    owners=["team:analytics"],
    required_resource_keys={"installation"},
)
def insight_reports(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Writes each project's report where the data version or the period moved on; the same question keeps its version."""
    from analyst.publishing import Newsroom, ensure_report  # a second of imports that no tick of a sensor needs

    installation: Installation = context.resources.installation
    newsroom = Newsroom.of(installation)
    reports = [ensure_report(newsroom, project, installation.language) for project in installation.projects()]
    return dg.MaterializeResult(metadata={"reports": len(reports), "findings": sum(len(r.document.findings) for r in reports)})
