"""How much an integration has in raw, and how far it reaches."""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

from dataclasses import dataclass
from datetime import date

from clickhouse_connect.driver.client import Client

from warehouse.failures import translated

_ROWS = """
SELECT sum(row_count) FROM raw.pinned_slices WHERE organization_id = {organization:String} AND integration_id = {integration:String}
"""
LOOKED_AT_DAYS = 400
"""How far back a gap counts: what lies further back is history that nobody pulls by itself."""
ENDED_DAYS = 14
"""An account that is this many days behind the newest pull has ended: it no longer holds the others back."""

COMPLETE_THROUGH = """arrayFold(
    (through, w) -> if(w.1 <= through + 1 AND w.2 > through, w.2, through),
    arraySort(groupArray((since, least(until, account_today - 1)))) AS windows,
    windows[1].2
)"""
"""Over the loads of one report of one account: the last date before the first gap; dates are complete once they were over when pulled."""

_LOADS = "FROM raw.loads WHERE organization_id = {organization:String} AND integration_id = {integration:String} AND NOT snapshot"
_THROUGH = f"""
WITH (SELECT max(account_today) {_LOADS}) AS newest
SELECT count(), min(through) FROM (
    SELECT {COMPLETE_THROUGH} AS through {_LOADS} AND until > newest - {LOOKED_AT_DAYS}
    GROUP BY account_id, report HAVING max(account_today) > newest - {ENDED_DAYS}
)
"""


@dataclass(frozen=True)
class Reach:
    """Current rows of every report, and the last date that every account has complete (None before the first load)."""

    rows: int
    data_through: date | None


def reach(client: Client, organization_id: str, integration_id: str) -> Reach:
    """Read an integration's reach; a date is complete once it was over in the account's own time zone when it was pulled.

    A gap of the last LOOKED_AT_DAYS ends it; an account that was not pulled for ENDED_DAYS while others were is left out.
    """
    parameters = {"organization": organization_id, "integration": integration_id}
    with translated():
        [(rows,)] = client.query(_ROWS, parameters=parameters).result_rows
        [(loads, through)] = client.query(_THROUGH, parameters=parameters).result_rows
    return Reach(int(rows), through if loads else None)
