"""How the Graph API prints each insights field: strings for metrics, lists of actions, absent keys for what has no value."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from sandbox.accounts import SandboxAccount
from sandbox.facts import MICRO

if TYPE_CHECKING:
    from sandbox.meta_ads.insights import Ask

PURCHASE_TYPES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
"""One purchase stands under each of these: whoever adds them up counts it three times."""
_TEXTS = {
    "campaign_id": "campaign_id",
    "campaign_name": "campaign_name",
    "adset_id": "ad_group_id",
    "adset_name": "ad_group_name",
    "ad_id": "ad_id",
    "ad_name": "ad_name",
}
Columns = dict[str, list[int]]


def pieces(name: str, ask: "Ask", account: SandboxAccount, rows: pl.DataFrame) -> Sequence[str]:
    """Return `"name":value` for each row, or an empty string where the key is absent."""
    height = rows.height
    if name in _TEXTS:
        return [_pair(name, v) if v is not None else "" for v in rows[_TEXTS[name]].to_list()]
    if name in ("date_start", "date_stop"):
        days = rows["_from" if name == "date_start" else "_to"].dt.to_string("%Y-%m-%d").to_list()
        return [f'"{name}":"{day}"' for day in days]
    constant = {
        "account_id": account.account_id,
        "account_name": account.name,
        "account_currency": account.currency,
        "objective": "OUTCOME_SALES",
        "buying_type": "AUCTION",
    }.get(name)
    if constant is not None:
        return [_pair(name, constant)] * height
    if name in ask.breakdowns:
        column = {"country": "country", "impression_device": "device", "device_platform": "device"}.get(name)
        return [_pair(name, v or "unknown") for v in rows[column].to_list()] if column else [f'"{name}":"unknown"'] * height
    if name in ("actions", "action_values"):
        return _actions(name, ask, rows)
    writer = _METRICS.get(name)
    if writer is None:
        return [""] * height
    measures = [rows[m].to_list() for m in ("impressions", "clicks", "spend", "conversions", "conversions_value")]
    return [f'"{name}":{value}' if (value := writer(*values)) else "" for values in zip(*measures, strict=True)]


@lru_cache(maxsize=65536)
def _pair(name: str, value: str) -> str:
    return f'"{name}":{json.dumps(value, ensure_ascii=False)}'


def money(micros: int) -> str:
    """Print an amount in major units: at least two decimals, `0` for nothing."""
    if micros == 0:
        return "0"
    whole, rest = divmod(micros, MICRO)
    cents, idle = divmod(rest, 10_000)
    return f"{whole}.{cents:02d}" if not idle else f"{whole}.{rest:06d}".rstrip("0")


def number(micros: int) -> str:
    """Print a count that may be fractional, without idle zeros."""
    whole, rest = divmod(micros, MICRO)
    return str(whole) if not rest else f"{whole}.{rest:06d}".rstrip("0")


def _quotient(above: int, below: int, factor: int = 1, places: int = 6) -> str:
    """Print a quotient as a quoted string, empty where it is undefined."""
    if below == 0:
        return ""
    return f'"{(Decimal(above) * factor / below).quantize(Decimal(1).scaleb(-places))}"'


Metric = Callable[[int, int, int, int, int], str]
_METRICS: dict[str, Metric] = {
    "impressions": lambda i, _c, _s, _n, _v: f'"{i}"',
    "clicks": lambda i, c, _s, _n, _v: f'"{c}"' if i or c else "",
    "spend": lambda _i, _c, s, _n, _v: f'"{money(s)}"',
    "reach": lambda i, _c, _s, _n, _v: f'"{i - i // 6}"',
    "frequency": lambda i, _c, _s, _n, _v: _quotient(i, i - i // 6) if i else "",
    "ctr": lambda i, c, _s, _n, _v: _quotient(c, i, 100),
    "cpc": lambda _i, c, s, _n, _v: _quotient(s, c * MICRO),
    "cpm": lambda i, _c, s, _n, _v: _quotient(s, i * MICRO, 1000),
    "cpp": lambda i, _c, s, _n, _v: _quotient(s, (i - i // 6) * MICRO, 1000),
    "unique_clicks": lambda i, c, _s, _n, _v: f'"{c}"' if i or c else "",
    "inline_link_clicks": lambda _i, c, _s, _n, _v: f'"{c}"' if c else "",
    "inline_link_click_ctr": lambda i, c, _s, _n, _v: _quotient(c, i, 100) if c else "",
    "cost_per_inline_link_click": lambda _i, c, s, _n, _v: _quotient(s, c * MICRO),
    "outbound_clicks": lambda _i, c, _s, _n, _v: f'[{{"action_type":"outbound_click","value":"{c}"}}]' if c else "",
    "purchase_roas": lambda _i, _c, s, _n, v: f'[{{"action_type":"omni_purchase","value":{_quotient(v, s)}}}]' if s and v else "",
    "website_purchase_roas": lambda _i, _c, s, _n, v: (
        f'[{{"action_type":"offsite_conversion.fb_pixel_purchase","value":{_quotient(v, s)}}}]' if s and v else ""
    ),
    "cost_per_action_type": lambda _i, _c, s, n, _v: (
        "[" + ",".join(f'{{"action_type":"{t}","value":{_quotient(s, n)}}}' for t in PURCHASE_TYPES) + "]" if s and n else ""
    ),
}


def _actions(name: str, ask: "Ask", rows: pl.DataFrame) -> list[str]:
    """Print `actions` (link clicks and the purchase in all its tiers) or `action_values` (the purchase's worth alone)."""
    windows = [w for w in ask.windows if w in ("1d_click", "7d_click", "28d_click")]
    clicks, counts, values = (rows[m].to_list() for m in ("clicks", "conversions", "conversions_value"))
    found = []
    for clicked, count, worth in zip(clicks, counts, values, strict=True):
        amount = number(count) if name == "actions" else money(worth)
        entries = [_action("link_click", str(clicked), windows)] if clicked and name == "actions" else []
        if count if name == "actions" else worth:
            entries += [_action(kind, amount, windows) for kind in PURCHASE_TYPES]
        found.append(f'"{name}":[{",".join(entries)}]' if entries else "")
    return found


def _action(kind: str, value: str, windows: Sequence[str]) -> str:
    by_window = "".join(f',"{w}":"{value}"' for w in windows)
    return f'{{"action_type":"{kind}","value":"{value}"{by_window}}}'
