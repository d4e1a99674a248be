"""The JSON services: clients, agency clients, campaigns, ad groups, ads, changes."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from domain.platforms import Level
from sandbox.accounts import SandboxAccount
from sandbox.facts import AccountFacts
from sandbox.world import World
from sandbox.yandex_direct.errors import DirectError
from sandbox.yandex_direct.table import CAMPAIGN_TYPES

MOST = 10_000
Params = Mapping[str, Any]
Item = dict[str, Any]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CAMPAIGN = (
    "Id Name ClientInfo StartDate EndDate TimeTargeting TimeZone NegativeKeywords BlockedIps ExcludedSites DailyBudget Notification Type Status State "
    "StatusPayment StatusClarification SourceId Statistics Currency Funds RepresentedBy PackageBiddingStrategy"
)
FIELD_NAMES: Mapping[str, frozenset[str]] = {
    "campaigns": _names(_CAMPAIGN),
    "adgroups": _names(
        "Id CampaignId Name RegionIds RestrictedRegionIds NegativeKeywords NegativeKeywordSharedSetIds TrackingParams Status ServingStatus Type Subtype"
    ),
    "ads": _names("Id CampaignId AdGroupId Status StatusClarification State AdCategories AgeLabel Type Subtype"),
    "clients": _names(
        "AccountQuality Archived ClientId ClientInfo CountryId CreatedAt Currency Grants Login Notification OverdraftSumAvailable Phone Representatives "
        "Restrictions Settings Type VatRate ForbiddenPlatform AvailableCampaignTypes"
    ),
}
FIELD_NAMES = {**FIELD_NAMES, "agencyclients": FIELD_NAMES["clients"]}
KEYS = {"campaigns": "Campaigns", "adgroups": "AdGroups", "ads": "Ads", "clients": "Clients", "agencyclients": "Clients"}
COUNTRIES = {"RUB": 225, "USD": 84, "EUR": 96, "BYN": 149, "KZT": 159, "TRY": 983}


def read_call(body: bytes) -> tuple[str, Params]:
    """Read method and params. Raises DirectError for a body that is no such JSON."""
    try:
        call = json.loads(body)
        method, params = call["method"], call.get("params", {})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DirectError(8000, "The request body is not JSON with method and params") from None
    if not isinstance(method, str) or not isinstance(params, dict):
        raise DirectError(8000, "method must be a string and params a structure")
    return method, params


def get(service: str, params: Params, items: list[Item]) -> dict[str, Any]:
    """Answer a get: the asked fields of one page, and LimitedBy where there is more."""
    wanted = params.get("FieldNames")
    if not isinstance(wanted, list) or not wanted:
        raise DirectError(8000, "The required field FieldNames is missing")
    for name in wanted:
        if name not in FIELD_NAMES[service]:
            raise DirectError(8000, f"The FieldNames element contains an incorrect enumeration value: {name}")
    page = params.get("Page") or {}
    limit, offset = page.get("Limit", MOST), page.get("Offset", 0)
    if not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise DirectError(4001, f"Page.Limit must be from 1 to {MOST}")
    if not isinstance(offset, int) or offset < 0:
        raise DirectError(4001, "Page.Offset must not be negative")
    part = [{k: item.get(k) for k in wanted} for item in items[offset : offset + limit]]
    result: dict[str, Any] = {KEYS[service]: part} if part or service != "ads" else {}
    if offset + limit < len(items):
        result["LimitedBy"] = offset + limit
    return result


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


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def campaigns(account: SandboxAccount, facts: AccountFacts, criteria: Params) -> list[Item]:
    """Return the account's campaigns that meet the criteria."""
    items = []
    for row in facts.entities(Level.CAMPAIGN).iter_rows(named=True):
        on = row["status"] == "enabled"
        items.append(
            {
                "Id": _number(row["campaign_id"]),
                "Name": row["campaign_name"],
                "ClientInfo": account.name,
                "StartDate": row["first_date"].isoformat(),
                "EndDate": None,
                "TimeZone": account.timezone,
                "Type": CAMPAIGN_TYPES.get(row["kind"], "TEXT_CAMPAIGN"),
                "Status": "ACCEPTED",
                "State": "ON" if on else "SUSPENDED",
                "StatusPayment": "ALLOWED",
                "StatusClarification": "Serving" if on else "Stopped",
                "Currency": account.currency,
                "DailyBudget": None,
                "SourceId": None,
                "NegativeKeywords": None,
                "BlockedIps": None,
                "ExcludedSites": None,
            }
        )
    return _selected(items, criteria, {"Ids": "Id", "Types": "Type", "States": "State", "Statuses": "Status"})


