select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    name as account_name,
    currency as currency_code,
    time_zone_name as timezone,
    _date as observed_day
from {{ current_rows('raw_yandex_metrica__accounts') }}
