select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as observed_day,
    campaign_id,
    adset_id as ad_group_id,
    id as ad_id,
    ifNull(name, '') as ad_name,
    lower(ifNull(effective_status, ifNull(status, ''))) as status
from {{ current_rows('raw_meta_ads__ads') }}
