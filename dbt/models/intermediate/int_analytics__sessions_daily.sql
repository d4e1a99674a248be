{% for platform in analytics_platforms() %}
select
    organization_id,
    integration_id,
    '{{ platform }}' as platform,
    account_id,
    date_day,
    source,
    medium,
    campaign,
    device,
    country,
    landing_page,
    sessions,
    users,
    conversions,
    conversions_value,
    currency_code
from {{ ref('stg_' ~ platform ~ '__sessions_daily') }}
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
