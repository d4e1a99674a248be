"""Ad accounts, campaigns, ad sets, ads and creatives as nodes of the graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import polars as pl

from domain.platforms import Level
from sandbox.accounts import SandboxAccount
from sandbox.facts import ENTITY_KEYS, MICRO, AccountFacts
from sandbox.meta_ads.currencies import offset
from sandbox.meta_ads.fields import AD, AD_SET, CAMPAIGN, CREATIVE
from sandbox.meta_ads.videos import is_video

Node = dict[str, Any]
_BUDGET_DAYS = 14


@dataclass(frozen=True)
class Kind:
    """One kind of node below an account. A creative stands beside its ad."""

    level: Level
    type: str
    insights: str
    fields: frozenset[str]


EDGES = {
    "campaigns": Kind(Level.CAMPAIGN, "Campaign", "campaign", CAMPAIGN),
    "adsets": Kind(Level.AD_GROUP, "AdSet", "adset", AD_SET),
    "ads": Kind(Level.AD, "Adgroup", "ad", AD),
    "adcreatives": Kind(Level.AD, "AdCreative", "ad", CREATIVE),
}
EMPTY_EDGES = (
    *("activities", "adimages", "adlabels", "adspixels", "adrules_library", "advideos", "customaudiences", "customconversions"),
    *("saved_audiences", "instagram_accounts", "promote_pages"),
)


def account_node(account: SandboxAccount, facts: AccountFacts) -> Node:
    """Return an ad account; amount_spent and balance are in minor units, as strings."""
    shift = datetime.combine(facts.today, time(12), ZoneInfo(account.timezone)).utcoffset()
    return {
        "id": f"act_{account.account_id}",
        "account_id": account.account_id,
        "name": account.name,
        "currency": account.currency,
        "timezone_id": 1 + crc32(account.timezone.encode()) % 480,
        "timezone_name": account.timezone,
        "timezone_offset_hours_utc": 0 if shift is None else shift.total_seconds() / 3600,
        "account_status": 1 if account.enabled else 2,
        "disable_reason": 0 if account.enabled else 1,
        "amount_spent": str(int(facts.rows["spend"].sum()) * offset(account.currency) // MICRO),
        "balance": "0",
        "spend_cap": "0",
        "min_daily_budget": offset(account.currency),
        "age": 730.0,
        "business_name": account.client,
        "created_time": "2023-01-10T12:00:00+0000",
        "is_personal": 0,
        "is_prepay_account": False,
        "owner": "100000000000001",
        "user_tasks": ["DRAFT", "ANALYZE"],
        "tos_accepted": {"web_custom_audience_tos": 1},
    }


def entity_nodes(edge: str, account: SandboxAccount, facts: AccountFacts) -> list[Node]:
    """Return the campaigns, ad sets, ads or creatives of an account."""
    kind = EDGES[edge]
    budgets = _budgets(account, facts) if edge == "campaigns" else {}
    return [_node(edge, row, account, budgets) for row in facts.entities(kind.level).iter_rows(named=True)]


def _node(edge: str, row: Mapping[str, Any], account: SandboxAccount, budgets: Mapping[str, int]) -> Node:
    if edge == "adcreatives":
        return _creative(row, account)
    own = {"campaigns": "campaign", "adsets": "ad_group", "ads": "ad"}[edge]
    status = "ACTIVE" if row["status"] == "enabled" else "PAUSED"
    node: Node = {
        "id": row[f"{own}_id"],
        "name": row[f"{own}_name"],
        "account_id": account.account_id,
        "status": status if own == "campaign" else "ACTIVE",
        "configured_status": status if own == "campaign" else "ACTIVE",
        "effective_status": status if own == "campaign" or status == "ACTIVE" else "CAMPAIGN_PAUSED",
        "created_time": _moment(row["first_date"], account),
        "start_time": _moment(row["first_date"], account),
        "updated_time": _moment(row["last_date"], account),
    }
    if own == "campaign":
        budget = budgets.get(row["campaign_id"], 0)
        node |= {"objective": "OUTCOME_SALES", "buying_type": "AUCTION", "special_ad_categories": [], "bid_strategy": "LOWEST_COST_WITHOUT_CAP"}
        node |= {"daily_budget": str(budget), "budget_remaining": str(budget // 3)} if budget else {}
    else:
        node["campaign_id"] = row["campaign_id"]
    if own == "ad_group":
        node |= {"daily_budget": "0", "lifetime_budget": "0", "budget_remaining": "0", "billing_event": "IMPRESSIONS"}
        node |= {"optimization_goal": "OFFSITE_CONVERSIONS", "destination_type": "WEBSITE", "is_dynamic_creative": False}
        node["attribution_spec"] = [{"event_type": "CLICK_THROUGH", "window_days": 7}, {"event_type": "VIEW_THROUGH", "window_days": 1}]
    if own == "ad":
        node |= {"adset_id": row["ad_group_id"], "creative": {"id": creative_id(row["ad_id"])}, "bid_type": "ABSOLUTE_OCPM"}
    return node


def _creative(row: Mapping[str, Any], account: SandboxAccount) -> Node:
    name, own = row["ad_name"], creative_id(row["ad_id"])
    film = is_video(name)
    media = {"video_id": str(3 * 10**14 + int(own) % 10**9)} if film else {"image_hash": f"{crc32(name.encode()):08x}" * 4}
    return {
        "id": own,
        "account_id": account.account_id,
        "name": f"{name} {row['first_date']}-{own[-6:]}",
        "title": name,
        "body": f"{row['campaign_name']}: {row['ad_group_name']}",
        "status": "ACTIVE",
        "object_type": "VIDEO" if film else "SHARE",
        "call_to_action_type": "SHOP_NOW" if account.currency == "RUB" else "LEARN_MORE",
        "link_url": "https://example.com/",
        "url_tags": "utm_source=facebook&utm_medium=cpc&utm_campaign={{campaign.name}}",
        "effective_object_story_id": f"1000000000_{own}",
        "thumbnail_url": f"https://example.com/thumbnail/{own}.jpg",
        **media,
    }


def creative_id(ad_id: str) -> str:
    """Name an ad's creative."""
    return str(23_850_000_000_000_000 + (int(ad_id) if ad_id.isdigit() else crc32(ad_id.encode())) % 10**12)


