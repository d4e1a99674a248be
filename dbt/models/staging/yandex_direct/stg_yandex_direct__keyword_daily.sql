select
    {{ direct_keys() }},
    CampaignId as campaign_id,
    ifNull(AdGroupId, '') as ad_group_id,
    ifNull(CriterionId, '') as keyword_id,
    ifNull(Criterion, '') as keyword_text,
    lower(CriterionType) as match_type,
    {{ direct_measures() }}
from ({{ direct_reported('raw_yandex_direct__keyword_daily') }})
