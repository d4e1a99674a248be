select
    organization_id,
    platform,
    account_id,
    entity_id as ad_id,
    cast(argMax(months.campaign_id, months.last_day) as String) as campaign_id,
    cast(argMax(months.ad_group_id, months.last_day) as String) as ad_group_id,
    argMax(months.name, months.last_day) as ad_name,
    max(months.last_day) as last_day
from {{ ref('int_ads__names_monthly') }} as months
where level = 'ad'
group by organization_id, platform, account_id, entity_id
