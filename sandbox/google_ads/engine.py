"""Answer a parsed query: check it against the rules, and lay the result out as a frame whose columns are the selected fields."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import polars as pl

from domain.platforms import Level
from sandbox.facts import AccountFacts
from sandbox.google_ads.customers import Customer, CustomerTree
from sandbox.google_ads.fields import CORE_DATES, ENUMS, FIELDS, WITH_METRICS
from sandbox.google_ads.filters import condition, date_window
from sandbox.google_ads.gaql import Query
from sandbox.google_ads.metrics import MEASURE_OF, METRICS, with_doubles
from sandbox.google_ads.rules import check

LEVELS = {"customer": Level.ACCOUNT, "campaign": Level.CAMPAIGN, "ad_group": Level.AD_GROUP, "ad_group_ad": Level.AD}
DEFAULT_ACTION = "Purchase"
CHANNELS = {"search": "SEARCH", "display": "DISPLAY", "performance_max": "PERFORMANCE_MAX", "video": "VIDEO"}
AD_TYPES = {"search": "RESPONSIVE_SEARCH_AD", "display": "RESPONSIVE_DISPLAY_AD", "video": "VIDEO_AD"}
GROUP_TYPES = {"search": "SEARCH_STANDARD", "display": "DISPLAY_STANDARD", "video": "VIDEO_RESPONSIVE"}


@dataclass(frozen=True)
class Result:
    """The rows of an answer; every column is a field's full name. `customer_id` owns them."""

    rows: pl.DataFrame
    fields: tuple[str, ...]
    """The selected fields that the sandbox fills, resource names included."""
    mask: tuple[str, ...]
    """The selected fields as the query names them."""


def run(query: Query, customer: Customer, tree: CustomerTree, facts: AccountFacts | None, version: str, today: date) -> Result:
    """Run a query for one customer. Raises GoogleAdsError as the API does."""
    check(query, customer, version)
    wanted = _wanted(query)
    rows = _rows(query, wanted, customer, tree, facts, today)
    for one in query.where:
        if one.field not in CORE_DATES:
            rows = rows.filter(condition(one, today)) if one.field in rows.columns else _without_values(rows, one.operator)
    if query.order:
        known = [(name, descending) for name, descending in query.order if name in rows.columns]
        if known:
            rows = rows.sort([n for n, _ in known], descending=[d for _, d in known], maintain_order=True)
    if query.limit is not None:
        rows = rows.head(query.limit)
    shown = tuple(f for f in _shown(query) if f in rows.columns)
    return Result(rows.select(shown), shown, query.select)


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
    if query.resource == "customer_client":
        return _customer_clients(customer, tree)
    if query.resource == "conversion_action":
        return _conversion_actions(customer, facts)
    if query.resource not in WITH_METRICS:
        return pl.DataFrame()
    level = LEVELS[query.resource]
    segments = sorted(n for n in wanted if n.startswith("segments.") and n in query.select)
    metrics = [n for n in query.select if n.startswith("metrics.")]
    measured = metrics or segments or any(n.startswith("metrics.") for n in wanted)
    if facts is None:
        entities = pl.DataFrame({"_one": [1]}) if level is Level.ACCOUNT and not segments else pl.DataFrame()
    elif not measured:
        entities = _entities(facts, level)
    else:
        entities = _measured(query, facts, level, segments, today)
        if metrics and segments:
            entities = entities.filter(pl.any_horizontal(pl.col(MEASURE_OF[m]) != 0 for m in metrics if m in MEASURE_OF)) if entities.height else entities
    return _named(entities, level, customer, segments)


def _entities(facts: AccountFacts, level: Level) -> pl.DataFrame:
    if level is Level.ACCOUNT:
        return pl.DataFrame({"_one": [1]})
    return facts.entities(level)


