select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    currency as currency_code,
    rate as per_euro
from {{ current_rows('raw_fx__ecb_rates') }}
