-- Breakdowns that GA4 gives only apart from these (country, landing page) are empty here.
select
    organization_id,
    integration_id,
    account_id,
    date_day,
    source,
    medium,
    campaign,
    device,
    '' as country,
    '' as landing_page,
    sum(traffic.sessions) as sessions,
    sum(traffic.users) as users,
    toDecimal64(sum(traffic.conversions), 6) as conversions,
    toDecimal64(sum(traffic.conversions_value), 6) as conversions_value,
    currency_code
from {{ ref('stg_ga4__traffic_daily') }} as traffic
group by organization_id, integration_id, account_id, date_day, source, medium, campaign, device, currency_code
