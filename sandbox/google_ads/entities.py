"""Resources without metrics: clients, conversion actions, keywords, assets, countries."""

import polars as pl

from domain.platforms import Level
from sandbox.facts import AccountFacts
from sandbox.google_ads.countries import COUNTRIES
from sandbox.google_ads.customers import Customer, CustomerTree
from sandbox.google_ads.naming import customer_columns, named, number_of

DEFAULT_ACTION = "Purchase"
CATEGORIES = {"Purchase": "PURCHASE", "Trial sign-up": "SIGNUP", "Phone call": "PHONE_CALL_LEAD", "Lead": "SUBMIT_LEAD_FORM"}
CLICK_WINDOW, VIEW_WINDOW = 30, 1
_WINDOWS = {"Trial sign-up": 45, "Phone call": 60}
"""Click-through windows in days, where they are not the usual 30."""
_ASSETS = {"search": "TEXT", "display": "IMAGE", "video": "YOUTUBE_VIDEO"}


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
    return _with_customer(pl.DataFrame(rows), customer)


def conversion_actions(customer: Customer, facts: AccountFacts | None) -> pl.DataFrame:
    """List the actions that the facts name, or the one that stands for all of them."""
    if facts is None:
        return pl.DataFrame()
    rows = [
        {
            "conversion_action.resource_name": f"customers/{customer.id}/conversionActions/{number_of(name)}",
            "conversion_action.id": number_of(name),
            "conversion_action.name": name,
            "conversion_action.status": "ENABLED",
            "conversion_action.type": "WEBPAGE",
            "conversion_action.category": CATEGORIES.get(name, "DEFAULT"),
            "conversion_action.owner_customer": f"customers/{customer.id}",
            "conversion_action.include_in_conversions_metric": True,
            "conversion_action.primary_for_goal": True,
            "conversion_action.counting_type": "MANY_PER_CLICK",
            "conversion_action.click_through_lookback_window_days": _WINDOWS.get(name, CLICK_WINDOW),
            "conversion_action.view_through_lookback_window_days": VIEW_WINDOW,
            "conversion_action.attribution_model_settings.attribution_model": "GOOGLE_SEARCH_ATTRIBUTION_DATA_DRIVEN",
        }
        for name in facts.values("conversion_action") or [DEFAULT_ACTION]
    ]
    return _with_customer(pl.DataFrame(rows), customer)


def keywords(customer: Customer, facts: AccountFacts | None) -> pl.DataFrame:
    """List the keywords of every ad group, each once."""
    if facts is None:
        return pl.DataFrame()
    known = facts.window(Level.AD_GROUP, detail=("keyword",)).filter(pl.col("keyword") != "")
    listed = known.unique(["campaign_id", "ad_group_id", "keyword"], keep="first", maintain_order=True).select("campaign_id", "ad_group_id", "keyword")
    entities = facts.entities(Level.AD_GROUP)
    return named(listed.join(entities, on=["campaign_id", "ad_group_id"], how="left", maintain_order="left"), customer, [])


def assets(customer: Customer, facts: AccountFacts | None) -> pl.DataFrame:
    """List the assets that the ads are made of: one for each name of an ad."""
    if facts is None:
        return pl.DataFrame()
    rows = []
    for name, kind in (
        facts.entities(Level.AD).filter(pl.col("ad_name") != "").unique("ad_name", keep="first", maintain_order=True).select("ad_name", "kind").iter_rows()
    ):
        number, what = number_of(f"asset {name}"), _ASSETS.get(kind, "TEXT")
        rows.append(
            {
                "asset.resource_name": f"customers/{customer.id}/assets/{number}",
                "asset.id": number,
                "asset.name": name,
                "asset.type": what,
                "asset.source": "ADVERTISER",
                "asset.text_asset.text": name if what == "TEXT" else None,
                "asset.image_asset.full_size.url": f"https://tpc.googlesyndication.com/simgad/{number}" if what == "IMAGE" else None,
                "asset.youtube_video_asset.youtube_video_id": f"v{number}" if what == "YOUTUBE_VIDEO" else None,
            }
        )
    texts = ("asset.text_asset.text", "asset.image_asset.full_size.url", "asset.youtube_video_asset.youtube_video_id")
    return _with_customer(pl.DataFrame(rows, schema_overrides=dict.fromkeys(texts, pl.String)), customer) if rows else pl.DataFrame()


def geo_targets() -> pl.DataFrame:
    """List the countries."""
    rows = [
        {
            "geo_target_constant.resource_name": f"geoTargetConstants/{number}",
            "geo_target_constant.id": number,
            "geo_target_constant.name": name,
            "geo_target_constant.country_code": code,
            "geo_target_constant.target_type": "Country",
            "geo_target_constant.status": "ENABLED",
            "geo_target_constant.canonical_name": name,
        }
        for code, (number, name) in COUNTRIES.items()
    ]
    return pl.DataFrame(rows)


def _with_customer(frame: pl.DataFrame, customer: Customer) -> pl.DataFrame:
    return frame.with_columns(expression.alias(name) for name, expression in customer_columns(customer).items())
