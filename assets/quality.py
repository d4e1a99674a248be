"""Quality as Dagster asset checks: one step runs the warehouse's own checks last in a run and reports each by its name."""

from collections.abc import Iterator

import dagster as dg

from services.installation import Installation
from warehouse.quality import CHECKS

FACT = dg.AssetKey(["marts", "fct_ad_performance_daily"])
LAST = {"dagster/priority": "-100"}
"""The step hangs on none, for Dagster would skip it where nothing was built; the run's one thread takes it when nothing else is left."""


@dg.op(
    name="quality",
    out={check.name: dg.Out(dg.Nothing, is_required=False) for check in CHECKS},
    tags=LAST,
    required_resource_keys={"installation"},
)
def run_checks(context: dg.OpExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Freshness, volume, levels, breakdowns, duplicates, impossible values, changed accounts; findings are stored, and warn.

    Data grow old where nothing is built, so the checks run in each run; but nothing is said of marts that a failed build left half-made.
    """
    installation: Installation = context.resources.installation
    if installation.last_build() is None or not installation.builds.settled():
        return
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


quality_checks = dg.AssetChecksDefinition.create(
    keys_by_input_name={},
    node_def=run_checks,
    check_specs_by_output_name={check.name: dg.AssetCheckSpec(check.name, asset=FACT, description=check.description) for check in CHECKS},
    can_subset=False,
)
