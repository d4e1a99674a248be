select
    organization_id,
    platform,
    account_id,
    name as account_name,
    currency_code,
    timezone,
    observed_from,
    valid_from,
    valid_to,
    is_current
from {{ ref('dim_entity_history') }}
where level = 'account'
