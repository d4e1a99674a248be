"""What the ledger committed in the last day, and the build that answers: for meters."""

from collections.abc import Mapping
from dataclasses import dataclass

from warehouse.build_events import Build, last_build
from warehouse.client import Warehouse
from warehouse.failures import translated


@dataclass(frozen=True)
class LastDay:
    """Loads and rows committed in the 24 hours before now, by the wall, by platform; the last published build."""

    loads: Mapping[str, int]
    rows: Mapping[str, int]
    build: Build | None


def last_day(warehouse: Warehouse) -> LastDay:
    """Read the ledger and the builds. Raises Unreachable."""
    with translated(), warehouse.client(readonly=True) as client:
        found = client.query("SELECT platform, count(), sum(rows) FROM raw.loads WHERE committed_at >= now() - INTERVAL 1 DAY GROUP BY platform").result_rows
        return LastDay({p: int(n) for p, n, _ in found}, {p: int(n) for p, _, n in found}, last_build(client))
