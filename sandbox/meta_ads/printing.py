"""How the Graph API prints each insights field: strings for metrics, lists of actions, absent keys for what has no value.

A row is one text made of pieces `,"name":value`, empty where the key is absent, so that a page is printed column by column.
"""

import json
from collections.abc import Sequence
from datetime import date

import polars as pl

from sandbox.accounts import SandboxAccount
from sandbox.facts import MICRO
from sandbox.meta_ads.asking import Ask
from sandbox.meta_ads.attribution import counted, valued
from sandbox.meta_ads.currencies import offset
from sandbox.meta_ads.fields import LEVELS, OFF_META
from sandbox.meta_ads.presets import months_before

PURCHASE_TYPES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
LEAD_TYPES = ("lead", "offsite_conversion.fb_pixel_lead")
"""One purchase, one lead stands under each of these: whoever adds them up counts it several times."""
REACH_MONTHS = 13
_FINER = {"campaign_id": 1, "campaign_name": 1, "objective": 1, "buying_type": 1, "adset_id": 2, "adset_name": 2, "ad_id": 3, "ad_name": 3}
_FINER |= {"attribution_setting": 2, "optimization_goal": 2}
_COLUMNS = {
    "campaign_id": "campaign_id",
    "campaign_name": "campaign_name",
    "adset_id": "ad_group_id",
    "adset_name": "ad_group_name",
    "ad_id": "ad_id",
    "ad_name": "ad_name",
}
_REACHING = frozenset(("reach", "frequency", "cpp"))
_NONE = pl.lit("")


def print_rows(ask: Ask, account: SandboxAccount, rows: pl.DataFrame, today: date, fields: tuple[str, ...] = ()) -> pl.Series:
    """Print each row as a JSON object: metric values are strings, a key without value is absent. `fields` are the request's without."""
    names = dict.fromkeys((*(fields or ask.fields), *(() if fields else ask.breakdowns)))
    start, stop = (pl.col(column).dt.to_string("%Y-%m-%d") for column in ("_from", "_from" if ask.step == 1 and not fields else "_to"))
    rows = _with_figures(rows, {"actions", "action_values"} & set(names), ask, account)
    pieces: list[pl.Expr] = [pl.lit('{"date_start":"'), start, pl.lit('","date_stop":"'), stop, pl.lit('"')]
    for name in names:
        if name in ("date_start", "date_stop"):
            continue
        if _FINER.get(name, 0) <= LEVELS.index(ask.level) and not (name in _COLUMNS and _COLUMNS[name] not in rows.columns):
            pieces += _pieces(name, ask, account, rows, today)
    return rows.select(pl.concat_str([*pieces, pl.lit("}")])).to_series()


def _pieces(name: str, ask: Ask, account: SandboxAccount, rows: pl.DataFrame, today: date) -> list[pl.Expr]:
    """Return the texts that make up a field, none for a field that no row has."""
    constant = {
        "account_id": account.account_id,
        "account_name": account.name,
        "account_currency": account.currency,
        "objective": "OUTCOME_SALES",
        "buying_type": "AUCTION",
        "attribution_setting": "7d_click_1d_view",
        "optimization_goal": "OFFSITE_CONVERSIONS",
    }.get(name)
    if constant is not None:
        return [pl.lit(_pair(name, constant))]
    if name in _COLUMNS or name in ask.breakdowns:
        return [_texts(name, _COLUMNS.get(name, name), rows)]
    if name in ("actions", "action_values"):
        return [_actions(name, ask, frozenset(rows.columns))]
    if name == "spend":
        return [pl.lit(',"spend":"'), money(_SPEND, account.currency), pl.lit('"')]
    if name == "impressions":
        return [pl.lit(',"impressions":"'), _SHOWS.cast(pl.String), pl.lit('"')]
    if name in _REACHING and ask.breakdowns and ask.since < months_before(today, REACH_MONTHS):
        return []
    if name == "video_thruplay_watched_actions" and "thruplays" not in rows.columns:
        return []
    value = _METRICS.get(name)
    return [] if value is None else [_present(name, value)]


def _texts(name: str, column: str, rows: pl.DataFrame) -> pl.Expr:
    """Print names, each different one escaped once; an empty breakdown is unknown, a missing name absent."""
    known = {v: _pair(name, v if name in _COLUMNS else v or "unknown") for v in rows[column].unique().to_list() if v is not None}
    return pl.col(column).replace_strict(known, default="", return_dtype=pl.String) if known else _NONE


def _pair(name: str, value: str) -> str:
    return f',"{name}":{json.dumps(value, ensure_ascii=False)}'


def _present(name: str, value: pl.Expr) -> pl.Expr:
    """Add the key to a value; a null value means an absent key."""
    return pl.concat_str(pl.lit(f',"{name}":'), value).fill_null("")


