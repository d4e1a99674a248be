select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    customer_descriptive_name as account_name,
    customer_currency_code as currency_code,
    customer_time_zone as timezone,
    _date as observed_day
from {{ current_rows('raw_google_ads__accounts') }}
