{% set devices = "multiIf(impression_device in ('iphone', 'ipod', 'android_smartphone', 'mobile'), 'mobile', "
    ~ "impression_device in ('ipad', 'android_tablet', 'tablet'), 'tablet', lower(impression_device))" %}
{% set segments = {
    'age_gender': ('raw_meta_ads__age_gender_daily', "concat(age, ' ', gender)"),
    'country': ('raw_meta_ads__country_daily', 'country'),
    'region': ('raw_meta_ads__region_daily', 'region'),
    'placement': ('raw_meta_ads__placement_daily', "concat(publisher_platform, ' ', platform_position)"),
    'device': ('raw_meta_ads__device_daily', devices),
} %}
-- Meta's devices are models: phones count together, and tablets.
with segments as (
{% for segment, (table, value) in segments.items() %}
    {{ meta_insights(table, ['campaign_id', "'" ~ segment ~ "' as segment", value ~ ' as segment_value']) }}
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
