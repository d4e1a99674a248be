"""Split the agency's facts finer, only when a report asks: by device, country, conversion action, keyword and search term.

Every split adds up to the row it came from, to the last unit, and no cell has more clicks than impressions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.platforms import Platform
from sandbox.facts import DIMENSIONS, MEASURES, MICRO
from sandbox.generator.agency import AccountPlan, CampaignPlan
from sandbox.generator.noise import Floats, Words, mix

Counts = NDArray[np.int64]
_CENT = MICRO // 100


@dataclass(frozen=True)
class Option:
    """One value of a dimension: its share of the traffic, and how well that traffic converts beside the others."""

    value: str
    share: float
    converts: float = 1.0


NOTHING = (Option("", 1.0),)
_DEVICES = {
    "search": (Option("mobile", 0.58, 0.8), Option("desktop", 0.37, 1.35), Option("tablet", 0.05, 0.9)),
    "video": (Option("mobile", 0.49), Option("connected_tv", 0.27, 0.2), Option("desktop", 0.18, 1.4), Option("tablet", 0.06)),
    "other": (Option("mobile", 0.76, 0.85), Option("desktop", 0.2, 1.6), Option("tablet", 0.04, 0.9)),
}
_COUNTRIES: Mapping[str, tuple[Option, ...]] = {
    "Europe/Moscow": (Option("RU", 0.93), Option("BY", 0.04, 0.7), Option("KZ", 0.03, 0.5)),
    "America/New_York": (Option("US", 0.86), Option("CA", 0.09, 0.9), Option("GB", 0.05, 0.7)),
    "Europe/Berlin": (Option("DE", 0.5, 1.1), Option("AT", 0.15), Option("NL", 0.14, 0.9), Option("FR", 0.13, 0.8), Option("SE", 0.08)),
}
_GERMAN = (Option("DE", 0.85), Option("AT", 0.1, 0.9), Option("CH", 0.05, 1.2))
_NORDIC = (Option("SE", 0.44), Option("DK", 0.22, 1.1), Option("NO", 0.19), Option("FI", 0.15, 0.8))
_REGIONS = {
    "severny-dom": (Option("Москва", 0.46, 1.1), Option("Санкт-Петербург", 0.24), Option("Московская область", 0.21, 0.9), Option("Казань", 0.09, 0.8)),
    "severny-dom-region": (
        Option("Екатеринбург", 0.33),
        Option("Новосибирск", 0.27, 0.9),
        Option("Краснодар", 0.22, 1.1),
        Option("Ростов-на-Дону", 0.18),
    ),
}
"""Direct speaks of regions: its accounts have them where the others have the ISO code of a country."""

ACTIONS: Mapping[tuple[Platform, str], tuple[Option, ...]] = {
    (Platform.GOOGLE_ADS, "retail"): (Option("Purchase", 0.78), Option("Phone call", 0.22)),
    (Platform.GOOGLE_ADS, "saas"): (Option("Purchase", 0.6), Option("Trial sign-up", 0.4)),
    (Platform.META_ADS, "retail"): (Option("purchase", 1.0),),
    (Platform.META_ADS, "saas"): (Option("purchase", 1.0),),
    (Platform.YANDEX_DIRECT, "retail"): (Option("312450011", 0.8), Option("312450012", 0.2)),
}
"""The conversion actions of an account, in its platform's words: names, action types, Metrica's goal ids (an order, a lead)."""
LEAD = {Platform.META_ADS: (Option("lead", 1.0),)}
"""The conversion action of campaigns that sell nothing themselves."""

_WORDS = {
    ("retail", "keyword"): ("{} купить", "{} отзывы"),
    ("retail", "search_term"): ("{} москва", "{} недорого"),
    ("saas", "keyword"): ("{} pricing", "best {}"),
    ("saas", "search_term"): ("{} online", "{} free"),
}


def detailed(plan: AccountPlan, seed: int, rows: pl.DataFrame, dimensions: Sequence[str]) -> pl.DataFrame:
    """Return the rows with the dimensions filled, in the order of the rows; cells without any measure are left out.

    A search term knows its keyword: asking for one fills both. Equal for equal rows, whatever else is asked or was asked before.
    """
    asked = {*dimensions, *(("keyword",) if "search_term" in dimensions else ())}
    code = pl.when(pl.col("ad_id") == "").then(pl.col("campaign_id")).otherwise(pl.col("ad_id"))
    things = rows.select(code.cast(pl.UInt64)).to_series().to_numpy()
    days = rows["date"].cast(pl.Int32).cast(pl.UInt64).to_numpy()
    words = mix(things ^ mix(days ^ mix(np.array([seed], dtype=np.uint64))))
    campaigns = {str(plan.id_base + number * 1_000): campaign for number, campaign in enumerate(plan.campaigns)}
    for number, dimension in enumerate(DIMENSIONS):
        if dimension in asked and rows.height:
            keys = rows.select("campaign_id", "ad_group_name", "keyword")
            options = keys.unique(maintain_order=True).with_row_index("_at")
            at = keys.join(options, on=keys.columns, how="left", maintain_order="left")["_at"].to_numpy()
            listed = [_options(plan, campaigns[c], group, keyword, dimension) for _, c, group, keyword in options.iter_rows()]
            rows, words = _split(rows, words, dimension, number, listed, at, by_cost=plan.account.platform is not Platform.META_ADS, unit=_unit(plan))
    return rows


def _unit(plan: AccountPlan) -> int:
    """Return the smallest part of a conversion, in millionths: Google's are fractional."""
    return MICRO // 100 if plan.account.platform is Platform.GOOGLE_ADS else MICRO


