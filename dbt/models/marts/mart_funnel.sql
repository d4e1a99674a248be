-- From impressions to orders, by channel and day. Ad platforms tell impressions and clicks; analytics tell sessions and goals, the
-- paid ones under the platform that their source and medium name; orders are visits with revenue, where visits are delivered.
with ads as (

    select organization_id, date_day, platform as channel, impressions, clicks
    from {{ ref('fct_ad_performance_daily') }}

),

sessions as (

    select
        organization_id, date_day, {{ channel_of('source', 'medium') }} as channel, sessions, conversions
    from {{ ref('fct_sessions_daily') }}

),

visits as (
{{ staged('visits', {'date_day': 'Date', 'source': 'String', 'medium': 'String', 'revenue': 'Decimal(18, 6)'}) }}
),

steps as (

    select organization_id, date_day, channel, impressions, clicks, toInt64(0) as sessions, toDecimal64(0, 6) as goals, toInt64(0) as orders from ads

    union all

    select organization_id, date_day, channel, toInt64(0) as impressions, toInt64(0) as clicks, sessions, conversions as goals, toInt64(0) as orders from sessions

    union all

    select
        organization_id, date_day, {{ channel_of('source', 'medium') }} as channel, toInt64(0) as impressions, toInt64(0) as clicks, toInt64(0) as sessions,
        toDecimal64(0, 6) as goals, toInt64(revenue > 0) as orders
    from visits

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(date_day as Date) as date_day,
    cast(channel as LowCardinality(String)) as channel,
    cast(sum(steps.impressions) as Int64) as impressions,
    cast(sum(steps.clicks) as Int64) as clicks,
    cast(sum(steps.sessions) as Int64) as sessions,
    cast(sum(steps.goals) as Decimal(18, 6)) as goals,
    cast(sum(steps.orders) as Int64) as orders
from steps
group by organization_id, date_day, channel
