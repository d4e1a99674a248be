"""The fields of the Reports service: what each is, and in which report types it may stand.

Source: the documented matrix of allowed fields. Letters: A account, C campaign, G ad group, D ad, K criteria, S search query, U custom,
R reach and frequency.
"""

from collections.abc import Mapping
from dataclasses import dataclass

TYPES: Mapping[str, str] = {
    "ACCOUNT_PERFORMANCE_REPORT": "A",
    "CAMPAIGN_PERFORMANCE_REPORT": "C",
    "ADGROUP_PERFORMANCE_REPORT": "G",
    "AD_PERFORMANCE_REPORT": "D",
    "CRITERIA_PERFORMANCE_REPORT": "K",
    "SEARCH_QUERY_PERFORMANCE_REPORT": "S",
    "CUSTOM_REPORT": "U",
    "REACH_AND_FREQUENCY_PERFORMANCE_REPORT": "R",
}
ALL = "ACGDKSUR"


@dataclass(frozen=True)
class Field:
    """One field: a metric, a dimension, or a filter that cannot be shown; the types it goes with; money is rounded and scaled."""

    name: str
    role: str
    types: str
    filterable: bool
    sortable: bool


def _fields(role: str, types: str, names: str, *, filterable: bool = True, sortable: bool = True) -> dict[str, Field]:
    return {name: Field(name, role, types, filterable, sortable) for name in names.split()}


FIELDS: Mapping[str, Field] = {
    **_fields("metric", ALL, "AvgCpc AvgEffectiveBid AvgPageviews AvgTrafficVolume BounceRate Clicks ConversionRate Conversions Cost CostPerConversion Ctr"),
    **_fields("metric", ALL, "GoalsRoi Impressions Profit PurchaseGoalsRoi PurchaseProfit PurchaseRevenue Revenue WeightedCtr WeightedImpressions"),
    **_fields("metric", "ACGDKSU", "AvgClickPosition AvgImpressionPosition"),
    **_fields("metric", ALL, "Bounces", filterable=False),
    **_fields("metric", "ACGDKUR", "Sessions", filterable=False),
    **_fields("metric", "R", "AvgCpm AvgImpressionFrequency AvgVideoCompleteCost CPV ImpressionReach VideoComplete VideoCompleteRate VideoFirstQuartile"),
    **_fields("metric", "R", "VideoFirstQuartileRate VideoMidpoint VideoMidpointRate VideoThirdQuartile VideoThirdQuartileRate VideoViews VideoViewsRate"),
    **_fields("time", ALL, "Date Week Month Quarter Year", filterable=False),
    **_fields("dimension", ALL, "CampaignType ClientLogin"),
    **_fields("dimension", "CGDKSUR", "CampaignId"),
    **_fields("dimension", "CGDKSUR", "CampaignName CampaignUrlPath", filterable=False),
    **_fields("dimension", "GDKSUR", "AdGroupId"),
    **_fields("dimension", "GDKSUR", "AdGroupName", filterable=False),
    **_fields("dimension", "DSUR", "AdId"),
    **_fields("dimension", "ACGDU", "AdFormat"),
    **_fields("dimension", "ACGDKU", "AdNetworkType CarrierType ClickType ExternalNetworkName LocationOfPresenceId MobilePlatform Slot"),
    **_fields("dimension", "ACGDKU", "LocationOfPresenceName", filterable=False),
    **_fields("dimension", "ACGDKUR", "Age Device Gender TargetingLocationId"),
    **_fields("dimension", "ACGDKUR", "TargetingLocationName", filterable=False),
    **_fields("dimension", "ACGDKSU", "CriteriaType CriterionType IncomeGrade MatchType Placement TargetingCategory"),
    **_fields("dimension", "KSU", "Criteria CriteriaId Criterion CriterionId", filterable=False, sortable=False),
    **_fields("dimension", "KU", "RlAdjustmentId"),
    **_fields("dimension", "S", "MatchedKeyword Query"),
    **_fields("filter", "KSU", "DynamicTextAdTargetId Keyword", sortable=False),
    **_fields("filter", ALL, "PurchaseGoals", sortable=False),
    **_fields("filter", "KU", "AudienceTargetId SmartAdTargetId", sortable=False),
}

HIDDEN_GROUPS: Mapping[str, tuple[str, ...]] = {
    "C": ("CampaignId",),
    "G": ("AdGroupId",),
    "D": ("AdId",),
    "K": ("AdGroupId", "CriterionId"),
    "S": ("AdGroupId", "Query"),
    "R": ("CampaignId",),
}
"""What a report type groups by even when the field is not shown, so that a visible key can repeat."""

GOAL_FIELDS = ("ConversionRate", "Conversions", "CostPerConversion", "GoalsRoi", "Revenue")
MONEY = frozenset(("AvgCpc", "AvgCpm", "AvgEffectiveBid", "Cost", "CostPerConversion", "Profit", "PurchaseProfit", "PurchaseRevenue", "Revenue", "CPV"))
MODELS: Mapping[str, str] = {"LC": "LC", "FCCD": "FCCD", "LSCCD": "LSCCD", "AUTO": "AUTO", "LSC": "LSCCD", "FC": "FCCD", "LYDC": "AUTO", "LYDCCD": "AUTO"}
"""Attribution models; a retired one is answered as the active one beside it."""
OPERATORS = (
    "EQUALS",
    "NOT_EQUALS",
    "IN",
    "NOT_IN",
    "LESS_THAN",
    "GREATER_THAN",
    "STARTS_WITH_IGNORE_CASE",
    "DOES_NOT_START_WITH_IGNORE_CASE",
    "STARTS_WITH_ANY_IGNORE_CASE",
    "DOES_NOT_START_WITH_ALL_IGNORE_CASE",
)
