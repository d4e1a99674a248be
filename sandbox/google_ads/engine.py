"""Answer a parsed query: check it against the rules, and lay the result out as a frame whose columns are the selected fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from domain.platforms import Level
from sandbox.facts import ENTITY_KEYS, MEASURES, AccountFacts
from sandbox.google_ads.countries import CODES, CRITERIA
from sandbox.google_ads.customers import Customer, CustomerTree
from sandbox.google_ads.entities import CATEGORIES, DEFAULT_ACTION, assets, conversion_actions, customer_clients, geo_targets, keywords
from sandbox.google_ads.fields import CORE_DATES, ENUMS, FIELDS, WITH_METRICS
from sandbox.google_ads.filters import condition, date_window
from sandbox.google_ads.gaql import Query
from sandbox.google_ads.metrics import MEASURE_OF, METRICS, with_doubles
from sandbox.google_ads.naming import named
from sandbox.google_ads.rules import check

VIEWS: Mapping[str, str] = {
    "keyword_view": "keyword",
    "search_term_view": "search_term",
    "geographic_view": "country",
    "user_location_view": "country",
}
"""Resources finer than their level, and the dimension of the facts that they show."""
LEVELS: Mapping[str, Level] = {
    "customer": Level.ACCOUNT,
    "campaign": Level.CAMPAIGN,
    "campaign_budget": Level.CAMPAIGN,
    "ad_group": Level.AD_GROUP,
    "ad_group_ad": Level.AD,
    "keyword_view": Level.AD_GROUP,
    "search_term_view": Level.AD_GROUP,
}
NETWORKS = {"search": "SEARCH", "display": "CONTENT", "video": "YOUTUBE", "performance_max": "MIXED"}
_OTHERS: Mapping[str, Callable[[Customer, CustomerTree, AccountFacts | None], pl.DataFrame]] = {
    "customer_client": lambda customer, tree, _: customer_clients(customer, tree),
    "conversion_action": lambda customer, _, facts: conversion_actions(customer, facts),
    "ad_group_criterion": lambda customer, _, facts: keywords(customer, facts),
    "asset": lambda customer, _, facts: assets(customer, facts),
    "geo_target_constant": lambda *_: geo_targets(),
}
"""Resources that carry no metrics."""


@dataclass(frozen=True)
class Result:
    """The rows of an answer; every column is a field's full name. `customer_id` owns them."""

    rows: pl.DataFrame
    fields: tuple[str, ...]
    """The selected fields that the sandbox fills, resource names included."""
    mask: tuple[str, ...]
    """The selected fields as the query names them."""
    total: int = 0
    """The rows that match, whatever the query's LIMIT."""
    summary: pl.DataFrame | None = None
    """One row of the selected metrics over all rows that match; None without metrics."""


def run(query: Query, customer: Customer, tree: CustomerTree, facts: AccountFacts | None, version: str, today: date) -> Result:
    """Run a query for one customer. Raises GoogleAdsError as the API does."""
    check(query, customer, version)
    wanted = _wanted(query)
    rows = _rows(query, wanted, customer, tree, facts, today)
    for one in query.where:
        if one.field not in CORE_DATES:
            rows = rows.filter(condition(one, today)) if one.field in rows.columns else _without_values(rows, one.operator)
    total, summary = rows.height, _summary(rows, query)
    if query.order:
        known = [(name, descending) for name, descending in query.order if name in rows.columns]
        if known:
            rows = rows.sort([n for n, _ in known], descending=[d for _, d in known], maintain_order=True)
    if query.limit is not None:
        rows = rows.head(query.limit)
    shown = tuple(f for f in _shown(query) if f in rows.columns)
    return Result(rows.select(shown), shown, query.select, total, summary)


def _summary(rows: pl.DataFrame, query: Query) -> pl.DataFrame | None:
    """Add all rows up and take the selected metrics of the sum."""
    metrics = [name for name in query.select if name in METRICS]
    if not metrics or MEASURES[0] not in rows.columns:
        return None
    return with_doubles(rows.select(pl.col(MEASURES).sum())).select(METRICS[name].alias(name) for name in metrics)


def _without_values(rows: pl.DataFrame, operator: str) -> pl.DataFrame:
    """Apply a condition on a field that no row has: only a wish for nothing, or for something else, is met."""
    return rows if operator in ("IS NULL", "!=", "NOT IN", "NOT LIKE", "CONTAINS NONE", "NOT REGEXP_MATCH") else rows.head(0)


def _wanted(query: Query) -> set[str]:
    names = {*query.select, *(c.field for c in query.where), *(name for name, _ in query.order)}
    return {n for n in names if n in FIELDS}


def _shown(query: Query) -> list[str]:
    """Return the fields that an answer carries: the selected ones, and the resource name of each resource that is selected from."""
    shown = []
    if query.parameters.get("omit_unselected_resource_names") != "true":
        shown += [f"{resource}.resource_name" for resource in dict.fromkeys([query.resource, *(s.partition(".")[0] for s in query.select)])]
        if any(s.startswith("ad_group_ad.ad.") for s in query.select):
            shown.append("ad_group_ad.ad.resource_name")
    return [f for f in dict.fromkeys([*shown, *query.select]) if f in FIELDS]


