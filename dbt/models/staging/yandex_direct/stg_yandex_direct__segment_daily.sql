{% set segments = {
    'device': ('raw_yandex_direct__device_daily', 'lower(Device)'),
    'region': ('raw_yandex_direct__region_daily', "ifNull(LocationOfPresenceName, '')"),
    'network': ('raw_yandex_direct__network_daily', 'lower(AdNetworkType)'),
} %}
-- Two regions of one name (towns have namesakes) count together.
with segments as (
{% for segment, (table, value) in segments.items() %}
    select
        {{ direct_keys() }},
        CampaignId as campaign_id,
        '{{ segment }}' as segment,
        {{ value }} as segment_value,
        {{ direct_measures() }}
    from ({{ direct_reported(table) }})
    {%- if not loop.last %}

    union all
    {% endif %}
{%- endfor %}

)

select
    organization_id,
    integration_id,
    account_id,
    date_day,
    campaign_id,
    segment,
    segment_value,
    sum(segments.impressions) as impressions,
    sum(segments.clicks) as clicks,
    cast(sum(segments.spend) as Decimal(18, 6)) as spend,
    cast(sum(segments.conversions) as Decimal(18, 6)) as conversions,
    cast(sum(segments.conversions_value) as Decimal(18, 6)) as conversions_value,
    currency_code,
    vat_included
from segments
group by all
