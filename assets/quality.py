"""Quality as Dagster asset checks: one step runs the warehouse's own checks after a build and reports each by its name."""

from collections.abc import Iterator

import dagster as dg

from services.installation import Installation
from warehouse.quality import CHECKS

FACT = dg.AssetKey(["marts", "fct_ad_performance_daily"])
_MARTS = [dg.AssetKey(["marts", name]) for name in ("mart_geo_device", "mart_provisional_days", "dim_account_history")]


@dg.multi_asset_check(
    name="quality",
    specs=[dg.AssetCheckSpec(check.name, asset=FACT, description=check.description, additional_deps=_MARTS) for check in CHECKS],
    required_resource_keys={"installation"},
)
def quality_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Freshness, volume, levels, breakdowns, duplicates, impossible values, changed accounts; findings are stored, and warn."""
    installation: Installation = context.resources.installation
    found = installation.check_quality()
    for check in CHECKS:
        bad = [f for f in found if f.check == check.name and f.status != "ok"]
        yield dg.AssetCheckResult(
            check_name=check.name,
            asset_key=FACT,
            passed=not bad,
            severity=dg.AssetCheckSeverity.ERROR if any(f.status == "fail" for f in bad) else dg.AssetCheckSeverity.WARN,
            metadata={f"{f.platform} {f.account_id}": f.detail for f in bad[:20]},
        )
