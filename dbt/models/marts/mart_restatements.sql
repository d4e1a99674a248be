-- What each load changed about an account's day since the load before, and after how many days the day stood as it stands now.
with told as (

    select
        organization_id, integration_id, platform, account_id, date_day, load_id, observed_at, age_days, measured.1 as metric, measured.2 as amount
    from {{ ref('int_ads__account_loads') }}
    array join [
        ('impressions', impressions), ('clicks', clicks), ('spend', spend), ('conversions', conversions), ('conversions_value', conversions_value)
    ] as measured
    where age_days >= 1

),

stepped as (

    select
        *,
        lagInFrame(toNullable(amount)) over so_far as earlier,
        argMax(amount, (observed_at, load_id)) over whole as settled_amount,
        max(age_days) over whole as last_age
    from told
    window
        so_far as (
            partition by organization_id, integration_id, platform, account_id, date_day, metric order by observed_at, load_id
            rows between unbounded preceding and unbounded following
        ),
        whole as (
            partition by organization_id, integration_id, platform, account_id, date_day, metric order by observed_at, load_id
            rows between unbounded preceding and unbounded following
        )

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(date_day as Date) as date_day,
    cast(metric as LowCardinality(String)) as metric,
    cast(load_id as String) as load_id,
    cast(observed_at as DateTime64(6, 'UTC')) as observed_at,
    cast(age_days as Int32) as age_days,
    cast(amount as Decimal(18, 6)) as value,
    cast(if(earlier is null, null, amount - earlier) as Nullable(Decimal(18, 6))) as change,
    -- The youngest age from which every later load said the same: one more than the oldest age at which it said otherwise.
    cast(max(if(amount != settled_amount, age_days, 0)) over slice + 1 as Int32) as days_to_stable,
    cast(last_age as Int32) as observed_to_age
from stepped
window slice as (partition by organization_id, integration_id, platform, account_id, date_day, metric)
