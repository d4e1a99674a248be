"""Which fields each JSON service returns, what it may be asked by, and what a call costs. Source: the documented structures of v5 and v501."""

from collections.abc import Mapping
from dataclasses import dataclass, field


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Listing:
    """One service with a method get.

    `nested` are the structures with field names of their own (`TextCampaignFieldNames` gives `TextCampaign`). `criteria` names each
    selection with the field that it looks at and how many values it takes; one of `needs` must be there. `cost` is in units, per call
    and per object.
    """

    key: str
    fields: frozenset[str]
    nested: Mapping[str, frozenset[str]] = field(default_factory=dict)
    criteria: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    cost: tuple[int, float] = (10, 1)
    required: bool = False
    """Whether SelectionCriteria must be given, were it empty."""


_STRATEGY = "BiddingStrategy PriorityGoals CounterIds Settings AttributionModel PackageBiddingStrategy CanBeUsedAsPackageBiddingStrategySource "
_CAMPAIGN = (
    "Id Name ClientInfo StartDate EndDate TimeTargeting TimeZone NegativeKeywords BlockedIps ExcludedSites DailyBudget Notification Type Status State "
    "StatusPayment StatusClarification SourceId Statistics Currency Funds RepresentedBy"
)
_AD_GROUP = "Id CampaignId Name RegionIds RestrictedRegionIds NegativeKeywords NegativeKeywordSharedSetIds TrackingParams Status ServingStatus Type Subtype"
_TEXT_AD = (
    "AdImageHash DisplayDomain Href SitelinkSetId Text Title Title2 Mobile VCardId DisplayUrlPath AdImageModeration SitelinksModeration VCardModeration "
    "DisplayUrlPathModeration AdExtensions VideoExtension TurboPageId TurboPageModeration BusinessId PriceExtension PreferVCardOverBusiness "
    "ErirAdDescription LfHref LfButtonText FinalUrl"
)
_KEYWORD = (
    "Id Keyword State Status ServingStatus AdGroupId CampaignId Bid ContextBid StrategyPriority UserParam1 UserParam2 Productivity StatisticsSearch "
    "StatisticsNetwork AutotargetingCategories AutotargetingSearchBidIsAuto AutotargetingSettings"
)
_CLIENT = (
    "AccountQuality Archived ClientId ClientInfo CountryId CreatedAt Currency Grants Login Notification OverdraftSumAvailable Phone Representatives "
    "Restrictions Settings Type VatRate ForbiddenPlatform AvailableCampaignTypes"
)
_STATES = {"States": ("State", 10_000), "Statuses": ("Status", 10_000), "Types": ("Type", 10_000)}
LISTINGS: Mapping[str, Listing] = {
    "campaigns": Listing(
        "Campaigns",
        _names(_CAMPAIGN),
        {
            "TextCampaign": _names(_STRATEGY + "RelevantKeywords NegativeKeywordSharedSetIds TrackingParams"),
            "UnifiedCampaign": _names(_STRATEGY + "NegativeKeywordSharedSetIds TrackingParams"),
            "DynamicTextCampaign": _names(_STRATEGY + "PlacementTypes NegativeKeywordSharedSetIds"),
            "MobileAppCampaign": _names("BiddingStrategy Settings NegativeKeywordSharedSetIds"),
            "CpmBannerCampaign": _names("BiddingStrategy CounterIds FrequencyCap Settings VideoTarget"),
            "SmartCampaign": _names("BiddingStrategy PriorityGoals CounterId Settings AttributionModel TrackingParams"),
        },
        {"Ids": ("Id", 1_000), **_STATES, "StatusesPayment": ("StatusPayment", 10)},
    ),
    "adgroups": Listing(
        "AdGroups",
        _names(
            "Id CampaignId Name RegionIds RestrictedRegionIds NegativeKeywords NegativeKeywordSharedSetIds TrackingParams Status ServingStatus Type Subtype"
        ),
        {"UnifiedAdGroup": _names("OfferRetargeting"), "DynamicTextAdGroup": _names("DomainUrl DomainUrlProcessingStatus AutotargetingCategories")},
        {"Ids": ("Id", 10_000), "CampaignIds": ("CampaignId", 10), "ServingStatuses": ("ServingStatus", 10), **_STATES},
        ("Ids", "CampaignIds"),
        (15, 1),
        required=True,
    ),
    "ads": Listing(
        "Ads",
        _names("Id CampaignId AdGroupId Status StatusClarification State AdCategories AgeLabel Type Subtype"),
        {"TextAd": _names(_TEXT_AD), "TextImageAd": _names("AdImageHash Href TurboPageId"), "ResponsiveAd": _names("Titles Texts Href AdImageHashes")},
        {"Ids": ("Id", 10_000), "CampaignIds": ("CampaignId", 10), "AdGroupIds": ("AdGroupId", 1_000), **_STATES},
        ("Ids", "CampaignIds", "AdGroupIds"),
        (15, 1),
        required=True,
    ),
    "keywords": Listing(
        "Keywords",
        _names(_KEYWORD),
        {},
        {
            "Ids": ("Id", 10_000),
            "CampaignIds": ("CampaignId", 10),
            "AdGroupIds": ("AdGroupId", 1_000),
            "ServingStatuses": ("ServingStatus", 10),
            **_STATES,
        },
        ("Ids", "CampaignIds", "AdGroupIds"),
        (15, 1 / 2_000),
        required=True,
    ),
    "clients": Listing("Clients", _names(_CLIENT), cost=(10, 0)),
    "agencyclients": Listing("Clients", _names(_CLIENT), {}, {"Logins": ("Login", 10_000), "Archived": ("Archived", 1)}),
}
EMPTY_WITHOUT_KEY = frozenset(("ads", "keywords"))
"""Services whose recorded answer for nothing found is a bare `{"result": {}}`."""
