select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    ifNull(ClientInfo, '') as account_name,
    Currency as currency_code,
    Timezone as timezone,
    _date as observed_day
from {{ current_rows('raw_yandex_direct__accounts') }}
