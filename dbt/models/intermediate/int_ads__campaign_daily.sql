{% for platform in ad_platforms('campaign_daily') %}
select
    organization_id,
    integration_id,
    {{ platform_of(platform) }} as platform,
    account_id,
    campaign_id,
    campaign_name,
    date_day,
    impressions,
    clicks,
    spend,
    conversions,
    conversions_value,
    currency_code,
    vat_included
from {{ ref('stg_' ~ platform ~ '__campaign_daily') }}
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