def _rows(query: Query, wanted: set[str], customer: Customer, tree: CustomerTree, facts: AccountFacts | None, today: date) -> pl.DataFrame:
    if query.resource in _OTHERS:
        return _OTHERS[query.resource](customer, tree, facts)
    if query.resource not in WITH_METRICS:
        return pl.DataFrame()
    level = LEVELS.get(query.resource) or _level(wanted)
    segments = sorted(n for n in wanted if n.startswith("segments.") and n in query.select)
    metrics = [n for n in query.select if n.startswith("metrics.")]
    segmented = any(n.startswith("segments.") for n in query.select)
    measured = metrics or segmented or query.resource in VIEWS or any(n.startswith("metrics.") for n in wanted)
    if facts is None:
        entities = pl.DataFrame({"_one": [1]}) if level is Level.ACCOUNT and not segments else pl.DataFrame()
    elif not measured:
        entities = _entities(facts, level)
    else:
        entities = _measured(query, facts, level, segments, today, segmented=segmented)
        if deciding := [pl.col(MEASURE_OF[m]) != 0 for m in metrics if m in MEASURE_OF and segmented]:
            entities = entities.filter(pl.any_horizontal(deciding))
    return named(entities, customer, segments)


def _level(wanted: set[str]) -> Level:
    """Return the level at which a view without one of its own is added up: that of its finest attribute."""
    resources = {name.partition(".")[0] for name in wanted}
    return Level.AD_GROUP if "ad_group" in resources else Level.CAMPAIGN if "campaign" in resources else Level.ACCOUNT


def _entities(facts: AccountFacts, level: Level) -> pl.DataFrame:
    if level is Level.ACCOUNT:
        return pl.DataFrame({"_one": [1]})
    return facts.entities(level)


def _measured(query: Query, facts: AccountFacts, level: Level, segments: list[str], today: date, *, segmented: bool) -> pl.DataFrame:
    """Add the facts up. Unsegmented, an entity without facts stands there with zeros; segmented, it does not."""
    since, until = date_window(query.where, today)
    cut = [name.partition(".")[2] for name in segments]
    dated = [c for c in query.where if c.field in CORE_DATES]
    finer = list(dict.fromkeys([*([VIEWS[query.resource]] if query.resource in VIEWS else []), *(["keyword"] if any(map(_is_keyword, cut)) else [])]))
    cut = [name for name in cut if not _is_keyword(name)]
    detail = {*finer, *(_DETAIL[name] for name in cut if name in _DETAIL)}
    rows = facts.window(level, since, until, sorted(detail)).with_columns(_SEGMENTS[n.partition(".")[2]].alias(n) for n in {c.field for c in dated})
    for one in dated:
        rows = rows.filter(condition(one, today))
    for name in finer:
        rows = rows.filter(pl.col(name).is_in(list(CRITERIA)) if name == "country" else pl.col(name) != "")
        rows = rows.with_columns(pl.col("country").replace(CODES)) if name == "country" else rows
    if "ad_network_type" in cut:
        rows = rows.join(facts.campaigns.select("campaign_id", "kind"), on="campaign_id", how="left", maintain_order="left")
    rows = rows.with_columns(_SEGMENTS[name].alias(f"_{name}") for name in cut)
    keys = [*ENTITY_KEYS[level], *finer, *(f"_{name}" for name in cut)]
    summed = rows.group_by(keys, maintain_order=True).agg(pl.col(MEASURES).sum()) if keys else rows.select(pl.col(MEASURES).sum())
    if level is Level.ACCOUNT:
        return summed
    entities = facts.entities(level)
    keys = [c for c in ("campaign_id", "ad_group_id", "ad_id") if c in entities.columns and c in summed.columns]
    if segmented or finer:
        return summed.join(entities, on=keys, how="left", maintain_order="left")
    return entities.join(summed, on=keys, how="left", maintain_order="left").with_columns(pl.col(MEASURES).fill_null(0))


def _is_keyword(segment: str) -> bool:
    return segment.startswith("keyword.")


_DETAIL = {"device": "device", **dict.fromkeys(("conversion_action", "conversion_action_name", "conversion_action_category"), "conversion_action")}
"""The dimension of the facts that a segment needs."""
_SEGMENTS: dict[str, pl.Expr] = {
    "date": pl.col("date").dt.to_string("%Y-%m-%d"),
    "week": pl.col("date").dt.truncate("1w").dt.to_string("%Y-%m-%d"),
    "month": pl.col("date").dt.truncate("1mo").dt.to_string("%Y-%m-%d"),
    "quarter": pl.col("date").dt.truncate("1q").dt.to_string("%Y-%m-%d"),
    "year": pl.col("date").dt.year().cast(pl.Int64),
    "day_of_week": pl.col("date").dt.weekday().cast(pl.Int64).replace_strict(dict(enumerate(ENUMS["weekday"], 1)), return_dtype=pl.String),
    "device": pl.col("device")
    .str.to_uppercase()
    .replace("", "OTHER")
    .replace_strict({name: name for name in ENUMS["device"]}, default="UNKNOWN", return_dtype=pl.String),
    "conversion_action": pl.col("conversion_action").replace("", DEFAULT_ACTION),
    "conversion_action_name": pl.col("conversion_action").replace("", DEFAULT_ACTION),
    "conversion_action_category": pl.col("conversion_action").replace("", DEFAULT_ACTION).replace_strict(CATEGORIES, default="DEFAULT", return_dtype=pl.String),
    "ad_network_type": pl.col("kind").replace_strict(NETWORKS, default="SEARCH", return_dtype=pl.String),
}
