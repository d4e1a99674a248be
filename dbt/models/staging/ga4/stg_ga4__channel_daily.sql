select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    sessionDefaultChannelGroup as channel_group,
    {{ count_of('sessions') }} as sessions,
    {{ count_of('totalUsers') }} as users,
    {{ count_of('newUsers') }} as new_users,
    {{ count_of('engagedSessions') }} as engaged_sessions,
    {{ amount('keyEvents') }} as conversions,
    {{ amount('totalRevenue') }} as conversions_value,
    {{ amount('purchaseRevenue') }} as purchase_revenue,
    currencyCode as currency_code,
    {{ ga4_doubts() }} as doubts
from {{ current_rows('raw_ga4__channel_daily') }}
