"""The GAQL fields that our reports select: type, meaning, and whether Google may leave them unset."""

from collections.abc import Mapping

from domain.catalogue import Column, ColumnType

_S, _I, _D, _B = ColumnType.STRING, ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.BOOLEAN

FIELDS: Mapping[str, tuple[ColumnType, str]] = {
    "segments.date": (ColumnType.DATE, "Day in the account's time zone"),
    "segments.device": (_S, "MOBILE, DESKTOP, TABLET, CONNECTED_TV or OTHER"),
    "segments.ad_network_type": (_S, "SEARCH, SEARCH_PARTNERS, CONTENT, YOUTUBE, MIXED, ..."),
    "segments.conversion_action": (_S, "Resource name of the conversion action"),
    "segments.conversion_action_name": (_S, "Name of the conversion action"),
    "segments.conversion_action_category": (_S, "PURCHASE, SIGNUP, PHONE_CALL_LEAD, ..."),
    "segments.keyword.info.text": (_S, "Keyword that matched the term; empty where none did, as in dynamic search ads"),
    "segments.keyword.info.match_type": (_S, "Match type of that keyword"),
    "customer.id": (_S, "Account id, digits only"),
    "customer.descriptive_name": (_S, "Account name"),
    "customer.currency_code": (_S, "ISO 4217 currency of every amount"),
    "customer.time_zone": (_S, "IANA time zone of the dates"),
    "customer.status": (_S, "ENABLED, CANCELED, SUSPENDED or CLOSED"),
    "customer.manager": (_B, "Whether the account is a manager; managers carry no metrics"),
    "campaign.id": (_S, "Campaign id"),
    "campaign.name": (_S, "Campaign name"),
    "campaign.status": (_S, "ENABLED, PAUSED or REMOVED"),
    "campaign.serving_status": (_S, "SERVING, NONE, ENDED, PENDING or SUSPENDED"),
    "campaign.advertising_channel_type": (_S, "SEARCH, DISPLAY, PERFORMANCE_MAX, ..."),
    "campaign.bidding_strategy_type": (_S, "TARGET_CPA, MAXIMIZE_CONVERSIONS, MANUAL_CPC, ..."),
    "campaign.campaign_budget": (_S, "Resource name of the campaign's budget"),
    "campaign_budget.id": (_S, "Budget id"),
    "campaign_budget.name": (_S, "Budget name"),
    "campaign_budget.status": (_S, "ENABLED or REMOVED"),
    "campaign_budget.amount_micros": (_I, "Amount per period in millionths of the account's currency"),
    "campaign_budget.total_amount_micros": (_I, "Amount over the campaign's life in millionths, for CUSTOM_PERIOD"),
    "campaign_budget.delivery_method": (_S, "STANDARD or ACCELERATED"),
    "campaign_budget.period": (_S, "DAILY or CUSTOM_PERIOD"),
    "campaign_budget.explicitly_shared": (_B, "Whether several campaigns may use the budget"),
    "campaign_budget.reference_count": (_I, "How many campaigns use the budget"),
    "ad_group.id": (_S, "Ad group id"),
    "ad_group.name": (_S, "Ad group name"),
    "ad_group.status": (_S, "ENABLED, PAUSED or REMOVED"),
    "ad_group.type": (_S, "SEARCH_STANDARD, DISPLAY_STANDARD, ..."),
    "ad_group.cpc_bid_micros": (_I, "Bid per click in millionths of the account's currency"),
    "ad_group_ad.ad.id": (_S, "Ad id, unique within its ad group"),
    "ad_group_ad.ad.name": (_S, "Ad name; most ads have none"),
    "ad_group_ad.ad.type": (_S, "RESPONSIVE_SEARCH_AD, IMAGE_AD, ..."),
    "ad_group_ad.status": (_S, "ENABLED, PAUSED or REMOVED"),
    "ad_group_ad.ad_strength": (_S, "POOR, AVERAGE, GOOD, EXCELLENT, or PENDING"),
    "ad_group_ad.policy_summary.approval_status": (_S, "APPROVED, APPROVED_LIMITED, DISAPPROVED, ..."),
    "ad_group_criterion.criterion_id": (_S, "Keyword id, unique within its ad group"),
    "ad_group_criterion.keyword.text": (_S, "Keyword"),
    "ad_group_criterion.keyword.match_type": (_S, "EXACT, PHRASE or BROAD"),
    "ad_group_criterion.status": (_S, "ENABLED, PAUSED or REMOVED"),
    "ad_group_criterion.negative": (_B, "Whether the keyword excludes"),
    "ad_group_criterion.quality_info.quality_score": (_I, "Quality score from 1 to 10; unset without enough traffic"),
    "search_term_view.search_term": (_S, "What people searched for"),
    "search_term_view.status": (_S, "ADDED, EXCLUDED, ADDED_EXCLUDED or NONE"),
    "geographic_view.country_criterion_id": (_S, "Country as a criterion id; the report countries has its ISO code"),
    "geographic_view.location_type": (_S, "LOCATION_OF_PRESENCE or AREA_OF_INTEREST"),
    "geo_target_constant.id": (_S, "Criterion id"),
    "geo_target_constant.name": (_S, "Name in English"),
    "geo_target_constant.country_code": (_S, "ISO 3166 code of two letters"),
    "geo_target_constant.target_type": (_S, "Country"),
    "geo_target_constant.status": (_S, "ENABLED or REMOVAL_PLANNED"),
    "conversion_action.id": (_S, "Conversion action id"),
    "conversion_action.name": (_S, "Conversion action name"),
    "conversion_action.status": (_S, "ENABLED, REMOVED or HIDDEN"),
    "conversion_action.type": (_S, "WEBPAGE, UPLOAD_CLICKS, WEBSITE_CALL, ..."),
    "conversion_action.category": (_S, "PURCHASE, SIGNUP, PHONE_CALL_LEAD, ..."),
    "conversion_action.include_in_conversions_metric": (_B, "Whether it counts in metrics.conversions"),
    "conversion_action.primary_for_goal": (_B, "Whether it is primary for its goal"),
    "conversion_action.counting_type": (_S, "ONE_PER_CLICK or MANY_PER_CLICK"),
    "conversion_action.click_through_lookback_window_days": (_I, "Days after a click in which a conversion still counts"),
    "conversion_action.view_through_lookback_window_days": (_I, "Days after an impression in which a conversion still counts"),
    "conversion_action.attribution_model_settings.attribution_model": (_S, "GOOGLE_ADS_LAST_CLICK, GOOGLE_SEARCH_ATTRIBUTION_DATA_DRIVEN, ..."),
    "asset.id": (_S, "Asset id"),
    "asset.name": (_S, "Asset name"),
    "asset.type": (_S, "TEXT, IMAGE, YOUTUBE_VIDEO, SITELINK, ..."),
    "asset.source": (_S, "ADVERTISER or AUTOMATICALLY_CREATED"),
    "asset.text_asset.text": (_S, "Text, for TEXT"),
    "asset.image_asset.full_size.url": (_S, "Address of the picture, for IMAGE"),
    "asset.youtube_video_asset.youtube_video_id": (_S, "YouTube id, for YOUTUBE_VIDEO"),
    "metrics.impressions": (_I, "Impressions"),
    "metrics.clicks": (_I, "Clicks"),
    "metrics.cost_micros": (_I, "Cost in millionths of the account's currency"),
    "metrics.conversions": (_D, "Conversions of the actions counted as such, fractional; a DOUBLE rounded to six decimals"),
    "metrics.conversions_value": (_D, "Value of these conversions in the account's currency; a DOUBLE rounded to six decimals"),
    "metrics.all_conversions": (_D, "Conversions of every action, those not counted as such too; a DOUBLE rounded to six decimals"),
    "metrics.all_conversions_value": (_D, "Value of all conversions in the account's currency; a DOUBLE rounded to six decimals"),
}

