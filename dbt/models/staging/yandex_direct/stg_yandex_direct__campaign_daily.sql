select
    {{ direct_keys() }},
    CampaignId as campaign_id,
    CampaignName as campaign_name,
    {{ direct_measures() }}
from ({{ direct_reported('raw_yandex_direct__campaign_daily') }})
