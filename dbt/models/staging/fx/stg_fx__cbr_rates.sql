select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    char_code as currency_code,
    nominal,
    value as roubles
from {{ current_rows('raw_fx__cbr_rates') }}
