"""How far each platform's committed data reach."""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client

from domain.questions import Freshness, Scope
from warehouse.reach import COMPLETE_THROUGH, ENDED_DAYS, LOOKED_AT_DAYS

_LOADS = """FROM raw.loads WHERE organization_id = {organization:String} AND NOT snapshot AND observed_at <= {known_by:DateTime64(6, 'UTC')}
        AND ({everywhere:Bool} OR (platform, account_id) IN (
            SELECT d.platform, d.account_id FROM marts.dim_account_project AS d
            WHERE d.organization_id = {organization:String} AND d.project_id IN {projects:Array(String)}
        ))"""
_REACHED = f"""
WITH (SELECT max(account_today) {_LOADS}) AS newest_of_all
SELECT platform, minIf(through, pulled > newest - {ENDED_DAYS}) AS data_through, max(seen) AS observed_at
FROM (
    SELECT platform, account_id, report, {COMPLETE_THROUGH} AS through, max(observed_at) AS seen, max(account_today) AS pulled,
        max(max(account_today)) OVER (PARTITION BY platform) AS newest
    {_LOADS} AND until > newest_of_all - {LOOKED_AT_DAYS}
    GROUP BY platform, account_id, report
)
GROUP BY platform ORDER BY platform
"""


def freshness(client: Client, scope: Scope, known_by: datetime) -> list[Freshness]:
    """Return per platform the last date that every account of the scope has complete, and the last pull, as known then.

    A date is complete once it is over in the account's own time zone when it is pulled; gaps and ended accounts count as in
    `warehouse.reach`.
    """
    projects = scope.project_ids
    rows = client.query(
        _REACHED,
        parameters={
            "organization": scope.organization_id,
            "known_by": known_by,
            "everywhere": projects is None,
            "projects": list(projects or ()),
        },
    ).result_rows
    return [
        Freshness(platform=platform, data_through=through, observed_at=seen.replace(tzinfo=UTC) if seen.tzinfo is None else seen.astimezone(UTC))
        for platform, through, seen in rows
    ]
