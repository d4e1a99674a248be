"""Turn ids and sums into the API's fields: resource names, names, statuses, types."""

from collections.abc import Mapping
from hashlib import sha256

import polars as pl

from sandbox.facts import MEASURES
from sandbox.google_ads.countries import CRITERIA
from sandbox.google_ads.customers import Customer
from sandbox.google_ads.metrics import METRICS, with_doubles

CHANNELS = {"search": "SEARCH", "display": "DISPLAY", "performance_max": "PERFORMANCE_MAX", "video": "VIDEO"}
AD_TYPES = {"search": "RESPONSIVE_SEARCH_AD", "display": "RESPONSIVE_DISPLAY_AD", "video": "VIDEO_AD"}
GROUP_TYPES = {"search": "SEARCH_STANDARD", "display": "DISPLAY_STANDARD", "video": "VIDEO_RESPONSIVE"}


def named(frame: pl.DataFrame, customer: Customer, segments: list[str]) -> pl.DataFrame:
    """Turn a frame of ids and measures into one of fields, with resource names, statuses and the customer's own attributes."""
    own = f"customers/{customer.id}"
    columns = customer_columns(customer)
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
            "campaign.bidding_strategy_type": pl.when(pl.col("kind") == "performance_max")
            .then(pl.lit("MAXIMIZE_CONVERSION_VALUE"))
            .otherwise(pl.lit("TARGET_CPA")),
            **_budget_columns(frame, own),
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
    if "country" in has:
        columns |= _place_columns(own)
    if "search_term" in has:
        columns |= {
            "search_term_view.resource_name": own + "/searchTermViews/" + pl.col("campaign_id") + "~" + pl.col("ad_group_id") + "~" + pl.col("search_term"),
            "search_term_view.search_term": pl.col("search_term"),
            "search_term_view.ad_group": own + "/adGroups/" + pl.col("ad_group_id"),
            "search_term_view.status": pl.lit("NONE"),
        }
    if "impressions" in has:
        columns |= METRICS | {name: pl.col(name) for name in MEASURES}
        frame = with_doubles(frame)
    columns |= {name: pl.col(f"_{name.partition('.')[2]}") for name in segments if f"_{name.partition('.')[2]}" in has}
    if "segments.conversion_action" in columns:
        actions = {name: f"{own}/conversionActions/{number_of(name)}" for name in frame["_conversion_action"].unique()}
        columns["segments.conversion_action"] = pl.col("_conversion_action").replace_strict(actions, return_dtype=pl.String)
    return frame.with_columns(expression.alias(name) for name, expression in columns.items()).select(list(columns)) if frame.width else frame


def _budget_columns(frame: pl.DataFrame, own: str) -> dict[str, pl.Expr]:
    """Return the columns of a campaign's own daily budget, whose id depends on the campaign's."""
    numbers = {campaign: number_of(f"budget {campaign}") for campaign in frame["campaign_id"].unique()}
    number = _replaced(pl.col("campaign_id"), numbers)
    place = own + "/campaignBudgets/" + number.cast(pl.String)
    return {
        "campaign.campaign_budget": place,
        "campaign_budget.resource_name": place,
        "campaign_budget.id": number,
        "campaign_budget.name": pl.col("campaign_name"),
        "campaign_budget.amount_micros": pl.col("budget"),
        "campaign_budget.status": pl.lit("ENABLED"),
        "campaign_budget.delivery_method": pl.lit("STANDARD"),
        "campaign_budget.explicitly_shared": pl.lit(False),
        "campaign_budget.period": pl.lit("DAILY"),
        "campaign_budget.reference_count": pl.lit(1, pl.Int64),
    }


def _replaced(key: pl.Expr, numbers: Mapping[str, int]) -> pl.Expr:
    """Return the number of each key; a frame without rows has none, which polars does not take."""
    return key.replace_strict(numbers, return_dtype=pl.Int64) if numbers else pl.lit(0, pl.Int64)


def _place_columns(own: str) -> dict[str, pl.Expr]:
    number = pl.col("country").replace_strict(CRITERIA, return_dtype=pl.Int64)
    text = number.cast(pl.String)
    return {
        "geographic_view.resource_name": own + "/geographicViews/" + text + "~LOCATION_OF_PRESENCE",
        "geographic_view.country_criterion_id": number,
        "geographic_view.location_type": pl.lit("LOCATION_OF_PRESENCE"),
        "user_location_view.resource_name": own + "/userLocationViews/" + text + "~true",
        "user_location_view.country_criterion_id": number,
        "user_location_view.targeting_location": pl.lit(True),
    }


def _ad_columns(own: str) -> dict[str, pl.Expr]:
    return {
        "ad_group_ad.resource_name": own + "/adGroupAds/" + pl.col("ad_group_id") + "~" + pl.col("ad_id"),
        "ad_group_ad.status": pl.lit("ENABLED"),
        "ad_group_ad.ad_strength": pl.lit("GOOD"),
        "ad_group_ad.policy_summary.approval_status": pl.lit("APPROVED"),
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
    number = _replaced(key, numbers)
    place = pl.col("ad_group_id") + "~" + number.cast(pl.String)
    match = (number % 3).replace_strict({0: "BROAD", 1: "PHRASE", 2: "EXACT"}, return_dtype=pl.String)
    return {
        "segments.keyword.ad_group_criterion": own + "/adGroupCriteria/" + place,
        "segments.keyword.info.text": pl.col("keyword"),
        "segments.keyword.info.match_type": match,
        "keyword_view.resource_name": own + "/keywordViews/" + place,
        "ad_group_criterion.resource_name": own + "/adGroupCriteria/" + place,
        "ad_group_criterion.criterion_id": number,
        "ad_group_criterion.ad_group": own + "/adGroups/" + pl.col("ad_group_id"),
        "ad_group_criterion.status": pl.lit("ENABLED"),
        "ad_group_criterion.type": pl.lit("KEYWORD"),
        "ad_group_criterion.negative": pl.lit(False),
        "ad_group_criterion.keyword.text": pl.col("keyword"),
        "ad_group_criterion.keyword.match_type": match,
    }


def number_of(name: str) -> int:
    """Give a thing without an id in the facts a number that depends on its name alone."""
    return 100_000_000 + int.from_bytes(sha256(name.encode()).digest()[:4], "big")


def customer_columns(customer: Customer) -> dict[str, pl.Expr]:
    """Return the customer's own fields, the same in every row."""
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
