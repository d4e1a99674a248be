-- Days that stand out from their own weekdays: logarithms of daily totals beside the median of the last eight same weekdays, in
-- units of the usual scatter (1.4826 × the median absolute residual of 56 days). It looks back only, and at settled days only:
-- delivery three days after the day, conversions after the platform's restatement window.
with days as (

    select
        organization_id, platform, account_id, entity, date_day, currency_code,
        sum(impressions) as day_impressions, sum(clicks) as day_clicks, sum(spend) as day_spend, sum(conversions) as day_conversions
    from {{ ref('fct_ad_performance_daily') }}
    array join if(campaign_id = '', [''], ['', campaign_id]) as entity
    group by organization_id, platform, account_id, entity, date_day, currency_code

),

settled as (

    select
        days.organization_id as organization_id, days.platform as platform, days.account_id as account_id, entity, days.date_day as date_day, currency_code,
        told.1 as metric, told.2 as amount, log1p(greatest(toFloat64(told.2), 0)) as height
    from days
    inner join {{ ref('mart_provisional_days') }} as states using (organization_id, platform, account_id, date_day)
    array join [
        ('impressions', toDecimal64(day_impressions, 6), 3), ('clicks', toDecimal64(day_clicks, 6), 3), ('spend', toDecimal64(day_spend, 6), 3),
        ('conversions', toDecimal64(day_conversions, 6), 400)
    ] as told
    where dateDiff('day', date_day, observed_day) >= told.3 or not is_provisional

),

expected as (

    select
        *,
        groupArray(height) over (
            partition by organization_id, platform, account_id, entity, currency_code, metric, toDayOfWeek(date_day) order by date_day
            rows between 8 preceding and 1 preceding
        ) as before,
        arrayReduce('medianExact', before) as usual
    from settled

),

scattered as (

    select
        *,
        height - usual as residual,
        groupArrayIf(abs(height - usual), length(before) >= 3) over (
            partition by organization_id, platform, account_id, entity, currency_code, metric order by date_day rows between 56 preceding and 1 preceding
        ) as residuals,
        greatest(1.4826 * arrayReduce('medianExact', residuals), 0.05) as scatter
    from expected

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(entity as String) as campaign_id,
    cast(date_day as Date) as date_day,
    cast(metric as LowCardinality(String)) as metric,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(amount as Decimal(18, 6)) as actual,
    cast(exp(usual) - 1 as Float64) as expected,
    cast(residual / scatter as Float64) as score,
    cast(abs(residual / scatter) >= 4 as Bool) as is_anomaly
from scattered
where length(before) >= 4 and length(residuals) >= 14
