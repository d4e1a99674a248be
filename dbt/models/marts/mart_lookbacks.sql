-- How long days of a platform keep changing, per metric, and how far back a daily pull should look: the age by which 99 of 100
-- days stood still, over days that were watched for at least a week.
with days as (

    select organization_id, platform, account_id, metric, date_day, any(days_to_stable) as stable, any(observed_to_age) as watched
    from {{ ref('mart_restatements') }}
    group by organization_id, integration_id, platform, account_id, metric, date_day

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(metric as LowCardinality(String)) as metric,
    cast(count() as UInt64) as days_watched,
    cast(countIf(stable > 1) as UInt64) as days_restated,
    cast(quantileExact(0.5)(stable) as Int32) as median_days_to_stable,
    cast(max(stable) as Int32) as longest_days_to_stable,
    cast(quantileExactHigh(0.99)(stable) as Int32) as proposed_lookback_days
from days
where watched >= 7
group by organization_id, platform, metric
