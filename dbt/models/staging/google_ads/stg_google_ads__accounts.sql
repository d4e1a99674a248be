select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    descriptive_name as account_name,
    currency_code,
    time_zone as timezone,
    _date as observed_day
from {{ current_rows('raw_google_ads__accounts') }}
