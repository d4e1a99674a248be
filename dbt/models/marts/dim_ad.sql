select
    organization_id,
    platform,
    account_id,
    entity_id as ad_id,
    cast(argMax(campaign_id, (month, last_day)) as String) as campaign_id,
    cast(argMax(ad_group_id, (month, last_day)) as String) as ad_group_id,
    argMax(name, (month, last_day)) as ad_name,
    max(last_day) as last_day
from {{ ref('int_ads__names_monthly') }}
where level = 'ad'
group by organization_id, platform, account_id, entity_id
