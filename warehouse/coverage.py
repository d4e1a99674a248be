"""Which dates an integration's committed loads cover, and when each date was last looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from warehouse.client import Warehouse
from warehouse.failures import translated

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_LOADS = """
    SELECT report, account_id, groupUniqArray((since, until, account_today)) AS windows
    FROM raw.loads
    WHERE organization_id = {organization_id:String} AND integration_id = {integration_id:String} AND observed_at >= {since:DateTime64(6, 'UTC')}
    GROUP BY report, account_id
"""


@dataclass(frozen=True)
class Coverage:
    """The committed windows of one report of one account, each with the account's today when it was pulled."""

    windows: tuple[tuple[date, date, date], ...] = ()

    def last_seen(self) -> Mapping[date, date]:
        """Map each covered date to the newest today on which it was pulled."""
        seen: dict[date, date] = {}
        for since, until, today in sorted(self.windows, key=lambda w: w[2]):
            seen.update((since + timedelta(days=n), today) for n in range((until - since).days + 1))
        return seen


def coverage(warehouse: Warehouse, organization_id: str, integration_id: str, observed_since: datetime = BEGINNING) -> Mapping[tuple[str, str], Coverage]:
    """Read the coverage of an integration by (raw table, account id); empty before the first load.

    With `observed_since` only loads count that began at or after that instant of the home's clock.
    """
    with translated(), warehouse.client(readonly=True) as client:
        if str(client.command("EXISTS TABLE raw.loads")) != "1":
            return {}
        found = client.query(_LOADS, parameters={"organization_id": organization_id, "integration_id": integration_id, "since": observed_since})
    return {(report, account_id): Coverage(tuple(windows)) for report, account_id, windows in found.result_rows}
