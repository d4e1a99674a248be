-- Direct's ads have no name: the headline stands for it, else the id.
select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as observed_day,
    CampaignId as campaign_id,
    AdGroupId as ad_group_id,
    Id as ad_id,
    coalesce(nullIf(Title, ''), Id) as ad_name,
    lower(ifNull(State, '')) as status
from {{ current_rows('raw_yandex_direct__ads') }}
