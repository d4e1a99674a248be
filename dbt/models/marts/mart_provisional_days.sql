-- How settled each account's day is, by the ledger: complete once it was over in the account when every level was last pulled,
-- provisional while that pull lies within the platform's restatement window. A pull that found nothing new counts too.
with seen as (

    select
        organization_id, integration_id, platform, account_id, report, date_day, max(account_today) as seen_on
    from {{ source('raw', 'loads') }}
    array join dates as date_day
    where match(report, '__(account|campaign|ad)_daily$')
    group by organization_id, integration_id, platform, account_id, report, date_day

),

channels as (

    select organization_id, integration_id, 'imports' as folder, any(platform) as channel
    from {{ ref('stg_imports__accounts') }}
    group by organization_id, integration_id

),

named as (

    select seen.* except (platform), ifNull(channels.channel, seen.platform) as platform
    from seen
    left join channels on seen.organization_id = channels.organization_id and seen.integration_id = channels.integration_id and seen.platform = channels.folder

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(date_day as Date) as date_day,
    cast(min(seen_on) as Date) as observed_day,
    cast(min(seen_on) > date_day as Bool) as is_complete,
    cast(dateDiff('day', date_day, min(seen_on)) <= {{ settling_days() }} as Bool) as is_provisional
from named
group by organization_id, integration_id, platform, account_id, date_day
