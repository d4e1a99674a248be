"""The fields that the sandbox fills: where they stand in GoogleAdsRow, and which resources go together.

The numbers are those of the package's descriptors (a test compares them). Every other field that the descriptors know is accepted and stays unset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

VERSIONS = ("v23", "v24", "v25", "v26")

RESOURCES: Mapping[str, int] = {
    "customer": 1,
    "campaign": 2,
    "ad_group": 3,
    "metrics": 4,
    "ad_group_ad": 16,
    "customer_client": 70,
    "segments": 102,
    "conversion_action": 103,
    "ad_group_criterion": 17,
    "keyword_view": 21,
    "search_term_view": 68,
    "campaign_budget": 19,
    "geo_target_constant": 23,
    "asset": 105,
    "geographic_view": 125,
    "user_location_view": 135,
}
ATTRIBUTED: Mapping[str, tuple[str, ...]] = {
    "customer": ("customer",),
    "customer_client": ("customer_client", "customer"),
    "campaign": ("campaign", "customer", "campaign_budget", "bidding_strategy", "accessible_bidding_strategy", "campaign_group"),
    "ad_group": ("ad_group", "campaign", "customer", "bidding_strategy", "accessible_bidding_strategy", "campaign_group"),
    "ad_group_ad": ("ad_group_ad", "ad_group", "campaign", "customer"),
    "conversion_action": ("conversion_action", "customer"),
    "keyword_view": ("keyword_view", "ad_group_criterion", "ad_group", "campaign", "customer", "bidding_strategy", "accessible_bidding_strategy"),
    "search_term_view": ("search_term_view", "ad_group", "campaign", "customer"),
    "ad_group_criterion": ("ad_group_criterion", "ad_group", "campaign", "customer", "bidding_strategy", "accessible_bidding_strategy"),
    "campaign_budget": ("campaign_budget", "customer"),
    "asset": ("asset", "customer"),
    "geo_target_constant": ("geo_target_constant",),
    "geographic_view": ("geographic_view", "ad_group", "campaign", "customer"),
    "user_location_view": ("user_location_view", "ad_group", "campaign", "customer"),
}
WITH_METRICS = (
    *("customer", "campaign", "ad_group", "ad_group_ad", "campaign_budget"),
    *("keyword_view", "search_term_view", "geographic_view", "user_location_view"),
)

STATUS = {"ENABLED": 2, "PAUSED": 3, "REMOVED": 4}
ENUMS: Mapping[str, Mapping[str, int]] = {
    "customer_status": {"ENABLED": 2, "CANCELED": 3, "SUSPENDED": 4, "CLOSED": 5},
    "status": STATUS,
    "serving_status": {"SERVING": 2, "NONE": 3, "ENDED": 4, "PENDING": 5, "SUSPENDED": 6},
    "channel": {"SEARCH": 2, "DISPLAY": 3, "SHOPPING": 4, "VIDEO": 6, "PERFORMANCE_MAX": 10, "DEMAND_GEN": 14},
    "device": {"UNSPECIFIED": 0, "UNKNOWN": 1, "MOBILE": 2, "TABLET": 3, "DESKTOP": 4, "CONNECTED_TV": 6, "OTHER": 5},
    "weekday": {d: n for n, d in enumerate(("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"), 2)},
    "ad_type": {"RESPONSIVE_SEARCH_AD": 15, "RESPONSIVE_DISPLAY_AD": 19, "VIDEO_AD": 12},
    "ad_group_type": {"SEARCH_STANDARD": 2, "DISPLAY_STANDARD": 3, "VIDEO_RESPONSIVE": 16},
    "action_status": {"ENABLED": 2, "REMOVED": 3, "HIDDEN": 4},
    "action_type": {"WEBPAGE": 8},
    "action_category": {"DEFAULT": 2, "PURCHASE": 4, "SIGNUP": 5, "PHONE_CALL_LEAD": 11, "SUBMIT_LEAD_FORM": 13},
    "attribution_model": {"EXTERNAL": 100, "GOOGLE_ADS_LAST_CLICK": 101, "GOOGLE_SEARCH_ATTRIBUTION_DATA_DRIVEN": 106},
    "bidding": {"ENHANCED_CPC": 2, "MANUAL_CPC": 3, "TARGET_CPA": 6, "TARGET_ROAS": 8, "MAXIMIZE_CONVERSIONS": 10, "MAXIMIZE_CONVERSION_VALUE": 11},
    "budget_status": {"ENABLED": 2, "REMOVED": 3},
    "delivery": {"STANDARD": 2, "ACCELERATED": 3},
    "period": {"DAILY": 2, "CUSTOM_PERIOD": 5},
    "network": {"SEARCH": 2, "SEARCH_PARTNERS": 3, "CONTENT": 4, "MIXED": 7, "YOUTUBE": 8, "GMAIL": 11, "DISCOVER": 12, "MAPS": 13},
    "asset_type": {"YOUTUBE_VIDEO": 2, "IMAGE": 4, "TEXT": 5},
    "asset_source": {"ADVERTISER": 2, "AUTOMATICALLY_CREATED": 3},
    "geo_status": {"ENABLED": 2, "REMOVAL_PLANNED": 3},
    "location_type": {"AREA_OF_INTEREST": 2, "LOCATION_OF_PRESENCE": 3},
    "approval": {"DISAPPROVED": 2, "APPROVED_LIMITED": 3, "APPROVED": 4},
    "strength": {"POOR": 4, "AVERAGE": 5, "GOOD": 6, "EXCELLENT": 7},
    "criterion_type": {"KEYWORD": 2},
    "match_type": {"EXACT": 2, "PHRASE": 3, "BROAD": 4},
    "term_status": {"ADDED": 2, "EXCLUDED": 3, "ADDED_EXCLUDED": 4, "NONE": 5},
    "counting": {"ONE_PER_CLICK": 2, "MANY_PER_CLICK": 3},
}


@dataclass(frozen=True)
class Field:
    """One field: its path of field numbers below its resource, and its type: s, i, d, b, date, or the name of an enum."""

    name: str
    path: tuple[int, ...]
    type: str

    @property
    def resource(self) -> str:
        """Return the resource, `metrics` or `segments` that the field belongs to."""
        return self.name.partition(".")[0]


_TABLE = """
customer: resource_name=1:s id=19:i descriptive_name=20:s currency_code=21:s time_zone=22:s manager=27:b test_account=28:b
  status=36:customer_status
