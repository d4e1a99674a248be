select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    ifNull(name, '') as account_name,
    currency as currency_code,
    timezone_name as timezone,
    _date as observed_day
from {{ current_rows('raw_meta_ads__accounts') }}
