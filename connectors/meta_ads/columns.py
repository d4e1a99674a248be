"""The columns of Meta's reports, by what they belong to."""

from collections.abc import Mapping

from domain.catalogue import Column, ColumnType

_S, _I, _D, _DATE = ColumnType.STRING, ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.DATE

DAY = (
    Column("date_start", _DATE, "Day in the account's time zone"),
    Column("account_id", _S, "Account id without act_"),
    Column("account_name", _S, "Account name", nullable=True),
    Column("account_currency", _S, "ISO 4217 currency of every amount"),
)
METRICS = (
    Column("impressions", _I, "Impressions; NULL where Meta sent none", nullable=True),
    Column("clicks", _I, "Clicks (all); NULL where Meta sent none", nullable=True),
    Column("spend", _D, "Spend in major units of the account's currency", nullable=True),
    Column("actions", _S, "JSON: counts by action type, exactly as sent; types overlap and must not be added up", nullable=True),
    Column("action_values", _S, "JSON: values by action type in the account's currency, exactly as sent", nullable=True),
    Column("inline_link_clicks", _I, "Clicks on links to where the advertiser chose, within the first day", nullable=True),
    Column("reach", _I, "People reached; adds up over nothing. With breakdowns NULL beyond 13 months", nullable=True),
)
VIDEO = (
    Column(
        "video_thruplay_watched_actions",
        _S,
        "JSON: ThruPlays (videos watched to their end or for 15 seconds), exactly as sent; 3-second plays are video_view in actions",
        nullable=True,
    ),
)
CAMPAIGN = (
    Column("campaign_id", _S, "Campaign id"),
    Column("campaign_name", _S, "Campaign name", nullable=True),
)
AD_SET = (
    Column("adset_id", _S, "Ad set id; the ad group of other platforms"),
    Column("adset_name", _S, "Ad set name", nullable=True),
)
AD = (
    Column("ad_id", _S, "Ad id"),
    Column("ad_name", _S, "Ad name", nullable=True),
)
AD_ACTIONS = (
    Column("action_type", _S, "Action type, such as omni_purchase"),
    Column("attribution_window", _S, "1d_view, 1d_ev, 1d_click, 7d_click or 28d_click; default is the ad set's own attribution setting"),
    Column("action_count", _D, "Actions; NULL where Meta sent a value alone", nullable=True),
    Column("action_value", _D, "Their value in the account's currency; NULL where Meta sent none", nullable=True),
)
BREAKDOWNS: Mapping[str, Column] = {
    "age": Column("age", _S, "Age group, such as 25-34, 65+ or Unknown"),
    "gender": Column("gender", _S, "female, male or unknown"),
    "country": Column("country", _S, "ISO 3166 code of the country, or unknown"),
    "region": Column("region", _S, "Region in Meta's words, or Unknown"),
    "publisher_platform": Column("publisher_platform", _S, "facebook, instagram, audience_network, messenger, threads"),
    "platform_position": Column("platform_position", _S, "Position within the platform, such as feed or instagram_stories"),
    "impression_device": Column("impression_device", _S, "Device, such as iphone, android_smartphone or desktop"),
}

ACCOUNT = (
    Column("account_id", _S, "Account id without act_"),
    Column("name", _S, "Account name", nullable=True),
    Column("currency", _S, "ISO 4217 currency"),
    Column("timezone_name", _S, "IANA time zone of the dates"),
    Column("account_status", _I, "1 active, 2 disabled, 3 unsettled, 7 in review, 8 pending settlement, 9 grace period, 100 closing, 101 closed"),
)
_OBJECT = (
    Column("id", _S, "Id"),
    Column("account_id", _S, "Account id without act_"),
    Column("name", _S, "Name", nullable=True),
)
_STATE = (
    Column("status", _S, "What the advertiser set: ACTIVE, PAUSED, ARCHIVED, DELETED", nullable=True),
    Column("effective_status", _S, "What follows from it and from the objects above, such as CAMPAIGN_PAUSED", nullable=True),
)
_BUDGET = (
    Column("daily_budget", _I, "Daily budget in MINOR units of the account's currency; NULL or 0 where the budget stands at another level", nullable=True),
    Column("lifetime_budget", _I, "Lifetime budget in minor units", nullable=True),
    Column("budget_remaining", _I, "What is left of the budget, in minor units", nullable=True),
    Column("bid_strategy", _S, "Bid strategy", nullable=True),
)
_TIMES = (
    Column("created_time", _S, "When it was made, ISO 8601 with the account's offset", nullable=True),
    Column("updated_time", _S, "When it was last changed", nullable=True),
)

CAMPAIGNS = (
    *_OBJECT,
    *_STATE,
    *_BUDGET,
    Column("spend_cap", _I, "Spend cap in minor units", nullable=True),
    Column("objective", _S, "Objective, such as OUTCOME_SALES", nullable=True),
    Column("buying_type", _S, "AUCTION or RESERVED", nullable=True),
    Column("start_time", _S, "When it begins", nullable=True),
    Column("stop_time", _S, "When it ends", nullable=True),
    *_TIMES,
)
ADSETS = (
    *_OBJECT,
    Column("campaign_id", _S, "Its campaign"),
    *_STATE,
    *_BUDGET,
    Column("optimization_goal", _S, "What delivery is optimised for", nullable=True),
    Column("billing_event", _S, "What is paid for", nullable=True),
    Column("attribution_spec", _S, "JSON: its attribution setting, exactly as sent", nullable=True),
    Column("start_time", _S, "When it begins", nullable=True),
    Column("end_time", _S, "When it ends", nullable=True),
    *_TIMES,
)
ADS = (
    *_OBJECT,
    Column("campaign_id", _S, "Its campaign"),
    Column("adset_id", _S, "Its ad set"),
    *_STATE,
    Column("creative_id", _S, "Its creative", nullable=True),
    *_TIMES,
)
CREATIVES = (
    *_OBJECT,
    Column("status", _S, "ACTIVE, IN_PROCESS, WITH_ISSUES or DELETED", nullable=True),
    Column("title", _S, "Headline", nullable=True),
    Column("body", _S, "Text", nullable=True),
    Column("object_type", _S, "What is shown, such as VIDEO or SHARE", nullable=True),
    Column("call_to_action_type", _S, "Button, such as SHOP_NOW", nullable=True),
    Column("link_url", _S, "Where it leads", nullable=True),
    Column("url_tags", _S, "Parameters added to the link", nullable=True),
    Column("image_hash", _S, "Hash of the image in the account's library", nullable=True),
    Column("video_id", _S, "Id of the video", nullable=True),
)

JSON_COLUMNS = frozenset({"actions", "action_values", "attribution_spec", "video_thruplay_watched_actions"})
"""Columns that hold a list as JSON text."""

WITHIN: Mapping[str, tuple[str, str]] = {"creative_id": ("creative", "id")}
"""Columns that stand in an object within the row: the column, and where its value is."""

FIELD_GROUPS = (
    ("impressions", "clicks", "spend", "inline_link_clicks"),
    ("reach",),
    ("actions",),
    ("action_values",),
    ("video_thruplay_watched_actions",),
)
"""The last split of a request: its metrics in groups that are read one after the other and joined by the row's key."""
