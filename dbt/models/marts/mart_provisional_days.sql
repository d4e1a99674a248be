-- How settled each account's day is: looked at again after the platform's restatement window, it is settled; before, provisional.
with seen as (

    select
        organization_id, integration_id, extract(report, '^raw_(.+)__') as platform, account_id, date as date_day,
        toDate(min(slices.observed_at), 'UTC') as observed_day
    from {{ source('raw', 'pinned_slices') }} as slices
    where match(report, '__(account|campaign|ad)_daily$')
    group by organization_id, integration_id, platform, account_id, date_day

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(date_day as Date) as date_day,
    cast(observed_day as Date) as observed_day,
    cast(observed_day > date_day + 1 as Bool) as is_complete,
    cast(dateDiff('day', date_day, observed_day) <= {{ settling_days() }} as Bool) as is_provisional
from seen
