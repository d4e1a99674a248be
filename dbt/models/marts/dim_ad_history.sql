select
    organization_id,
    platform,
    account_id,
    entity_id as ad_id,
    campaign_id,
    ad_group_id,
    name as ad_name,
    status,
    observed_from,
    valid_from,
    valid_to,
    is_current
from {{ ref('dim_entity_history') }}
where level = 'ad'
