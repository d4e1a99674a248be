select
    organization_id,
    platform,
    account_id,
    entity_id as campaign_id,
    name as campaign_name,
    status,
    daily_budget,
    currency_code,
    observed_from,
    valid_from,
    valid_to,
    is_current
from {{ ref('dim_entity_history') }}
where level = 'campaign'
