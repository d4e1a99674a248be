"""The Admin API's read calls: account summaries, and a property with its currency and time zone."""

from collections.abc import Sequence
from typing import Any

from sandbox.accounts import SandboxAccount
from sandbox.ga4.errors import invalid

ACCOUNT_BASE = 100_000_001
PAGE, MAX_PAGE = 50, 200


def summaries(properties: Sequence[SandboxAccount], page_size: int, token: str) -> dict[str, Any]:
    """Return one page of ListAccountSummariesResponse: an account for each client, its properties below."""
    clients = list(dict.fromkeys(p.client for p in properties))
    listed = [
        {
            "name": f"accountSummaries/{ACCOUNT_BASE + number}",
            "account": f"accounts/{ACCOUNT_BASE + number}",
            "displayName": client,
            "propertySummaries": [_summary(p, ACCOUNT_BASE + number) for p in properties if p.client == client],
        }
        for number, client in enumerate(clients)
    ]
    if token and not token.isdigit():
        raise invalid("Invalid page token.")
    start, size = int(token or 0), min(page_size or PAGE, MAX_PAGE)
    answer: dict[str, Any] = {}
    if page := listed[start : start + size]:
        answer["accountSummaries"] = page
    if start + size < len(listed):
        answer["nextPageToken"] = str(start + size)
    return answer


def resource(account: SandboxAccount, properties: Sequence[SandboxAccount]) -> dict[str, Any]:
    """Return the Property resource."""
    clients = list(dict.fromkeys(p.client for p in properties))
    parent = f"accounts/{ACCOUNT_BASE + (clients.index(account.client) if account.client in clients else 0)}"
    return {
        "name": f"properties/{account.account_id}",
        "parent": parent,
        "displayName": account.name,
        "timeZone": account.timezone,
        "currencyCode": account.currency,
        "serviceLevel": "GOOGLE_ANALYTICS_STANDARD",
        "account": parent,
        "propertyType": "PROPERTY_TYPE_ORDINARY",
    }


def _summary(one: SandboxAccount, parent: int) -> dict[str, str]:
    return {
        "property": f"properties/{one.account_id}",
        "displayName": one.name,
        "propertyType": "PROPERTY_TYPE_ORDINARY",
        "parent": f"accounts/{parent}",
    }
