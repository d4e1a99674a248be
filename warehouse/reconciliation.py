"""What the marts say per account and day, to be held against the platform's own account totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from warehouse.failures import translated

_TOTALS = """
SELECT account_id, date_day, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend, sum(conversions) AS conversions
FROM marts.fct_ad_performance_daily AS f
WHERE f.organization_id = {organization:String} AND f.integration_id = {integration:String} AND f.date_day BETWEEN {since:Date} AND {until:Date}
GROUP BY account_id, date_day
ORDER BY account_id, date_day
"""

_SESSIONS = """
SELECT account_id, date_day, sum(sessions) AS sessions, sum(conversions) AS conversions, sum(conversions_value) AS conversions_value
FROM marts.fct_sessions_daily AS f
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


@dataclass(frozen=True)
class SessionDay:
    """One property's or counter's totals on one of its own days; the value in the account's currency."""

    account_id: str
    date: date
    sessions: int
    conversions: Decimal
    conversions_value: Decimal


def account_day_totals(client: Client, organization_id: str, integration_id: str, since: date, until: date) -> list[AccountDay]:
    """Read an integration's totals from the mart, by account and day, both dates inclusive; days without rows are absent."""
    return [AccountDay(*row) for row in _rows(client, _TOTALS, organization_id, integration_id, since, until)]


def session_day_totals(client: Client, organization_id: str, integration_id: str, since: date, until: date) -> list[SessionDay]:
    """Read an analytics integration's totals from the mart, by account and day, both dates inclusive; days without rows are absent."""
    return [SessionDay(*row) for row in _rows(client, _SESSIONS, organization_id, integration_id, since, until)]


def _rows(client: Client, query: str, organization_id: str, integration_id: str, since: date, until: date) -> Sequence[Sequence[Any]]:
    with translated():
        found = client.query(query, parameters={"organization": organization_id, "integration": integration_id, "since": since, "until": until})
    rows: Sequence[Sequence[Any]] = found.result_rows
    return rows
