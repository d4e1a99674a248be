"""GA4's default channel group from source, medium and campaign (support.google.com/analytics/answer/9756891)."""

import polars as pl

_SEARCH = r"^(google|bing|yandex|duckduckgo|yahoo|baidu|ecosia|naver|seznam|startpage|mail\.ru)"
_SOCIAL = r"^(facebook|instagram|fb|ig|linkedin|twitter|t\.co|x\.com|tiktok|pinterest|reddit|vk|ok\.ru|telegram|threads)"
_VIDEO = r"^(youtube|vimeo|twitch|rutube|dailymotion|wistia)"
_SHOPPING = r"^(amazon|ebay|etsy|walmart|shopify|alibaba|shopping)"
_PAID = r"^(.*cp.*|ppc|retargeting|paid.*)$"


def channel_group() -> pl.Expr:
    """Return the expression of the channel group; the first rule that fits decides."""
    source, medium, campaign = (pl.col(c).str.to_lowercase() for c in ("source", "medium", "campaign"))
    paid = medium.str.contains(_PAID)
    search, social, video, shopping = (source.str.contains(p) for p in (_SEARCH, _SOCIAL, _VIDEO, _SHOPPING))
    shop_campaign = campaign.str.contains(r"^(.*(([^a-df-z]|^)shop|shopping).*)$")
    rules = [
        ((source == "(direct)") & medium.is_in(["(none)", "(not set)", ""]), "Direct"),
        (medium.is_in(["cross-network"]) | campaign.str.contains("cross-network"), "Cross-network"),
        ((shopping | shop_campaign) & paid, "Paid Shopping"),
        (search & paid, "Paid Search"),
        (social & paid, "Paid Social"),
        (video & paid, "Paid Video"),
        (medium.is_in(["display", "banner", "expandable", "interstitial", "cpm"]), "Display"),
        (paid, "Paid Other"),
        (shopping | shop_campaign, "Organic Shopping"),
        (social | medium.is_in(["social", "social-network", "social-media", "sm", "social network", "social media"]), "Organic Social"),
        (video | medium.str.contains("video"), "Organic Video"),
        ((search & medium.is_in(["organic", "referral"])) | (medium == "organic"), "Organic Search"),
        (source.is_in(["email", "e-mail", "e_mail", "e mail"]) | medium.is_in(["email", "e-mail", "e_mail", "e mail"]), "Email"),
        (medium == "affiliate", "Affiliates"),
        (medium.is_in(["referral", "app", "link"]), "Referral"),
        (medium == "audio", "Audio"),
        ((source == "sms") | (medium == "sms"), "SMS"),
        (medium.str.ends_with("push") | medium.str.contains("mobile|notification"), "Mobile Push Notifications"),
    ]
    group = pl.lit("Unassigned")
    for fits, name in reversed(rules):
        group = pl.when(fits).then(pl.lit(name)).otherwise(group)
    return group