def _measured(query: Query, facts: AccountFacts, level: Level, segments: list[str], today: date) -> pl.DataFrame:
    """Add the facts up. Unsegmented, an entity without facts stands there with zeros; segmented, it does not."""
    since, until = date_window(query.where, today)
    cut = [name.partition(".")[2] for name in segments]
    dated = [c for c in query.where if c.field in CORE_DATES]
    rows = facts.window(level, since, until).with_columns(_SEGMENTS[n.partition(".")[2]].alias(n) for n in {c.field for c in dated})
    for one in dated:
        rows = rows.filter(condition(one, today))
    rows = rows.with_columns(_SEGMENTS[name].alias(f"_{name}") for name in cut)
    summed = AccountFacts(facts.today, rows, facts.campaigns).sums(level, [f"_{name}" for name in cut])
    if level is Level.ACCOUNT:
        return summed
    entities = facts.entities(level)
    keys = [c for c in ("campaign_id", "ad_group_id", "ad_id") if c in entities.columns and c in summed.columns]
    if segments:
        return summed.join(entities, on=keys, how="left", maintain_order="left")
    return entities.join(summed, on=keys, how="left", maintain_order="left").with_columns(
        pl.col("impressions", "clicks", "spend", "conversions", "conversions_value").fill_null(0)
    )


_SEGMENTS: dict[str, pl.Expr] = {
    "date": pl.col("date").dt.to_string("%Y-%m-%d"),
    "week": pl.col("date").dt.truncate("1w").dt.to_string("%Y-%m-%d"),
    "month": pl.col("date").dt.truncate("1mo").dt.to_string("%Y-%m-%d"),
    "quarter": pl.col("date").dt.truncate("1q").dt.to_string("%Y-%m-%d"),
    "year": pl.col("date").dt.year().cast(pl.Int64),
    "day_of_week": pl.col("date").dt.weekday().cast(pl.Int64).replace_strict(dict(enumerate(ENUMS["weekday"], 1)), return_dtype=pl.String),
    "device": pl.col("device").str.to_uppercase().replace("", "OTHER"),
    "conversion_action": pl.col("conversion_action").replace("", DEFAULT_ACTION),
    "conversion_action_name": pl.col("conversion_action").replace("", DEFAULT_ACTION),
}


def _named(frame: pl.DataFrame, level: Level, customer: Customer, segments: list[str]) -> pl.DataFrame:
    """Turn a frame of ids and measures into one of fields, with resource names, statuses and the customer's own attributes."""
    own = f"customers/{customer.id}"
    columns = _customer_columns(customer)
    has = set(frame.columns)
    if "campaign_id" in has:
        channel = pl.col("kind").replace_strict(CHANNELS, default="SEARCH")
        columns |= {
            "campaign.resource_name": own + "/campaigns/" + pl.col("campaign_id"),
            "campaign.id": pl.col("campaign_id").cast(pl.Int64),
            "campaign.name": pl.col("campaign_name"),
            "campaign.status": pl.col("status").str.to_uppercase(),
            "campaign.serving_status": pl.when(pl.col("status") == "enabled").then(pl.lit("SERVING")).otherwise(pl.lit("ENDED")),
            "campaign.advertising_channel_type": channel,
        }
    if "ad_group_id" in has:
        columns |= {
            "ad_group.resource_name": own + "/adGroups/" + pl.col("ad_group_id"),
            "ad_group.id": pl.col("ad_group_id").cast(pl.Int64),
            "ad_group.name": pl.col("ad_group_name"),
            "ad_group.status": pl.lit("ENABLED"),
            "ad_group.type": pl.col("kind").replace_strict(GROUP_TYPES, default="SEARCH_STANDARD"),
            "ad_group.campaign": own + "/campaigns/" + pl.col("campaign_id"),
        }
    if "ad_id" in has:
        columns |= {
            "ad_group_ad.resource_name": own + "/adGroupAds/" + pl.col("ad_group_id") + "~" + pl.col("ad_id"),
            "ad_group_ad.status": pl.lit("ENABLED"),
            "ad_group_ad.ad_group": own + "/adGroups/" + pl.col("ad_group_id"),
            "ad_group_ad.ad.resource_name": own + "/ads/" + pl.col("ad_id"),
            "ad_group_ad.ad.id": pl.col("ad_id").cast(pl.Int64),
            "ad_group_ad.ad.name": pl.col("ad_name"),
            "ad_group_ad.ad.type": pl.col("kind").replace_strict(AD_TYPES, default="RESPONSIVE_SEARCH_AD"),
        }
    if "impressions" in has:
        columns |= METRICS
        frame = with_doubles(frame)
    columns |= {name: pl.col(f"_{name.partition('.')[2]}") for name in segments if f"_{name.partition('.')[2]}" in has}
    if "segments.conversion_action" in columns:
        actions = {name: f"{own}/conversionActions/{_number_of(name)}" for name in frame["_conversion_action"].unique()}
        columns["segments.conversion_action"] = pl.col("_conversion_action").replace_strict(actions, return_dtype=pl.String)
    return frame.with_columns(expression.alias(name) for name, expression in columns.items()).select(list(columns)) if frame.width else frame


