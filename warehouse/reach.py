"""How much an integration has in raw, and how far it reaches."""

from dataclasses import dataclass
from datetime import date

from clickhouse_connect.driver.client import Client

from warehouse.failures import translated

_ROWS = """
SELECT sum(row_count) FROM raw.pinned_slices WHERE organization_id = {organization:String} AND integration_id = {integration:String}
"""
_THROUGH = """
SELECT count(), min(reached) FROM (
    SELECT max(least(until, account_today - 1)) AS reached
    FROM raw.loads
    WHERE organization_id = {organization:String} AND integration_id = {integration:String} AND NOT snapshot
    GROUP BY account_id, report
)
"""


@dataclass(frozen=True)
class Reach:
    """Current rows of every report, and the last date that every account has complete (None before the first load)."""

    rows: int
    data_through: date | None


def reach(client: Client, organization_id: str, integration_id: str) -> Reach:
    """Read an integration's reach; a date is complete once it was over in the account's own time zone when it was pulled."""
    parameters = {"organization": organization_id, "integration": integration_id}
    with translated():
        [(rows,)] = client.query(_ROWS, parameters=parameters).result_rows
        [(loads, through)] = client.query(_THROUGH, parameters=parameters).result_rows
    return Reach(int(rows), through if loads else None)
