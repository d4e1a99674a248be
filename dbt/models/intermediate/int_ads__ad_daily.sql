{% for platform in ad_platforms() %}
select
    organization_id,
    integration_id,
    '{{ platform }}' as platform,
    account_id,
    campaign_id,
    campaign_name,
    ad_group_id,
    ad_group_name,
    ad_id,
    ad_name,
    date_day,
    impressions,
    clicks,
    spend,
    conversions,
    conversions_value,
    currency_code,
    vat_included
from {{ ref('stg_' ~ platform ~ '__ad_daily') }}
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
