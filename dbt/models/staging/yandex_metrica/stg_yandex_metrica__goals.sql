select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    id as goal_id,
    name as goal_name,
    type as goal_type,
    {{ amount('default_price') }} as default_value,
    lower(ifNull(status, '')) as status,
    _date as observed_day
from {{ current_rows('raw_yandex_metrica__goals') }}