OPTIONAL = frozenset(
    {
        "campaign.serving_status",
        "campaign.bidding_strategy_type",
        "campaign_budget.amount_micros",
        "campaign_budget.total_amount_micros",
        "campaign_budget.delivery_method",
        "campaign_budget.period",
        "campaign_budget.explicitly_shared",
        "campaign_budget.reference_count",
        "ad_group.type",
        "ad_group.cpc_bid_micros",
        "ad_group_ad.ad_strength",
        "ad_group_ad.policy_summary.approval_status",
        "ad_group_criterion.quality_info.quality_score",
        "search_term_view.status",
        "conversion_action.counting_type",
        "conversion_action.click_through_lookback_window_days",
        "conversion_action.view_through_lookback_window_days",
        "conversion_action.attribution_model_settings.attribution_model",
        "asset.name",
        "asset.source",
        "asset.text_asset.text",
        "asset.image_asset.full_size.url",
        "asset.youtube_video_asset.youtube_video_id",
    }
)
"""Fields that may be NULL: Google leaves them unset, or may drop them from its API one day without harm to a number."""


def column_name(report_name: str, path: str) -> str:
    """Name the raw column of a GAQL field; the accounts' own columns go without `customer`."""
    return (path.removeprefix("customer.") if report_name == "accounts" else path).replace(".", "_")


def column(report_name: str, path: str) -> Column:
    """Return the raw column of a GAQL field."""
    kind, doc = FIELDS[path]
    return Column(column_name(report_name, path), kind, doc, nullable=path in OPTIONAL)