customer_client: resource_name=1:s client_customer=12:s hidden=13:b level=14:i time_zone=15:s test_account=16:b manager=17:b descriptive_name=18:s
  currency_code=19:s id=20:i status=22:customer_status
campaign: resource_name=1:s id=59:i name=58:s status=5:status serving_status=21:serving_status advertising_channel_type=9:channel
  bidding_strategy_type=22:bidding campaign_budget=62:s
campaign_budget: resource_name=1:s id=19:i name=20:s amount_micros=21:i status=6:budget_status delivery_method=7:delivery explicitly_shared=23:b
  period=13:period reference_count=24:i
ad_group: resource_name=1:s id=34:i name=35:s status=5:status type=12:ad_group_type campaign=38:s
ad_group_ad: resource_name=1:s status=3:status ad_strength=7:strength policy_summary.approval_status=6.3:approval ad_group=9:s ad.resource_name=5.37:s
  ad.id=5.40:i ad.name=5.47:s ad.type=5.5:ad_type
conversion_action: resource_name=1:s id=21:i name=22:s status=4:action_status type=5:action_type category=6:action_category owner_customer=23:s
  include_in_conversions_metric=24:b click_through_lookback_window_days=25:i view_through_lookback_window_days=26:i primary_for_goal=31:b
  counting_type=12:counting attribution_model_settings.attribution_model=13.1:attribution_model
ad_group_criterion: resource_name=1:s criterion_id=56:i ad_group=57:s status=3:status type=25:criterion_type negative=58:b keyword.text=27.3:s
  keyword.match_type=27.2:match_type
keyword_view: resource_name=1:s
search_term_view: resource_name=1:s search_term=5:s ad_group=6:s status=4:term_status
geographic_view: resource_name=1:s location_type=3:location_type country_criterion_id=5:i
user_location_view: resource_name=1:s country_criterion_id=4:i targeting_location=5:b
geo_target_constant: resource_name=1:s id=10:i name=11:s country_code=12:s target_type=13:s status=7:geo_status canonical_name=14:s
asset: resource_name=1:s id=11:i name=12:s type=4:asset_type source=38:asset_source text_asset.text=8.2:s youtube_video_asset.youtube_video_id=5.2:s
  image_asset.full_size.url=7.4.6:s
segments: date=79:date week=130:date month=90:date quarter=128:date year=131:i day_of_week=5:weekday device=1:device conversion_action=113:s
  conversion_action_name=114:s conversion_action_category=53:action_category ad_network_type=3:network keyword.ad_group_criterion=61.3:s
  keyword.info.text=61.2.3:s keyword.info.match_type=61.2.2:match_type
metrics: impressions=221:i clicks=131:i cost_micros=169:i conversions=168:d conversions_value=165:d all_conversions=193:d all_conversions_value=192:d
  ctr=174:d average_cpc=204:d average_cpm=206:d average_cost=203:d cost_per_conversion=171:d conversions_from_interactions_rate=164:d
  interactions=223:i interaction_rate=222:d value_per_conversion=151:d view_through_conversions=155:i
"""


def _read_table() -> dict[str, Field]:
    found, resource = {}, ""
    for word in _TABLE.split():
        if word.endswith(":"):
            resource = word[:-1]
            continue
        name, _, rest = word.partition("=")
        numbers, _, kind = rest.partition(":")
        full = f"{resource}.{name}"
        found[full] = Field(full, tuple(int(n) for n in numbers.split(".")), kind)
    return found


FIELDS: Mapping[str, Field] = _read_table()

CORE_DATES = ("segments.date", "segments.week", "segments.month", "segments.quarter", "segments.year")
ACTION_SEGMENTS = ("segments.conversion_action", "segments.conversion_action_name", "segments.conversion_action_category")
ACTION_METRICS = ("conversions", "conversions_value", "all_conversions", "all_conversions_value", "value_per_conversion", "view_through_conversions")


@lru_cache(maxsize=8)
def row_descriptor(version: str) -> Any:  # noqa: ANN401
    """Load the descriptor of GoogleAdsRow; the import takes about two seconds, so only queries beyond our own table pay it."""
    module = import_module(f"google.ads.googleads.{version}.services.types.google_ads_service")
    return module.GoogleAdsRow.pb(module.GoogleAdsRow()).DESCRIPTOR


def known_resource(name: str, version: str) -> bool:
    """Tell whether a resource exists in the API."""
    return name in ATTRIBUTED or (name not in ("metrics", "segments") and name in row_descriptor(version).fields_by_name)


@lru_cache(maxsize=4096)
def known_field(name: str, version: str) -> bool:
    """Tell whether the API's messages have a field."""
    if name in FIELDS:
        return True
    at = row_descriptor(version)
    for part in name.split("."):
        found = None if at is None else at.fields_by_name.get(part) or at.fields_by_name.get(f"{part}_")
        if found is None:
            return False
        at = found.message_type
    return "." in name