def money(micros: pl.Expr, currency: str = "") -> pl.Expr:
    """Print an amount in major units: at least two decimals where the currency has minor units, `0` for nothing."""
    if offset(currency) == 1:
        return number(micros)
    cents, idle = micros % MICRO // 10_000, micros % 10_000
    short = pl.concat_str((micros // MICRO).cast(pl.String), pl.lit("."), cents.cast(pl.String).str.zfill(2))
    return pl.when(micros == 0).then(pl.lit("0")).when(idle == 0).then(short).otherwise(number(micros))


def number(micros: pl.Expr) -> pl.Expr:
    """Print a count that may be fractional, without idle zeros."""
    rest = (micros % MICRO).cast(pl.String).str.zfill(6).str.strip_chars_end("0")
    whole = (micros // MICRO).cast(pl.String)
    return pl.when(micros % MICRO == 0).then(whole).otherwise(pl.concat_str(whole, pl.lit("."), rest))


def _quotient(above: pl.Expr, below: pl.Expr, factor: float = 1.0) -> pl.Expr:
    """Print a quotient with up to six decimals, quoted; null where it is undefined."""
    return pl.when(below != 0).then(_quoted(number((above / below * factor * MICRO).round().cast(pl.Int64, strict=False))))


def _quoted(text: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit('"'), text.cast(pl.String), pl.lit('"'))


_SHOWS, _CLICKS, _SPEND, _GOALS, _WORTH = (pl.col(m) for m in ("impressions", "clicks", "spend", "conversions", "conversions_value"))
_REACH = _SHOWS - _SHOWS // 6
_DELIVERED = (_SHOWS != 0) | (_CLICKS != 0)
_CLICKED = pl.when(_CLICKS != 0)


def _listed(kind: str, value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(f'[{{"action_type":"{kind}","value":'), value, pl.lit("}]"))


_METRICS: dict[str, pl.Expr] = {
    "clicks": pl.when(_DELIVERED).then(_quoted(_CLICKS)),
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
    "video_thruplay_watched_actions": pl.when(pl.col("thruplays") != 0).then(_listed("video_view", _quoted(pl.col("thruplays")))),
    "cost_per_action_type": pl.when(_GOALS != 0).then(_listed("omni_purchase", _quotient(_SPEND, _GOALS))),
}


_CONVERSIONS = (("conversions", "conversions_value", PURCHASE_TYPES), ("leads", "leads_value", LEAD_TYPES))


def _with_figures(rows: pl.DataFrame, names: set[str], ask: Ask, account: SandboxAccount) -> pl.DataFrame:
    """Add the texts of each conversion's figures, by measure and window: they are printed several times. Null where a window has none."""
    figures: dict[str, pl.Expr] = {}
    for goals, worth, _ in _CONVERSIONS:
        if goals not in rows.columns:
            continue
        if "actions" in names:
            figures[f"_{goals}_value"] = number(pl.col(goals))
            parts = {window: counted(window, pl.col(goals)) for window in ask.windows}
            figures |= {f"_{goals}_{window}": pl.when(part != 0).then(number(part)) for window, part in parts.items()}
        if "action_values" in names:
            figures[f"_{worth}_value"] = money(pl.col(worth), account.currency)
            parts = {window: valued(window, pl.col(worth), pl.col(goals)) for window in ask.windows}
            figures |= {f"_{worth}_{window}": pl.when(part != 0).then(money(part, account.currency)) for window, part in parts.items()}
    return rows.with_columns(**figures) if figures else rows


def _actions(name: str, ask: Ask, known: frozenset[str]) -> pl.Expr:
    """Print `actions` (link clicks, 3-second plays, then each conversion in all its tiers) or `action_values` (the conversions' worth alone).

    `known` names the columns that there are: leads and plays are not in every account.
    """
    extra = "".join(f',"{b}":"unknown"' for b in ask.action_breakdowns if b != "action_type")
    entries: list[pl.Expr] = []
    if name == "actions":
        keys = ["value", *(w for w in ask.windows if w.endswith("_click"))]
        entries.append(_CLICKED.then(_action("link_click", [(key, _CLICKS.cast(pl.String)) for key in keys], extra)).otherwise(_NONE))
    if name == "actions" and "plays" in known:
        plays = pl.col("plays")
        entries.append(pl.when(plays != 0).then(_action("video_view", [("value", plays.cast(pl.String))], extra)).otherwise(_NONE))
    for goals, worth, kinds in _CONVERSIONS:
        if set(ask.breakdowns) & OFF_META or goals not in known:
            continue
        measure = goals if name == "actions" else worth
        figures = [(key, pl.col(f"_{measure}_{key}")) for key in ("value", *ask.windows)]
        entries.append(pl.when(pl.col(measure) != 0).then(pl.concat_str([_action(kind, figures, extra) for kind in kinds])).otherwise(_NONE))
    if not entries:
        return _NONE
    joined = pl.concat_str(entries) if len(entries) > 1 else entries[0]
    return pl.when(joined != "").then(pl.concat_str(pl.lit(f',"{name}":['), joined.str.slice(1), pl.lit("]"))).otherwise(_NONE)


def _action(kind: str, figures: Sequence[tuple[str, pl.Expr]], extra: str) -> pl.Expr:
    parts = [pl.lit(f',{{"action_type":"{kind}"{extra}')]
    for key, value in figures:
        piece = pl.concat_str(pl.lit(f',"{key}":"'), value, pl.lit('"'))
        parts.append(piece if key == "value" else piece.fill_null(""))
    return pl.concat_str([*parts, pl.lit("}")])
