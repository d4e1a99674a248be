"""Partitions: an integration × a month. The only place that knows Dagster's exclusive ends; the day belongs to the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg

from domain.windows import DateWindow

FIRST_MONTH = date(2021, 1, 1)
_MONTHS = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH.isoformat(), end_offset=1)
_INTEGRATION, _MONTH = "integration", "month"
RUN_OF = 24
"""How many partitions one run of a backfill from Dagster's UI takes: a process costs ten seconds, a month of one integration less."""


@dataclass(frozen=True)
class Slice:
    """What one partition holds: the dates of a month (inclusive) of one integration."""

    integration_id: str
    window: DateWindow


def integrations_of(platform: str) -> dg.DynamicPartitionsDefinition:
    """Return the dynamic partitions of a platform: the ids of its integrations."""
    return dg.DynamicPartitionsDefinition(name=f"{platform}_integrations")


def partitions_of(platform: str) -> dg.MultiPartitionsDefinition:
    """Return the partitions of a platform's raw assets."""
    return dg.MultiPartitionsDefinition({_INTEGRATION: integrations_of(platform), _MONTH: _MONTHS})


def slices(keys: Iterable[str | dg.MultiPartitionKey]) -> list[Slice]:
    """Read a run's partition keys, newest month first, integrations in order."""
    found = []
    for key in keys:
        dimensions = key.keys_by_dimension if isinstance(key, dg.MultiPartitionKey) else _split(key)
        window = _MONTHS.time_window_for_partition_key(dimensions[_MONTH])
        last = date.fromordinal(window.end.date().toordinal() - 1)
        found.append(Slice(dimensions[_INTEGRATION], DateWindow(window.start.date(), last)))
    return sorted(found, key=lambda s: (-s.window.since.toordinal(), s.integration_id))


def partition_keys(integration_id: str, windows: Sequence[DateWindow]) -> list[dg.MultiPartitionKey]:
    """Name the partitions that windows of dates touch, oldest first; months before FIRST_MONTH have none."""
    months = {date(d.year, d.month, 1) for w in windows for d in w.dates()}
    return [dg.MultiPartitionKey({_INTEGRATION: integration_id, _MONTH: month.isoformat()}) for month in sorted(months) if month >= FIRST_MONTH]


def _split(key: str) -> dict[str, str]:
    """Read a key's text: Dagster joins the dimensions in the order of their names."""
    integration_id, _, month = key.partition("|")
    return {_INTEGRATION: integration_id, _MONTH: month}
