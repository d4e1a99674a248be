select
    organization_id,
    platform,
    account_id,
    entity_id as campaign_id,
    argMax(months.name, months.last_day) as campaign_name,
    max(months.last_day) as last_day
from {{ ref('int_ads__names_monthly') }} as months
where level = 'campaign'
group by organization_id, platform, account_id, entity_id
