select
    _organization_id as organization_id,
    _integration_id as integration_id,
    platform,
    _account_id as account_id,
    account_name,
    currency as currency_code,
    timezone,
    _date as observed_day
from {{ current_rows('raw_imports__accounts') }}
