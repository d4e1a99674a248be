"""The Google Ads reports as data; columns are GAQL fields with underscores for dots."""

from collections.abc import Collection, Mapping
from datetime import date

from connectors.google_ads.fields import column, column_name
from connectors.retention import months_before
from domain.catalogue import Report
from domain.platforms import Level, Platform

LOOKBACK_DAYS = 30
"""Conversions belong to the click's date; 30 days is the default click-through window, where an account's own is not known."""

RETENTION_MONTHS = 132
"""Google Ads keeps eleven years of daily statistics."""

DETAIL_DAYS = 35
"""How far the first pull of a report finer than accounts, campaigns and ads reaches."""

_METRICS = ("metrics.impressions", "metrics.clicks", "metrics.cost_micros", "metrics.conversions", "metrics.conversions_value")
_DAY = ("segments.date", "customer.id", "customer.currency_code", "customer.time_zone")
_DAILY = (*_DAY, *_METRICS)
_CAMPAIGN = ("campaign.id", "campaign.name", "campaign.status", "campaign.advertising_channel_type")
_GROUP = ("ad_group.id", "ad_group.name")
_AD = (*_GROUP, "ad_group_ad.ad.id", "ad_group_ad.ad.name", "ad_group_ad.status")
_NAMES = ("campaign.id", "campaign.name", *_GROUP)
_KEYWORD = ("ad_group_criterion.criterion_id", "ad_group_criterion.keyword.text", "ad_group_criterion.keyword.match_type")
_BUDGET = ("amount_micros", "total_amount_micros", "delivery_method", "period", "explicitly_shared", "reference_count")
_ACTION = (
    *("id", "name", "status", "type", "category", "include_in_conversions_metric", "primary_for_goal", "counting_type"),
    *("click_through_lookback_window_days", "view_through_lookback_window_days", "attribution_model_settings.attribution_model"),
)

PATHS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("customer.id", "customer.descriptive_name", "customer.currency_code", "customer.time_zone", "customer.status", "customer.manager"),
    "account_daily": _DAILY,
    "campaign_daily": (*_DAILY, *_CAMPAIGN),
    "ad_daily": (*_DAILY, *_CAMPAIGN, *_AD),
    "campaigns": (
        *("customer.currency_code", *_CAMPAIGN, "campaign.serving_status", "campaign.bidding_strategy_type", "campaign.campaign_budget"),
        *("campaign_budget.id", "campaign_budget.amount_micros", "campaign_budget.period", "campaign_budget.explicitly_shared"),
    ),
    "budgets": ("customer.currency_code", "campaign_budget.id", "campaign_budget.name", "campaign_budget.status", *(f"campaign_budget.{n}" for n in _BUDGET)),
    "ad_groups": ("campaign.id", *_GROUP, "ad_group.status", "ad_group.type", "ad_group.cpc_bid_micros"),
    "ads": (
        *("campaign.id", "ad_group.id", "ad_group_ad.ad.id", "ad_group_ad.ad.name", "ad_group_ad.ad.type", "ad_group_ad.status", "ad_group_ad.ad_strength"),
        "ad_group_ad.policy_summary.approval_status",
    ),
    "keywords": (
        *("campaign.id", "ad_group.id", *_KEYWORD, "ad_group_criterion.status", "ad_group_criterion.negative"),
        "ad_group_criterion.quality_info.quality_score",
    ),
    "conversion_actions": ("customer.currency_code", *(f"conversion_action.{n}" for n in _ACTION)),
    "assets": (
        *("asset.id", "asset.name", "asset.type", "asset.source", "asset.text_asset.text"),
        *("asset.image_asset.full_size.url", "asset.youtube_video_asset.youtube_video_id"),
    ),
    "countries": tuple(f"geo_target_constant.{n}" for n in ("id", "name", "country_code", "target_type", "status")),
    "ad_group_daily": (*_DAILY, *_CAMPAIGN, *_GROUP, "ad_group.status"),
    "keyword_daily": (*_DAILY, *_NAMES, *_KEYWORD),
    "search_term_daily": (
        *(*_DAILY, *_NAMES, "search_term_view.search_term", "search_term_view.status"),
        *("segments.keyword.info.text", "segments.keyword.info.match_type"),
    ),
    "device_daily": (*_DAILY, "campaign.id", "campaign.name", "segments.device"),
    "network_daily": (*_DAILY, "campaign.id", "campaign.name", "segments.ad_network_type"),
    "geo_daily": (*_DAILY, "campaign.id", "campaign.name", "geographic_view.country_criterion_id", "geographic_view.location_type"),
    "conversion_action_daily": (
        *(*_DAY, "campaign.id", "campaign.name"),
        *("segments.conversion_action", "segments.conversion_action_name", "segments.conversion_action_category"),
        *("metrics.conversions", "metrics.conversions_value", "metrics.all_conversions", "metrics.all_conversions_value"),
    ),
}
"""The GAQL fields of each report, in the order of its columns."""

