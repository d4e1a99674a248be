"""The two methods of the older API (v4 Live) that version 5 has no counterpart for: the goals of campaigns, and the units left."""

import json
from typing import Any

from domain.platforms import Platform
from sandbox.tokens import Token, judge
from sandbox.web import Answer, Request, json_answer
from sandbox.world import World
from sandbox.yandex_direct.goals import goals_of

PATHS = ("/v4/json", "/live/v4/json")
_TEXTS = {1: "Invalid CampaignID", 53: "Authorization error", 55: "Method not found", 71: "Invalid parameters"}


def answer(world: World, request: Request, units_left: int, limit: int) -> Answer:
    """Answer one call; errors come with HTTP 200, code and text beside each other."""
    try:
        call = json.loads(request.body)
        method, param, token = call["method"], call.get("param") or {}, str(call.get("token") or request.headers.get("authorization", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return _error(71, "The body is not JSON with method, param and token")
    if judge(token) is not Token.GOOD:
        return _error(53, "")
    if method == "GetClientsUnits":
        return json_answer(200, {"data": [{"Login": login, "UnitsRest": units_left, "UnitsMax": limit} for login in param]})
    if method == "GetStatGoals":
        return _goals(world, param, request.headers.get("client-login", "").lower())
    return _error(55, str(method))


def _goals(world: World, param: Any, login: str) -> Answer:  # noqa: ANN401
    """List the goals of campaigns, each once; `login` tells apart accounts of a dataset that name their campaigns alike."""
    asked = (param.get("CampaignIDS") or [param.get("CampaignID")]) if isinstance(param, dict) else [None]
    wanted = {str(i) for i in asked if i}
    if not wanted:
        return _error(1, "CampaignIDS is empty")
    listed: dict[tuple[str, int], str] = {}
    for campaign in sorted(wanted):
        for account in world.owners(Platform.YANDEX_DIRECT, campaign):
            if login in ("", account.account_id.lower()):
                listed |= {(campaign, number): name for number, name in goals_of(world.facts(account)).items()}
    available = {"AvailableForStrategy": "Yes", "AvailableForContextStrategy": "Yes"}
    goals = [{"CampaignID": _number(campaign), "GoalID": number, "Name": name, **available} for (campaign, number), name in listed.items()]
    return json_answer(200, {"data": goals})


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _error(code: int, detail: str) -> Answer:
    return json_answer(200, {"error_code": code, "error_str": _TEXTS[code], "error_detail": detail})
