-- All revenue over all ad spend, by day and currency: once as the ad platforms claim it, once per analytics platform. Revenue in
-- another currency than the spend has a row of its own and no ratio.
with spent as (

    select organization_id, date_day, currency_code, sum(spend) as day_spend, sum(conversions_value) as claimed
    from {{ ref('fct_ad_performance_daily') }}
    group by organization_id, date_day, currency_code

),

told as (

    select organization_id, date_day, currency_code, 'platforms' as revenue_source, claimed as day_revenue
    from spent

    union all

    select organization_id, date_day, currency_code, platform as revenue_source, sum(conversions_value) as day_revenue
    from {{ ref('fct_sessions_daily') }}
    group by organization_id, date_day, currency_code, platform

)

select
    cast(told.organization_id as LowCardinality(String)) as organization_id,
    cast(told.date_day as Date) as date_day,
    cast(told.currency_code as LowCardinality(String)) as currency_code,
    cast(told.revenue_source as LowCardinality(String)) as revenue_source,
    cast(ifNull(spent.day_spend, toDecimal64(0, 6)) as Decimal(18, 6)) as spend,
    cast(told.day_revenue as Decimal(18, 6)) as revenue,
    cast(toFloat64(told.day_revenue) / nullIf(toFloat64(spent.day_spend), 0) as Nullable(Float64)) as mer
from told
left join spent using (organization_id, date_day, currency_code)
