-- Rows without a goal count visits, rows with one its reaches; zero stands for what a row does not count.
select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    goal_id,
    {{ metrica_count('visits') }} as sessions,
    {{ metrica_count('users') }} as users,
    {{ metrica_count('newUsers') }} as new_users,
    {{ metrica_count('pageviews') }} as page_views,
    {{ amount('goalReaches') }} as conversions,
    {{ amount('goalRevenue') }} as conversions_value,
    {{ amount('ecommercePurchases') }} as purchases,
    {{ amount('ecommerceRevenue') }} as purchase_revenue,
    currency as currency_code,
    {{ metrica_doubts() }} as doubts
from {{ current_rows('raw_yandex_metrica__counter_daily') }}
