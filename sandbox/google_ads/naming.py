"""Turn ids and sums into the API's fields: resource names, names, statuses, types."""

from hashlib import sha256

import polars as pl

from sandbox.facts import AccountFacts
from sandbox.google_ads.customers import Customer, CustomerTree
from sandbox.google_ads.metrics import METRICS, with_doubles

DEFAULT_ACTION = "Purchase"
CHANNELS = {"search": "SEARCH", "display": "DISPLAY", "performance_max": "PERFORMANCE_MAX", "video": "VIDEO"}
AD_TYPES = {"search": "RESPONSIVE_SEARCH_AD", "display": "RESPONSIVE_DISPLAY_AD", "video": "VIDEO_AD"}
GROUP_TYPES = {"search": "SEARCH_STANDARD", "display": "DISPLAY_STANDARD", "video": "VIDEO_RESPONSIVE"}


def named(frame: pl.DataFrame, customer: Customer, segments: list[str]) -> pl.DataFrame:
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
        columns |= _ad_columns(own)
    if "keyword" in has:
        columns |= _keyword_columns(frame, own)
    if "search_term" in has:
        columns |= {
            "search_term_view.resource_name": own + "/searchTermViews/" + pl.col("campaign_id") + "~" + pl.col("ad_group_id") + "~" + pl.col("search_term"),
            "search_term_view.search_term": pl.col("search_term"),
            "search_term_view.ad_group": own + "/adGroups/" + pl.col("ad_group_id"),
            "search_term_view.status": pl.lit("NONE"),
        }
    if "impressions" in has:
        columns |= METRICS
        frame = with_doubles(frame)
    columns |= {name: pl.col(f"_{name.partition('.')[2]}") for name in segments if f"_{name.partition('.')[2]}" in has}
    if "segments.conversion_action" in columns:
        actions = {name: f"{own}/conversionActions/{number_of(name)}" for name in frame["_conversion_action"].unique()}
        columns["segments.conversion_action"] = pl.col("_conversion_action").replace_strict(actions, return_dtype=pl.String)
    return frame.with_columns(expression.alias(name) for name, expression in columns.items()).select(list(columns)) if frame.width else frame


def _ad_columns(own: str) -> dict[str, pl.Expr]:
    return {
        "ad_group_ad.resource_name": own + "/adGroupAds/" + pl.col("ad_group_id") + "~" + pl.col("ad_id"),
        "ad_group_ad.status": pl.lit("ENABLED"),
        "ad_group_ad.ad_group": own + "/adGroups/" + pl.col("ad_group_id"),
        "ad_group_ad.ad.resource_name": own + "/ads/" + pl.col("ad_id"),
        "ad_group_ad.ad.id": pl.col("ad_id").cast(pl.Int64),
        "ad_group_ad.ad.name": pl.col("ad_name"),
        "ad_group_ad.ad.type": pl.col("kind").replace_strict(AD_TYPES, default="RESPONSIVE_SEARCH_AD"),
    }


def _keyword_columns(frame: pl.DataFrame, own: str) -> dict[str, pl.Expr]:
    """Return the columns of a keyword: the criterion's id depends on its ad group and its text alone."""
    key = pl.concat_str("ad_group_id", "keyword", separator=" ")
    numbers = {text: number_of(text) for text in frame.select(key).to_series().unique()}
    number = key.replace_strict(numbers, return_dtype=pl.Int64)
    place = pl.col("ad_group_id") + "~" + number.cast(pl.String)
    return {
        "keyword_view.resource_name": own + "/keywordViews/" + place,
        "ad_group_criterion.resource_name": own + "/adGroupCriteria/" + place,
        "ad_group_criterion.criterion_id": number,
        "ad_group_criterion.ad_group": own + "/adGroups/" + pl.col("ad_group_id"),
        "ad_group_criterion.status": pl.lit("ENABLED"),
        "ad_group_criterion.type": pl.lit("KEYWORD"),
        "ad_group_criterion.negative": pl.lit(False),
        "ad_group_criterion.keyword.text": pl.col("keyword"),
        "ad_group_criterion.keyword.match_type": pl.lit("BROAD"),
    }


def number_of(name: str) -> int:
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


def customer_clients(customer: Customer, tree: CustomerTree) -> pl.DataFrame:
    """List a customer and all below it, each with its level."""
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


def conversion_actions(customer: Customer, facts: AccountFacts | None) -> pl.DataFrame:
    """List the actions that the facts name, or the one that stands for all of them."""
    if facts is None:
        return pl.DataFrame()
    names = [n for n in facts.rows["conversion_action"].unique(maintain_order=True).to_list() if n] or [DEFAULT_ACTION]
    rows = [
        {
            "conversion_action.resource_name": f"customers/{customer.id}/conversionActions/{number_of(name)}",
            "conversion_action.id": number_of(name),
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
