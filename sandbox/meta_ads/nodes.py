"""Ad accounts, campaigns, ad sets and ads as nodes of the graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from domain.platforms import Level
from sandbox.accounts import SandboxAccount
from sandbox.facts import ENTITY_KEYS, MICRO, AccountFacts
from sandbox.meta_ads.errors import invalid
from sandbox.meta_ads.fields import AD, AD_SET, CAMPAIGN

Node = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of node below an account."""

    level: Level
    type: str
    insights: str
    fields: frozenset[str]


EDGES = {
    "campaigns": Kind(Level.CAMPAIGN, "Campaign", "campaign", CAMPAIGN),
    "adsets": Kind(Level.AD_GROUP, "AdSet", "adset", AD_SET),
    "ads": Kind(Level.AD, "Adgroup", "ad", AD),
}
EMPTY_EDGES = ("customconversions", "adimages", "advideos", "activities", "adcreatives", "customaudiences", "adspixels", "adlabels", "assigned_users")


def account_node(account: SandboxAccount, facts: AccountFacts) -> Node:
    """Return an ad account; amount_spent and balance are in minor units, as strings."""
    offset = datetime.combine(facts.today, time(12), ZoneInfo(account.timezone)).utcoffset()
    return {
        "id": f"act_{account.account_id}",
        "account_id": account.account_id,
        "name": account.name,
        "currency": account.currency,
        "timezone_name": account.timezone,
        "timezone_offset_hours_utc": 0 if offset is None else offset.total_seconds() / 3600,
        "account_status": 1 if account.enabled else 2,
        "disable_reason": 0,
        "amount_spent": str(int(facts.rows["spend"].sum()) // (MICRO // 100)),
        "balance": "0",
        "spend_cap": "0",
        "age": 730.0,
        "business_name": account.client,
        "created_time": "2023-01-10T12:00:00+0000",
        "is_personal": 0,
        "is_prepay_account": False,
        "owner": "100000000000001",
        "user_tasks": ["DRAFT", "ANALYZE"],
    }


def entity_nodes(kind: Kind, account: SandboxAccount, facts: AccountFacts) -> list[Node]:
    """Return the campaigns, ad sets or ads of an account."""
    own = {Level.CAMPAIGN: "campaign", Level.AD_GROUP: "ad_group", Level.AD: "ad"}[kind.level]
    nodes = []
    for row in facts.entities(kind.level).iter_rows(named=True):
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
            node |= {"objective": "OUTCOME_SALES", "buying_type": "AUCTION", "special_ad_categories": []}
        if own in ("ad_group", "ad"):
            node["campaign_id"] = row["campaign_id"]
        if own == "ad":
            node["adset_id"] = row["ad_group_id"]
        nodes.append(node)
    return nodes


def _moment(day: date, account: SandboxAccount) -> str:
    return datetime.combine(day, time(0), ZoneInfo(account.timezone)).strftime("%Y-%m-%dT%H:%M:%S%z")


def pick(node: Node, wanted: list[str], known: frozenset[str], type_name: str, default: tuple[str, ...]) -> Node:
    """Keep the wanted fields, the id always. Raises GraphError for a field that the node's type does not have."""
    for name in wanted:
        if name not in known:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type ({type_name})")
    return {name: node[name] for name in dict.fromkeys((*(wanted or default), "id")) if name in node}


def find_entity(node_id: str, accounts: Mapping[SandboxAccount, AccountFacts]) -> tuple[SandboxAccount, str, tuple[str, tuple[str, ...]]] | None:
    """Find the campaign, ad set or ad with an id: its account, its edge, and the filter that keeps its facts."""
    for account, facts in accounts.items():
        for edge, kind in EDGES.items():
            column = ENTITY_KEYS[kind.level][-1]
            if facts.entities(kind.level)[column].eq(node_id).any():
                return account, edge, (column, (node_id,))
    return None