def _options(plan: AccountPlan, campaign: CampaignPlan, group: str, keyword: str, dimension: str) -> tuple[Option, ...]:
    account = plan.account
    if dimension == "device":
        return _DEVICES.get(campaign.kind, _DEVICES["other"])
    if dimension == "country":
        if account.platform is Platform.YANDEX_DIRECT:
            return _REGIONS[account.account_id]
        if campaign.name.startswith("DE |") or campaign.name.endswith("Germany"):
            return _GERMAN
        return _NORDIC if campaign.name.endswith("Nordics") else _COUNTRIES[account.timezone]
    if dimension == "conversion_action":
        return LEAD.get(account.platform, NOTHING) if campaign.order == 0 else ACTIONS[account.platform, plan.rhythm]
    if campaign.kind != "search" or not group:
        return NOTHING
    more = _WORDS[plan.rhythm, dimension]
    if dimension == "keyword":
        word = group.lower()
        return (Option(word, 0.55), Option(more[0].format(word), 0.3, 1.4), Option(more[1].format(word), 0.15, 0.6))
    return (Option(keyword, 0.6, 1.1), Option(more[0].format(keyword), 0.25), Option(more[1].format(keyword), 0.15, 0.5))


def _split(
    rows: pl.DataFrame, words: Words, dimension: str, number: int, listed: Sequence[Sequence[Option]], at: NDArray[np.uint32], *, by_cost: bool, unit: int
) -> tuple[pl.DataFrame, Words]:
    """Split every row by the options of its kind; `at` says which of `listed` a row has."""
    width = max(len(options) for options in listed)
    shares, converts = (np.zeros((len(listed), width)) for _ in range(2))
    values = [""] * (len(listed) * width)
    for place, options in enumerate(listed):
        for index, option in enumerate(options):
            shares[place, index], converts[place, index], values[place * width + index] = option.share, option.converts, option.value
    streams = mix(np.arange(1, width + 2, dtype=np.uint64) + np.uint64(1000 * (number + 1)))
    cells = mix(words[:, None] ^ streams[None, :])
    noise = (cells >> np.uint64(11)).astype(np.float64) / float(1 << 53)
    weights = shares[at] * np.exp(0.5 * (noise[:, :width] - 0.5))
    cut = _measures(rows, weights, converts[at], noise[:, width], whole=dimension == "conversion_action", by_cost=by_cost, unit=unit)
    row, column = np.nonzero(np.any([part > 0 for part in cut.values()], axis=0))
    filled = rows[row].with_columns(
        pl.Series(dimension, values, dtype=pl.String()).gather(at[row].astype(np.int64) * width + column),
        *(pl.Series(name, part[row, column]) for name, part in cut.items()),
    )
    return filled, cells[row, column]


def _measures(rows: pl.DataFrame, weights: Floats, converts: Floats, phase: Floats, *, whole: bool, by_cost: bool, unit: int) -> dict[str, Counts]:
    """Split the measures; `whole` leaves the traffic with the first option, as a conversion action has none of its own."""
    own = {name: rows[name].to_numpy() for name in MEASURES}
    if whole:
        traffic = np.zeros_like(weights)
        traffic[:, 0] = 1.0
    else:
        traffic = weights
    clicks = _apportion(own["clicks"], traffic, phase)
    impressions = clicks + _apportion(own["impressions"] - own["clicks"], traffic, (phase + 0.618) % 1)
    paid = clicks.astype(np.float64) if by_cost else impressions.astype(np.float64)
    units = _apportion(own["conversions"], weights if whole else clicks * converts, (phase + 0.236) % 1, unit, weights)
    return {
        "impressions": impressions,
        "clicks": clicks,
        "spend": _apportion(own["spend"], traffic if whole else paid, phase, _CENT, traffic),
        "conversions": units,
        "conversions_value": _apportion(own["conversions_value"], units.astype(np.float64), phase, _CENT, weights),
    }


def _apportion(totals: Counts, weights: Floats, phase: Floats, unit: int = 1, otherwise: Floats | None = None) -> Counts:
    """Split totals by weights into multiples of `unit` that add up exactly; rows without any weight go by `otherwise`."""
    sums = weights.sum(axis=1, keepdims=True)
    if otherwise is not None:
        weights = np.where(sums > 0, weights, otherwise)
        sums = weights.sum(axis=1, keepdims=True)
    edges = np.floor((totals // unit)[:, None] * (np.cumsum(weights, axis=1) / sums) + phase[:, None]).astype(np.int64)
    edges[:, -1] = totals // unit
    edges = np.minimum(np.maximum.accumulate(edges, axis=1), edges[:, -1:])
    parts: Counts = np.diff(edges, axis=1, prepend=0) * unit
    parts[np.arange(len(parts)), weights.argmax(axis=1)] += totals % unit
    return parts
