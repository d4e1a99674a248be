"""The entities of an account, page by page: what is asked of each JSON service, and its answer made into rows."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from connectors.rows import drift, typed
from domain.catalogue import Account, Report

CAMPAIGNS_IN_CALL = 10
"""The most campaigns that ad groups, ads and keywords are listed for in one call."""

GOAL_CAMPAIGNS_IN_CALL = 100
PAGE = 10_000

Item = Mapping[str, Any]
_STRATEGY = ["BiddingStrategy", "PriorityGoals", "AttributionModel"]
_PARAMS: Mapping[str, Mapping[str, Any]] = {
    "campaigns": {
        "SelectionCriteria": {},
        "FieldNames": ["Id", "Name", "Type", "Status", "State", "StartDate", "EndDate", "Currency", "DailyBudget"],
        "TextCampaignFieldNames": _STRATEGY,
        "DynamicTextCampaignFieldNames": ["BiddingStrategy", "PriorityGoals", "AttributionModel"],
        "SmartCampaignFieldNames": ["BiddingStrategy", "PriorityGoals", "AttributionModel"],
    },
    "adgroups": {"FieldNames": ["Id", "CampaignId", "Name", "Type", "Status", "ServingStatus"]},
    "ads": {"FieldNames": ["Id", "AdGroupId", "CampaignId", "Type", "Status", "State"], "TextAdFieldNames": ["Title", "Href"]},
    "keywords": {"FieldNames": ["Id", "Keyword", "AdGroupId", "CampaignId", "Status", "State", "ServingStatus", "Bid", "ContextBid"]},
}
_UNIFIED = {"UnifiedCampaignFieldNames": _STRATEGY}
"""Only v501 knows unified campaigns."""

KEYS = {"campaigns": "Campaigns", "adgroups": "AdGroups", "ads": "Ads", "keywords": "Keywords", "clients": "Clients"}


def params(service: str, version: str, campaigns: Sequence[str] | None, offset: int) -> dict[str, Any]:
    """Return what to ask a service for: one page, of these campaigns where given."""
    asked: dict[str, Any] = {**_PARAMS[service], **(_UNIFIED if service == "campaigns" and version == "v501" else {})}
    if campaigns is not None:
        asked["SelectionCriteria"] = {"CampaignIds": [number(c) for c in campaigns]}
    return {**asked, "Page": {"Limit": PAGE, "Offset": offset}}


def number(text: str) -> int | str:
    """Return an id as JSON shows it: a number wherever it is one."""
    return int(text) if text.isascii() and text.isdecimal() else text


def batches(campaigns: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the campaigns in calls' portions."""
    for start in range(0, len(campaigns), size):
        yield campaigns[start : start + size]


def rows_of(report: Report, account: Account, body: bytes) -> pa.Table:
    """Return the rows of one answer in the report's schema. Raises IncompleteAnswer for an answer of another shape."""
    try:
        loaded = json.loads(body)
        items = loaded["data"] if report.name == "goals" else loaded["result"].get(KEYS[report.source.removesuffix(".get")]) or []
        read = _READERS.get(report.name, dict)
        found = [read(item) for item in items]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise drift(report, account, "(see why)", f"does not read: {type(error).__name__} {error}") from error
    columns: dict[str, list[object]] = {c.name: [_text(row.get(c.name), c.type.value) for row in found] for c in report.columns}
    if report.name == "accounts":
        columns |= {"Login": [account.account_id] * len(found), "Timezone": [account.timezone] * len(found)}
    return typed(report, account, columns, len(found))


def _text(value: object, kind: str) -> object:
    """Print numbers where the catalogue holds an id or a printed figure; leave everything else as it is."""
    return str(value) if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool) else value


def _account(item: Item) -> dict[str, object]:
    return {**item, "Archived": str(item.get("Archived", "NO")) == "YES"}


def _campaign(item: Item) -> dict[str, object]:
    own = own_part(item)
    budget = item.get("DailyBudget") or {}
    return {
        **item,
        "DailyBudget_Amount": budget.get("Amount"),
        "DailyBudget_Mode": budget.get("Mode"),
        "WeeklySpendLimit": weekly_limit(own.get("BiddingStrategy")),
        "PriorityGoals": ",".join(priority_goals(item)) or None,
        "AttributionModel": own.get("AttributionModel"),
    }


def _ad(item: Item) -> dict[str, object]:
    text = item.get("TextAd") or {}
    return {**item, "Title": text.get("Title"), "Href": text.get("Href")}


_READERS: Mapping[str, Callable[[Item], Mapping[str, object]]] = {"accounts": _account, "campaigns": _campaign, "ads": _ad}


def own_part(campaign: Item) -> Item:
    """Return the structure that belongs to the campaign's type: TextCampaign, UnifiedCampaign, ..."""
    parts = [value for name, value in campaign.items() if name.endswith("Campaign") and isinstance(value, dict)]
    part: Item = parts[0] if parts else {}
    return part


def priority_goals(campaign: Item) -> list[str]:
    """Return the ids of the goals that a campaign works for."""
    listed = own_part(campaign).get("PriorityGoals") or {}
    return [str(goal["GoalId"]) for goal in listed.get("Items") or []]


def weekly_limit(strategy: object) -> int | None:
    """Return the greatest WeeklySpendLimit within a bidding strategy, in micros; None without one."""
    if not isinstance(strategy, dict):
        return None
    found = [strategy["WeeklySpendLimit"]] if isinstance(strategy.get("WeeklySpendLimit"), int) else []
    found += [inner for value in strategy.values() if (inner := weekly_limit(value)) is not None]
    return max(found, default=None)
