"""Partitions: an integration × a month. The only place that knows Dagster's exclusive ends; the day belongs to the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg

from domain.windows import DateWindow

FIRST_MONTH = date(2023, 1, 1)
"""Five hundred integrations have some 25,000 partitions an asset, as many as Dagster advises; the ledger knows older months too."""
_MONTHS = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH.isoformat(), end_offset=1)
_INTEGRATION, _MONTH = "integration", "month"
INTEGRATIONS = dg.DynamicPartitionsDefinition(name="integrations")
"""One set for all platforms, as one job pulls them all; a key is `platform:id`."""
PARTITIONS = dg.MultiPartitionsDefinition({_INTEGRATION: INTEGRATIONS, _MONTH: _MONTHS})
RUN_OF = 24
"""How many partitions one run of a backfill from Dagster's UI takes: a process costs ten seconds, a month of one integration less."""


@dataclass(frozen=True)
class Slice:
    """What one partition holds: the dates of a month (inclusive) of one integration."""

    platform: str
    integration_id: str
    window: DateWindow


def integration_key(platform: str, integration_id: str) -> str:
    """Name an integration in Dagster."""
    return f"{platform}:{integration_id}"


def slices(keys: Iterable[str], platform: str) -> list[Slice]:
    """Read those of a run's partition keys that are a platform's, newest month first, integrations in order."""
    found = []
    for key in keys:
        integration, _, month = key.partition("|")
        owner, _, integration_id = integration.partition(":")
        window = _MONTHS.time_window_for_partition_key(month)
        last = date.fromordinal(window.end.date().toordinal() - 1)
        if owner == platform:
            found.append(Slice(owner, integration_id, DateWindow(window.start.date(), last)))
    return sorted(found, key=lambda s: (-s.window.since.toordinal(), s.integration_id))


def partition_keys(platform: str, integration_id: str, windows: Sequence[DateWindow]) -> list[dg.MultiPartitionKey]:
    """Name the partitions that windows of dates touch, oldest first; months before FIRST_MONTH have none."""
    months = {date(d.year, d.month, 1) for w in windows for d in w.dates()}
    key = integration_key(platform, integration_id)
    return [dg.MultiPartitionKey({_INTEGRATION: key, _MONTH: month.isoformat()}) for month in sorted(months) if month >= FIRST_MONTH]