def _number_of(name: str) -> int:
    """Give each conversion action a number that depends on its name alone."""
    return 100_000_000 + int.from_bytes(sha256(name.encode()).digest()[:4], "big")


def _customer_columns(customer: Customer) -> dict[str, pl.Expr]:
    values = {
        "customer.resource_name": f"customers/{customer.id}",
        "customer.id": int(customer.id),
        "customer.descriptive_name": customer.name,
        "customer.currency_code": customer.currency,
        "customer.time_zone": customer.timezone,
        "customer.manager": customer.manager,
        "customer.test_account": False,
        "customer.status": customer.status,
    }
    return {name: pl.lit(value, pl.Int64) if name == "customer.id" else pl.lit(value) for name, value in values.items()}


def _customer_clients(customer: Customer, tree: CustomerTree) -> pl.DataFrame:
    rows = [
        {
            "customer_client.resource_name": f"customers/{customer.id}/customerClients/{below.id}",
            "customer_client.client_customer": f"customers/{below.id}",
            "customer_client.id": int(below.id),
            "customer_client.level": level,
            "customer_client.hidden": False,
            "customer_client.manager": below.manager,
            "customer_client.test_account": False,
            "customer_client.descriptive_name": below.name,
            "customer_client.currency_code": below.currency,
            "customer_client.time_zone": below.timezone,
            "customer_client.status": below.status,
        }
        for below, level in tree.below(customer.id)
    ]
    return pl.DataFrame(rows).with_columns(e.alias(n) for n, e in _customer_columns(customer).items())


def _conversion_actions(customer: Customer, facts: AccountFacts | None) -> pl.DataFrame:
    """List the actions that the facts name, or the one that stands for all of them."""
    if facts is None:
        return pl.DataFrame()
    names = [n for n in facts.rows["conversion_action"].unique(maintain_order=True).to_list() if n] or [DEFAULT_ACTION]
    rows = [
        {
            "conversion_action.resource_name": f"customers/{customer.id}/conversionActions/{_number_of(name)}",
            "conversion_action.id": _number_of(name),
            "conversion_action.name": name,
            "conversion_action.status": "ENABLED",
            "conversion_action.type": "WEBPAGE",
            "conversion_action.category": "PURCHASE" if name == DEFAULT_ACTION else "DEFAULT",
            "conversion_action.owner_customer": f"customers/{customer.id}",
            "conversion_action.include_in_conversions_metric": True,
            "conversion_action.primary_for_goal": True,
            "conversion_action.counting_type": "MANY_PER_CLICK",
            "conversion_action.click_through_lookback_window_days": 30,
            "conversion_action.view_through_lookback_window_days": 1,
        }
        for name in names
    ]
    return pl.DataFrame(rows).with_columns(e.alias(n) for n, e in _customer_columns(customer).items())
