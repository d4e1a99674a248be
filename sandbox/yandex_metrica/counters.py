"""Counters, their goals, accounts and Direct clients, as the Management API lists them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import polars as pl

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.world import World
from sandbox.yandex_metrica.errors import MetricaError, unknown_counter, wrong

_NUMBERED = (
    "RUB643 USD840 EUR978 GBP826 BYN933 KZT398 UAH980 TRY949 UZS860 GEL981 AMD51 AZN944 KGS417 PLN985 CHF756 CNY156 JPY392 INR356 ILS376 AED784 CZK203 "
    "SEK752 NOK578 DKK208 CAD124 AUD36 BRL986 KWD414 KRW410 SGD702 HKD344 RSD941 MDL498 TJS972 BGN975 HUF348"
)
NUMBERS = {word[:3]: int(word[3:]) for word in _NUMBERED.split()}
"""ISO 4217 numbers: a counter's currency is one of them."""
UNNAMED_GOAL = 300_000_001
"""The goal that reaches conversions of rows without a goal id."""
PER_PAGE = 1_000
LOGIN = "sandbox-agency"


def counters(world: World) -> list[SandboxAccount]:
    """List the counters."""
    return world.accounts(Platform.YANDEX_METRICA)


def find(world: World, counter_id: str) -> SandboxAccount:
    """Return a counter. Raises MetricaError where there is none."""
    account = world.account(Platform.YANDEX_METRICA, counter_id)
    if account is None:
        raise unknown_counter(counter_id)
    return account


def number(text: str) -> int | str:
    """Return an id as JSON shows it: a number wherever it is one."""
    return int(text) if text.isdecimal() else text


def goal_ids(rows: pl.DataFrame) -> dict[int, str]:
    """Return the goals of a counter's rows: Metrica's number, and the goal_id that the rows name it by."""
    found = rows.filter((pl.col("goal_id") != "") | (pl.col("conversions") != 0) | (pl.col("conversions_value") != 0))["goal_id"].unique().sort()
    return {goal_number(text): text for text in found}


def goal_number(text: str) -> int:
    """Return a goal's number: the id itself where it is one."""
    if not text:
        return UNNAMED_GOAL
    return int(text) if text.isdecimal() and len(text) < 19 else 310_000_000 + crc32(text.encode()) % 80_000_000


def goal_list(world: World, account: SandboxAccount) -> list[dict[str, Any]]:
    """List a counter's goals."""
    return [
        {
            "id": found,
            "name": (f"Goal {text}" if text.isdecimal() else text) if text else "Conversion",
            "type": "action",
            "default_price": 0.0,
            "is_retargeting": 0,
            "goal_source": "user",
            "is_favorite": 0,
            "status": "Active",
            "conditions": [{"type": "exact", "url": text or "conversion"}],
        }
        for found, text in goal_ids(world.analytics(account)).items()
    ]


def counter_list(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """Answer management/v1/counters with its filters and pages."""
    wanted = {part for part in query.get("counter_ids", "").split(",") if part}
    search = query.get("search_string", "").lower()
    offset, per_page = (_whole(query, name, default) for name, default in (("offset", 1), ("per_page", PER_PAGE)))
    found = [
        a
        for a in counters(world)
        if (not wanted or a.account_id in wanted)
        and (not search or search in (a.account_id, site(a)) or search in a.name.lower() or search in site(a))
        and query.get("status", "Active") == "Active"
    ]
    start = max(offset, 1) - 1
    return {"rows": len(found), "counters": [shape(world, a, query) for a in found[start : start + per_page]]}


def shape(world: World, account: SandboxAccount, query: Mapping[str, str]) -> dict[str, Any]:
    """Return one counter, with the extra fields that `field` names."""
    extra = {part.strip() for part in query.get("field", "").split(",")}
    shown: dict[str, Any] = {
        "id": number(account.account_id),
        "status": "Active",
        "owner_login": LOGIN,
        "code_status": "CS_OK",
        "activity_status": "high",
        "name": account.name,
        "type": "simple",
        "favorite": 0,
        "permission": "own",
        "time_zone_name": account.timezone,
        "time_zone_offset": offset_minutes(account.timezone, world.clock.now()),
        "currency": NUMBERS.get(account.currency, account.currency),
        "create_time": "2020-01-09T12:00:00+03:00",
        "site": site(account),
        "site2": {"site": site(account)},
        "gdpr_agreement_accepted": 1,
    }
    if "goals" in extra:
        shown["goals"] = goal_list(world, account)
    return shown | {name: [] for name in ("mirrors", "grants", "filters", "operations") if name in extra}


def goal(world: World, account: SandboxAccount, goal_id: str) -> dict[str, Any]:
    """Return one goal. Raises MetricaError where there is none."""
    for found in goal_list(world, account):
        if str(found["id"]) == goal_id:
            return found
    raise MetricaError(404, "not_found", f"Object not found: goal {goal_id}", "goalId")


def clients(world: World) -> list[dict[str, Any]]:
    """List the logins of Direct whose campaigns may be asked for by direct_client_logins."""
    return [{"id": a.number, "name": a.name, "chief_login": a.account_id} for a in world.accounts(Platform.YANDEX_DIRECT)]


def site(account: SandboxAccount) -> str:
    """Return the site that a counter stands on."""
    return f"site-{account.account_id}.example"


def offset_minutes(timezone: str, at: datetime) -> int:
    """Return a zone's offset from UTC in minutes."""
    offset = at.astimezone(ZoneInfo(timezone)).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)


def quoted(value: object) -> str:
    """Print a value as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "") or str(default)
    if not text.isdecimal():
        raise wrong(name, text)
    return int(text)
