select
    organization_id,
    platform,
    account_id,
    entity_id as ad_group_id,
    cast(argMax(campaign_id, (month, last_day)) as String) as campaign_id,
    argMax(name, (month, last_day)) as ad_group_name,
    max(last_day) as last_day
from {{ ref('int_ads__names_monthly') }}
where level = 'ad_group'
group by organization_id, platform, account_id, entity_id
