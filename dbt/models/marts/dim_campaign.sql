select
    organization_id,
    platform,
    account_id,
    entity_id as campaign_id,
    argMax(name, (month, last_day)) as campaign_name,
    max(last_day) as last_day
from {{ ref('int_ads__names_monthly') }}
where level = 'campaign'
group by organization_id, platform, account_id, entity_id