def ad_groups(account: SandboxAccount, facts: AccountFacts, criteria: Params) -> list[Item]:
    """Return the account's ad groups that meet the criteria."""
    items = [
        {
            "Id": _number(row["ad_group_id"]),
            "CampaignId": _number(row["campaign_id"]),
            "Name": row["ad_group_name"],
            "RegionIds": [225],
            "Status": "ACCEPTED",
            "ServingStatus": "ELIGIBLE",
            "Type": "TEXT_AD_GROUP",
        }
        for row in facts.entities(Level.AD_GROUP).iter_rows(named=True)
    ]
    _needs(criteria, ("Ids", "CampaignIds"))
    return _selected(items, criteria, {"Ids": "Id", "CampaignIds": "CampaignId", "Types": "Type", "Statuses": "Status"})


def ads(account: SandboxAccount, facts: AccountFacts, criteria: Params) -> list[Item]:
    """Return the account's ads that meet the criteria."""
    items = [
        {
            "Id": _number(row["ad_id"]),
            "AdGroupId": _number(row["ad_group_id"]),
            "CampaignId": _number(row["campaign_id"]),
            "Status": "ACCEPTED",
            "State": "ON" if row["status"] == "enabled" else "SUSPENDED",
            "StatusClarification": "",
            "Type": "TEXT_AD",
        }
        for row in facts.entities(Level.AD).iter_rows(named=True)
    ]
    _needs(criteria, ("Ids", "CampaignIds", "AdGroupIds"))
    return _selected(items, criteria, {"Ids": "Id", "CampaignIds": "CampaignId", "AdGroupIds": "AdGroupId", "States": "State", "Types": "Type"})


def _needs(criteria: Params, names: tuple[str, ...]) -> None:
    if not any(criteria.get(name) for name in names):
        raise DirectError(4001, f"SelectionCriteria must contain at least one of {', '.join(names)}")


def _selected(items: list[Item], criteria: Params, places: Mapping[str, str]) -> list[Item]:
    for name, place in places.items():
        if wanted := criteria.get(name):
            texts = {str(w) for w in wanted}
            items = [i for i in items if str(i[place]) in texts]
    return items


def changes(account: SandboxAccount, facts: AccountFacts, params: Params, world: World) -> dict[str, Any]:
    """Answer Changes.check: for each campaign the date from which statistics may have changed."""
    known = {str(c["Id"]): c for c in campaigns(account, facts, {})}
    asked = [str(i) for i in params.get("CampaignIds") or ()]
    names = params.get("FieldNames")
    if not isinstance(names, list) or not names:
        raise DirectError(8000, "The required field FieldNames is missing")
    found = [known[i]["Id"] for i in asked if i in known]
    modified: dict[str, Any] = {}
    if found and "CampaignsStat" in names:
        border = (facts.today - timedelta(days=3)).isoformat()
        modified["CampaignsStat"] = [{"CampaignId": i, "BorderDate": border} for i in found]
    result: dict[str, Any] = {"Modified": modified, "Timestamp": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}
    if missing := [_number(i) for i in asked if i not in known]:
        result["NotFound"] = {"CampaignIds": missing}
    return result


LISTS: Mapping[str, Callable[[SandboxAccount, AccountFacts, Params], list[Item]]] = {"campaigns": campaigns, "adgroups": ad_groups, "ads": ads}


def items(service: str, account: SandboxAccount, facts: AccountFacts, params: Params) -> list[Item]:
    """Return what a service lists for an account."""
    return [client(account)] if service == "clients" else LISTS[service](account, facts, params.get("SelectionCriteria") or {})
