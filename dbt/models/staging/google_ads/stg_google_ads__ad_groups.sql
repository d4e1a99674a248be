select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as observed_day,
    campaign_id,
    ad_group_id,
    ad_group_name,
    lower(ad_group_status) as status
from {{ current_rows('raw_google_ads__ad_groups') }}
