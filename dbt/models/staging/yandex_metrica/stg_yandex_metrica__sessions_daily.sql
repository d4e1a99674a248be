-- Landing pages come from Metrica apart from these, with rare ones hidden, and are empty here.
select
    organization_id,
    integration_id,
    account_id,
    date_day,
    source,
    medium,
    campaign,
    device,
    country,
    '' as landing_page,
    sum(traffic.sessions) as sessions,
    sum(traffic.users) as users,
    toDecimal64(sum(traffic.conversions), 6) as conversions,
    toDecimal64(sum(traffic.conversions_value), 6) as conversions_value,
    currency_code
from {{ ref('stg_yandex_metrica__traffic_daily') }} as traffic
group by organization_id, integration_id, account_id, date_day, source, medium, campaign, device, country, currency_code
