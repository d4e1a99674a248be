select
    organization_id,
    platform,
    account_id,
    entity_id as ad_group_id,
    cast(argMax(months.campaign_id, months.last_day) as String) as campaign_id,
    argMax(months.name, months.last_day) as ad_group_name,
    max(months.last_day) as last_day
from {{ ref('int_ads__names_monthly') }} as months
where level = 'ad_group'
group by organization_id, platform, account_id, entity_id
