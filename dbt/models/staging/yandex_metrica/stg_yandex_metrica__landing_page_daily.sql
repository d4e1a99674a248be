select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    ifNull(TrafficSource, '') as traffic_source,
    ifNull(startURLPath, '') as landing_page,
    {{ metrica_count('visits') }} as sessions,
    {{ metrica_count('users') }} as users,
    {{ metrica_count('newUsers') }} as new_users,
    {{ metrica_count('pageviews') }} as page_views,
    {{ amount('sumGoalReachesAny') }} as conversions_any,
    {{ amount('ecommercePurchases') }} as purchases,
    {{ amount('ecommerceRevenue') }} as purchase_revenue,
    currency as currency_code,
    {{ metrica_doubts() }} as doubts
from {{ current_rows('raw_yandex_metrica__landing_page_daily') }}
