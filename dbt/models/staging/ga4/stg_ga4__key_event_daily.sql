select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    eventName as event_name,
    sessionSource as source,
    sessionMedium as medium,
    sessionCampaignName as campaign,
    {{ amount('keyEvents') }} as conversions,
    {{ amount('totalRevenue') }} as conversions_value,
    currencyCode as currency_code,
    {{ ga4_doubts() }} as doubts
from {{ current_rows('raw_ga4__key_event_daily') }}
