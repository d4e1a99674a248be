select
    {{ direct_keys() }},
    CampaignId as campaign_id,
    CampaignName as campaign_name,
    ifNull(AdGroupId, '') as ad_group_id,
    ifNull(AdGroupName, '') as ad_group_name,
    ifNull(AdId, '') as ad_id,
    ifNull(AdId, '') as ad_name,
    {{ direct_measures() }}
from ({{ direct_reported('raw_yandex_direct__ad_daily') }})
