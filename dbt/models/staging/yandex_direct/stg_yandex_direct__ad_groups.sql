select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as observed_day,
    CampaignId as campaign_id,
    Id as ad_group_id,
    Name as ad_group_name,
    lower(ifNull(ServingStatus, '')) as status
from {{ current_rows('raw_yandex_direct__ad_groups') }}
