"""What the JSON services list: clients, campaigns, ad groups, ads, keywords."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from domain.platforms import Level
from sandbox.accounts import SandboxAccount
from sandbox.facts import MICRO, AccountFacts
from sandbox.yandex_direct.goals import goals_of
from sandbox.yandex_direct.table import AUTOTARGETING, CAMPAIGN_TYPES, criterion_id

Item = dict[str, Any]
COUNTRIES = {"RUB": 225, "USD": 84, "EUR": 96, "BYN": 149, "KZT": 159, "TRY": 983}


def client(account: SandboxAccount) -> Item:
    """Return one advertiser."""
    return {
        "Login": account.account_id,
        "ClientId": account.number,
        "ClientInfo": account.name,
        "Currency": account.currency,
        "CountryId": COUNTRIES.get(account.currency, 225),
        "Archived": "NO" if account.enabled else "YES",
        "Type": "SUBCLIENT",
        "CreatedAt": "2023-01-10",
        "VatRate": 20.0 if account.currency == "RUB" else None,
        "AccountQuality": 7.4,
        "Phone": "",
        "OverdraftSumAvailable": 0,
        "Grants": [],
        "Restrictions": [],
        "Settings": [],
        "Representatives": [{"Login": account.account_id, "Email": f"{account.account_id}@example.com", "Role": "CHIEF"}],
        "Notification": {"Lang": "RU", "Email": f"{account.account_id}@example.com", "SmsPhoneNumber": "", "EmailSubscriptions": []},
    }


def campaigns(account: SandboxAccount, facts: AccountFacts) -> list[Item]:
    """Return the account's campaigns; one without ads has a weekly budget, the others a daily one."""
    goals = [{"GoalId": number, "Value": MICRO, "IsMetrikaSourceOfValue": "NO"} for number in goals_of(facts)]
    budgets = dict(facts.campaigns.select("campaign_id", "budget").iter_rows())
    return [_campaign(account, row, budgets.get(row["campaign_id"]) or MICRO, goals) for row in facts.entities(Level.CAMPAIGN).iter_rows(named=True)]


def _campaign(account: SandboxAccount, row: Mapping[str, Any], budget: int, goals: list[Item]) -> Item:
    on = row["status"] == "enabled"
    kind = CAMPAIGN_TYPES.get(row["kind"], "TEXT_CAMPAIGN")
    unified = kind == "UNIFIED_CAMPAIGN"
    search = {"BiddingStrategyType": "WB_MAXIMUM_CLICKS", "WbMaximumClicks": {"WeeklySpendLimit": 7 * budget, "BidCeiling": None}}
    strategy = {"Search": search if unified else {"BiddingStrategyType": "HIGHEST_POSITION"}, "Network": {"BiddingStrategyType": "SERVING_OFF"}}
    own: Item = {"BiddingStrategy": strategy, "PriorityGoals": {"Items": goals} if goals else None, "AttributionModel": "AUTO", "Settings": []}
    return {
        "Id": _number(row["campaign_id"]),
        "Name": row["campaign_name"],
        "ClientInfo": account.name,
        "StartDate": row["first_date"].isoformat(),
        "EndDate": None,
        "TimeZone": account.timezone,
        "Type": kind,
        "Status": "ACCEPTED",
        "State": "ON" if on else "SUSPENDED",
        "StatusPayment": "ALLOWED",
        "StatusClarification": "Serving" if on else "Stopped",
        "Currency": account.currency,
        "DailyBudget": None if unified else {"Amount": budget, "Mode": "STANDARD"},
        "SourceId": None,
        "NegativeKeywords": None,
        "BlockedIps": None,
        "ExcludedSites": None,
        "UnifiedCampaign" if unified else "TextCampaign": own,
    }


def ad_groups(account: SandboxAccount, facts: AccountFacts) -> list[Item]:
    """Return the account's ad groups."""
    return [
        {
            "Id": _number(row["ad_group_id"]),
            "CampaignId": _number(row["campaign_id"]),
            "Name": row["ad_group_name"],
            "RegionIds": [225],
            "Status": "ACCEPTED",
            "ServingStatus": "ELIGIBLE",
            "Type": "TEXT_AD_GROUP",
            "Subtype": "NONE",
        }
        for row in facts.entities(Level.AD_GROUP).iter_rows(named=True)
    ]


def ads(account: SandboxAccount, facts: AccountFacts) -> list[Item]:
    """Return the account's ads."""
    return [
        {
            "Id": _number(row["ad_id"]),
            "AdGroupId": _number(row["ad_group_id"]),
            "CampaignId": _number(row["campaign_id"]),
            "Status": "ACCEPTED",
            "State": "ON" if row["status"] == "enabled" else "SUSPENDED",
            "StatusClarification": "",
            "Type": "TEXT_AD",
            "Subtype": "NONE",
            "TextAd": {"Title": row["ad_name"] or row["ad_group_name"], "Text": "", "Href": "https://example.com/", "Mobile": "NO"},
        }
        for row in facts.entities(Level.AD).iter_rows(named=True)
    ]


def keywords(account: SandboxAccount, facts: AccountFacts) -> list[Item]:
    """Return the keywords of the ad groups, autotargeting among them where traffic came without one."""
    rows = facts.window(Level.AD_GROUP, detail=("keyword",)).select("campaign_id", "ad_group_id", "keyword").unique(maintain_order=True)
    listed = rows.with_columns(criterion_id().alias("id"), pl.col("keyword").replace("", AUTOTARGETING))
    return [
        {
            "Id": _number(number),
            "Keyword": keyword,
            "AdGroupId": _number(group),
            "CampaignId": _number(campaign),
            "Status": "ACCEPTED",
            "State": "ON",
            "ServingStatus": "ELIGIBLE",
            "Bid": 10 * MICRO,
            "ContextBid": 3 * MICRO,
            "StrategyPriority": "NORMAL",
        }
        for campaign, group, keyword, number in listed.iter_rows()
    ]


LISTS: Mapping[str, Callable[[SandboxAccount, AccountFacts], list[Item]]] = {
    "campaigns": campaigns,
    "adgroups": ad_groups,
    "ads": ads,
    "keywords": keywords,
    "clients": lambda account, facts: [client(account)],
}


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text
