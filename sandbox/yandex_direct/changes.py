"""The service Changes: what has changed since a moment, statistics found by comparing what was known then with what is known now."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from sandbox.accounts import SandboxAccount
from sandbox.facts import AccountFacts
from sandbox.world import World
from sandbox.yandex_direct.errors import DirectError

Params = Mapping[str, Any]
LIMITS = {"CampaignIds": 3_000, "AdGroupIds": 10_000, "AdIds": 50_000}
FIELDS = frozenset(("CampaignIds", "AdGroupIds", "AdIds", "CampaignsStat"))
_TRAFFIC = ("impressions", "clicks", "spend")
"""What makes Direct call statistics changed; conversions that are attributed later do not."""


def changes(method: str, account: SandboxAccount, facts: AccountFacts, params: Params, world: World) -> dict[str, Any]:
    """Answer check, checkCampaigns and checkDictionaries. Raises DirectError as the service does."""
    now = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    if method == "checkDictionaries":
        changed = {"TimeZonesChanged": "NO", "RegionsChanged": "NO"} if "Timestamp" in params else {}
        return {**changed, "Timestamp": now}
    since = _moment(params)
    if method == "checkCampaigns":
        borders = _borders(account, facts, since, world)
        listed = [{"CampaignId": int(c), "ChangesIn": ["STAT"]} for c in borders if c.isdecimal()]
        return {**({"Campaigns": listed} if listed else {}), "Timestamp": now}
    if method != "check":
        raise DirectError(55, f"changes.{method}")
    return {**_check(account, facts, params, since, world), "Timestamp": now}


def _check(account: SandboxAccount, facts: AccountFacts, params: Params, since: date, world: World) -> dict[str, Any]:
    named = [name for name in LIMITS if name in params]
    if len(named) != 1:
        raise DirectError(4001, f"Exactly one of {', '.join(LIMITS)} must be given")
    asked = params[named[0]]
    if not isinstance(asked, list) or not 1 <= len(asked) <= LIMITS[named[0]]:
        raise DirectError(4001, f"{named[0]} must be an array of 1 to {LIMITS[named[0]]} elements")
    names = params.get("FieldNames")
    if not isinstance(names, list) or not names:
        raise DirectError(8000, "The required field FieldNames is missing")
    for name in names:
        if name not in FIELDS:
            raise DirectError(8000, f"The FieldNames element contains an incorrect enumeration value: {name}")
    column = {"CampaignIds": "campaign_id", "AdGroupIds": "ad_group_id", "AdIds": "ad_id"}[named[0]]
    known = facts.rows.select("campaign_id", pl.col(column).alias("_asked")).unique().filter(pl.col("_asked").is_in([str(i) for i in asked]))
    found = set(known["_asked"].to_list())
    modified: dict[str, Any] = {}
    if "CampaignsStat" in names:
        borders = _borders(account, facts, since, world)
        stat = [{"CampaignId": int(c), "BorderDate": borders[c].isoformat()} for c in sorted(set(known["campaign_id"].to_list())) if c in borders]
        modified |= {"CampaignsStat": stat} if stat else {}
    result: dict[str, Any] = {"Modified": modified}
    if missing := [i for i in asked if str(i) not in found]:
        result["NotFound"] = {named[0]: missing}
    return result


def _borders(account: SandboxAccount, facts: AccountFacts, since: date, world: World) -> dict[str, date]:
    """Return, by campaign, the first date whose traffic was restated after `since`, a date in UTC."""
    before = _by_day(world.source.rows(account, since, min(since, facts.today)))
    after = _by_day(facts.rows)
    apart = pl.concat([before.with_columns(pl.col(_TRAFFIC) * -1), after]).group_by("campaign_id", "date").agg(pl.col(_TRAFFIC).sum())
    changed = apart.filter(pl.any_horizontal(pl.col(name) != 0 for name in _TRAFFIC))
    borders = changed.group_by("campaign_id").agg(pl.col("date").min()).sort("campaign_id")
    return {campaign: day for campaign, day in borders.iter_rows() if campaign}


def _by_day(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("campaign_id", "date").agg(pl.col(_TRAFFIC).sum())


def _moment(params: Params) -> date:
    text = params.get("Timestamp")
    if not isinstance(text, str):
        raise DirectError(8000, "The required field Timestamp is missing")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).date()
    except ValueError:
        raise DirectError(4000, "Timestamp must be a moment as YYYY-MM-DDThh:mm:ssZ") from None