def _budgets(account: SandboxAccount, facts: AccountFacts) -> dict[str, int]:
    """Return each campaign's daily budget in minor units; where none is known, a fifth above its mean spend of late, in three digits."""
    known = dict(facts.campaigns.select("campaign_id", "budget").iter_rows())
    days = facts.rows.filter(pl.col("campaign_id") != "").group_by("campaign_id", "date", maintain_order=True).agg(pl.col("spend").sum())
    means = days.group_by("campaign_id", maintain_order=True).agg(pl.col("spend").tail(_BUDGET_DAYS).mean())
    budgets = {}
    for campaign_id, spend in means.iter_rows():
        minor = round((known.get(campaign_id) or spend * 1.2) * offset(account.currency) / MICRO)
        step = 10 ** max(len(str(minor)) - 3, 0)
        budgets[campaign_id] = -(-minor // step) * step
    return budgets


def _moment(day: date, account: SandboxAccount) -> str:
    return datetime.combine(day, time(0), ZoneInfo(account.timezone)).strftime("%Y-%m-%dT%H:%M:%S%z")


def find_entity(node_id: str, accounts: Mapping[SandboxAccount, AccountFacts]) -> tuple[SandboxAccount, str, str] | None:
    """Find the campaign, ad set, ad or creative with an id: its account, its edge, and the id of what its facts belong to."""
    for account, facts in accounts.items():
        for edge in ("campaigns", "adsets", "ads"):
            column = ENTITY_KEYS[EDGES[edge].level][-1]
            if facts.entities(EDGES[edge].level)[column].eq(node_id).any():
                return account, edge, node_id
        if node_id.startswith("2385"):
            for ad_id in facts.entities(Level.AD)["ad_id"].to_list():
                if creative_id(ad_id) == node_id:
                    return account, "adcreatives", ad_id
    return None
