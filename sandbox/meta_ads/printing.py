"""How the Graph API prints each insights field: strings for metrics, lists of actions, absent keys for what has no value.

Every field becomes an expression of text `,"name":value`, empty where the key is absent, so that a page is printed column by column.
"""

import json
from collections.abc import Sequence
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
_BREAKDOWN_COLUMNS = {"country": "country", "impression_device": "device", "device_platform": "device"}
_NONE = pl.lit("")


def piece(name: str, ask: "Ask", account: SandboxAccount, rows: pl.DataFrame) -> pl.Expr | None:
    """Return the expression of a field's text, None for a field that no row has."""
    constant = {
        "account_id": account.account_id,
        "account_name": account.name,
        "account_currency": account.currency,
        "objective": "OUTCOME_SALES",
        "buying_type": "AUCTION",
    }.get(name)
    if constant is not None:
        return pl.lit(_pair(name, constant))
    if name in _TEXTS:
        return _texts(name, _TEXTS[name], rows)
    if name in ("date_start", "date_stop"):
        return pl.format(f',"{name}":"{{}}"', pl.col("_from" if name == "date_start" else "_to").dt.to_string("%Y-%m-%d"))
    if name in ask.breakdowns:
        column = _BREAKDOWN_COLUMNS.get(name)
        return _texts(name, column, rows) if column else pl.lit(_pair(name, "unknown"))
    if name in ("actions", "action_values"):
        return _actions(name, ask)
    value = _METRICS.get(name)
    return None if value is None else _present(name, value)


def _texts(name: str, column: str, rows: pl.DataFrame) -> pl.Expr:
    """Print names, each different one escaped once; a missing one is absent."""
    known = {value: _pair(name, value or "unknown" if name in _BREAKDOWN_COLUMNS else value) for value in rows[column].unique().to_list() if value is not None}
    return pl.col(column).replace_strict(known, default="", return_dtype=pl.String) if known else _NONE


def _pair(name: str, value: str) -> str:
    return f',"{name}":{json.dumps(value, ensure_ascii=False)}'


def _present(name: str, value: pl.Expr) -> pl.Expr:
    """Add the key to a value; a null value means an absent key."""
    return pl.format(f',"{name}":{{}}', value).fill_null("")


def money(micros: pl.Expr) -> pl.Expr:
    """Print an amount in major units: at least two decimals, `0` for nothing."""
    cents, idle = micros % MICRO // 10_000, micros % 10_000
    short = pl.concat_str((micros // MICRO).cast(pl.String), pl.lit("."), cents.cast(pl.String).str.zfill(2))
    return pl.when(micros == 0).then(pl.lit("0")).when(idle == 0).then(short).otherwise(number(micros))


def number(micros: pl.Expr) -> pl.Expr:
    """Print a count that may be fractional, without idle zeros."""
    rest = (micros % MICRO).cast(pl.String).str.zfill(6).str.strip_chars_end("0")
    whole = (micros // MICRO).cast(pl.String)
    return pl.when(rest == "").then(whole).otherwise(pl.concat_str(whole, pl.lit("."), rest))


def _quotient(above: pl.Expr, below: pl.Expr, factor: float = 1.0) -> pl.Expr:
    """Print a quotient with up to six decimals, quoted; null where it is undefined."""
    return pl.when(below != 0).then(_quoted(number((above / below * factor * MICRO).round().cast(pl.Int64, strict=False))))


def _quoted(text: pl.Expr) -> pl.Expr:
    return pl.format('"{}"', text)


_SHOWS, _CLICKS, _SPEND, _GOALS, _WORTH = (pl.col(m) for m in ("impressions", "clicks", "spend", "conversions", "conversions_value"))
_REACH = _SHOWS - _SHOWS // 6
_DELIVERED = (_SHOWS != 0) | (_CLICKS != 0)
_CLICKED = pl.when(_CLICKS != 0)


def _listed(kind: str, value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(f'[{{"action_type":"{kind}","value":'), value, pl.lit("}]"))


_METRICS: dict[str, pl.Expr] = {
    "impressions": _quoted(_SHOWS),
    "clicks": pl.when(_DELIVERED).then(_quoted(_CLICKS)),
    "spend": _quoted(money(_SPEND)),
    "reach": _quoted(_REACH),
    "frequency": _quotient(_SHOWS, _REACH),
    "ctr": _quotient(_CLICKS, _SHOWS, 100),
    "cpc": _quotient(_SPEND, _CLICKS, 1 / MICRO),
    "cpm": _quotient(_SPEND, _SHOWS, 1000 / MICRO),
    "cpp": _quotient(_SPEND, _REACH, 1000 / MICRO),
    "unique_clicks": pl.when(_DELIVERED).then(_quoted(_CLICKS)),
    "inline_link_clicks": _CLICKED.then(_quoted(_CLICKS)),
    "inline_link_click_ctr": _CLICKED.then(_quotient(_CLICKS, _SHOWS, 100)),
    "cost_per_inline_link_click": _quotient(_SPEND, _CLICKS, 1 / MICRO),
    "outbound_clicks": _CLICKED.then(_listed("outbound_click", _quoted(_CLICKS))),
    "purchase_roas": pl.when(_WORTH != 0).then(_listed("omni_purchase", _quotient(_WORTH, _SPEND))),
    "website_purchase_roas": pl.when(_WORTH != 0).then(_listed("offsite_conversion.fb_pixel_purchase", _quotient(_WORTH, _SPEND))),
    "cost_per_action_type": pl.when(_GOALS != 0).then(_listed("omni_purchase", _quotient(_SPEND, _GOALS))),
}


def _actions(name: str, ask: "Ask") -> pl.Expr:
    """Print `actions` (link clicks and the purchase in all its tiers) or `action_values` (the purchase's worth alone)."""
    windows = [w for w in ask.windows if w in ("1d_click", "7d_click", "28d_click")]
    amount, text = (_GOALS, number(_GOALS)) if name == "actions" else (_WORTH, money(_WORTH))
    bought = pl.when(amount != 0).then(pl.concat_str([_action(kind, text, windows) for kind in PURCHASE_TYPES])).otherwise(_NONE)
    clicked = _CLICKED.then(_action("link_click", _CLICKS.cast(pl.String), windows)).otherwise(_NONE) if name == "actions" else _NONE
    entries = pl.concat_str(clicked, bought)
    return pl.when(entries != "").then(pl.concat_str(pl.lit(f',"{name}":['), entries.str.tail(-1), pl.lit("]"))).otherwise(_NONE)


def _action(kind: str, value: pl.Expr, windows: Sequence[str]) -> pl.Expr:
    parts = [pl.lit(f',{{"action_type":"{kind}","value":"'), value, pl.lit('"')]
    for window in windows:
        parts += [pl.lit(f',"{window}":"'), value, pl.lit('"')]
    return pl.concat_str([*parts, pl.lit("}")])
