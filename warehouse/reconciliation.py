"""What the marts say per account and day, to be held against the platform's own account totals."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from clickhouse_connect.driver.client import Client

from warehouse.failures import translated

_TOTALS = """
SELECT account_id, date_day, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend, sum(conversions) AS conversions
FROM marts.fct_ad_performance_daily AS f
WHERE f.organization_id = {organization:String} AND f.integration_id = {integration:String} AND f.date_day BETWEEN {since:Date} AND {until:Date}
GROUP BY account_id, date_day
ORDER BY account_id, date_day
"""


@dataclass(frozen=True)
class AccountDay:
    """One account's totals on one of its own days; spend in the account's currency."""

    account_id: str
    date: date
    impressions: int
    clicks: int
    spend: Decimal
    conversions: Decimal


def account_day_totals(client: Client, organization_id: str, integration_id: str, since: date, until: date) -> list[AccountDay]:
    """Read an integration's totals from the mart, by account and day, both dates inclusive; days without rows are absent."""
    with translated():
        found = client.query(
            _TOTALS,
            parameters={"organization": organization_id, "integration": integration_id, "since": since, "until": until},
        )
    return [AccountDay(*row) for row in found.result_rows]
