{% for platform in ad_platforms() %}
select
    organization_id,
    integration_id,
    '{{ platform }}' as platform,
    account_id,
    date_day,
    impressions,
    clicks,
    spend,
    conversions,
    conversions_value,
    currency_code,
    vat_included
from {{ ref('stg_' ~ platform ~ '__account_daily') }}
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