CONDITIONS: Mapping[str, str] = {
    "keywords": "ad_group_criterion.type = 'KEYWORD'",
    "countries": "geo_target_constant.target_type = 'Country'",
}
"""What a report asks for beside its dates."""


def _report(name: str, level: Level, source: str, key: tuple[str, ...], doc: str, *, detail: bool = True) -> Report:
    daily = "segments.date" in PATHS[name]
    return Report(
        platform=Platform.GOOGLE_ADS,
        name=name,
        level=level,
        source=source,
        columns=tuple(column(name, path) for path in PATHS[name]),
        key=(("segments_date",) if daily else ()) + tuple(column_name(name, path) for path in key),
        date_column="segments_date" if daily else "",
        lookback_days=LOOKBACK_DAYS if daily else 1,
        doc=doc,
        retention_days=4015 if daily else None,
        first_pull_days=DETAIL_DAYS if daily and detail else None,
    )


_GROUP_KEY = ("campaign.id", "ad_group.id")
_TERM_KEY = ("search_term_view.search_term", "segments.keyword.info.text", "segments.keyword.info.match_type")

REPORTS = (
    _report("accounts", Level.ACCOUNT, "customer", ("customer.id",), "The account as it stands today"),
    _report("account_daily", Level.ACCOUNT, "customer", (), "Daily metrics of the account", detail=False),
    _report("campaign_daily", Level.CAMPAIGN, "campaign", ("campaign.id",), "Daily metrics by campaign, Performance Max included", detail=False),
    _report(
        "ad_daily",
        Level.AD,
        "ad_group_ad",
        (*_GROUP_KEY, "ad_group_ad.ad.id"),
        "Daily metrics by ad; campaigns without ads (Performance Max) are absent, so it sums to less than the campaigns",
        detail=False,
    ),
    _report("campaigns", Level.CAMPAIGN, "campaign", ("campaign.id",), "Campaigns with their status, bidding and budget"),
    _report("budgets", Level.CAMPAIGN, "campaign_budget", ("campaign_budget.id",), "Budgets, shared ones too"),
    _report("ad_groups", Level.AD_GROUP, "ad_group", ("ad_group.id",), "Ad groups with their status and bid"),
    _report("ads", Level.AD, "ad_group_ad", ("ad_group.id", "ad_group_ad.ad.id"), "Ads with their type, status and approval"),
    _report("keywords", Level.AD_GROUP, "ad_group_criterion", ("ad_group.id", "ad_group_criterion.criterion_id"), "Keywords, negative ones too"),
    _report("conversion_actions", Level.ACCOUNT, "conversion_action", ("conversion_action.id",), "Conversion actions with their windows and attribution model"),
    _report("assets", Level.ACCOUNT, "asset", ("asset.id",), "Texts, pictures and videos that ads are made of"),
    _report("countries", Level.ACCOUNT, "geo_target_constant", ("geo_target_constant.id",), "Countries and their ISO codes, by criterion id"),
    _report("ad_group_daily", Level.AD_GROUP, "ad_group", _GROUP_KEY, "Daily metrics by ad group"),
    _report("keyword_daily", Level.AD_GROUP, "keyword_view", (*_GROUP_KEY, "ad_group_criterion.criterion_id"), "Daily metrics by keyword"),
    _report(
        "search_term_daily",
        Level.AD_GROUP,
        "search_term_view",
        (*_GROUP_KEY, *_TERM_KEY),
        "Daily metrics by search term and matched keyword; Google withholds rare terms, so it sums to less than the keywords",
    ),
    _report("device_daily", Level.CAMPAIGN, "campaign", ("campaign.id", "segments.device"), "Daily metrics by campaign and device"),
    _report("network_daily", Level.CAMPAIGN, "campaign", ("campaign.id", "segments.ad_network_type"), "Daily metrics by campaign and network"),
    _report(
        "geo_daily",
        Level.CAMPAIGN,
        "geographic_view",
        ("campaign.id", "geographic_view.country_criterion_id", "geographic_view.location_type"),
        "Daily metrics by campaign and country; what cannot be located is absent, so it may sum to less than the campaigns",
    ),
    _report(
        "conversion_action_daily",
        Level.CAMPAIGN,
        "campaign",
        ("campaign.id", "segments.conversion_action"),
        "Daily conversions by campaign and conversion action; conversions sum to those of campaign_daily",
    ),
)


def oldest(today: date) -> date:
    """Return the oldest day that Google Ads answers for."""
    return months_before(today, RETENTION_MONTHS)


def query(report: Report, since: date, until: date, without: Collection[str] = ()) -> str:
    """Write the report's GAQL; both dates are inclusive and in the account's time zone. Fields in `without` are left out."""
    paths = [path for path in PATHS[report.name] if path not in without]
    asked = [CONDITIONS[report.name]] if report.name in CONDITIONS else []
    if report.date_column:
        asked.append(f"segments.date BETWEEN '{since}' AND '{until}'")
    where = f" WHERE {' AND '.join(asked)}" if asked else ""
    return f"SELECT {', '.join(paths)} FROM {report.source}{where}"  # noqa: S608 - GAQL of our own constants and two dates
