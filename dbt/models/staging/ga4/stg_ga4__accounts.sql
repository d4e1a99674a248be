select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    displayName as account_name,
    currencyCode as currency_code,
    timeZone as timezone,
    _date as observed_day
from {{ current_rows('raw_ga4__accounts') }}
