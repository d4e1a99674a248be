{{ config(
    materialized=stored('incremental'),
    incremental_strategy='insert_overwrite',
    partition_by='toYYYYMM(date)',
    order_by=['project_id', 'platform', 'campaign_id', 'date'],
    on_schema_change='fail',
    sharding_key='cityHash64(project_id)',
    meta={'follows_assignments': true},
    post_hook='{{ remember_assignments() }}',
) }}

-- The owner's table for the rest of the platform, in its own names and types. Whole conversions, by banker's rounding,
-- exist only here; nothing of ours reads it. Accounts without a project and amounts without a campaign are not in it.
with facts as (

    select * from {{ ref('fct_ad_performance_daily') }}
    where campaign_id != '' {% if not assignments_changed() %}and {{ in_changed_months('date_day', by_month=true) }}{% endif %}

),

projects as (

    select * from {{ ref('dim_account_project') }}

),

campaign_days as (

    select
        organization_id, platform, account_id, campaign_id, date_day, currency_code,
        sum(impressions) as all_impressions,
        sum(clicks) as all_clicks,
        sum(spend) as all_spend,
        sum(conversions) as all_conversions,
        sum(conversions_value) as all_conversions_value
    from facts
    group by organization_id, platform, account_id, campaign_id, date_day, currency_code

),

observed as (

    select organization_id, extract(report, '^raw_(.+)__') as platform, account_id, date as date_day, max(observed_at) as observed_at
    from {{ source('raw', 'pinned_slices') }}
    where match(report, '__(account|campaign|ad_group|ad_?set|ad)_daily$') {% if not assignments_changed() %}and {{ in_changed_months('date', by_month=true) }}{% endif %}
    group by organization_id, platform, account_id, date_day

)

select
    cast(campaign_days.date_day as Date) as date,
    cast(projects.project_id as String) as project_id,
    cast(campaign_days.campaign_id as String) as campaign_id,
    cast(campaign_days.platform as String) as platform,
    toUInt64(greatest(all_impressions, 0)) as impressions,
    toUInt64(greatest(all_clicks, 0)) as clicks,
    toUInt64(roundBankers(greatest(all_conversions, 0))) as conversions,
    toFloat64(all_spend) as cost,
    toFloat64(all_conversions_value) as revenue,
    ['account_id', 'currency'] as `dimensions.key`,
    [cast(campaign_days.account_id as String), cast(currency_code as String)] as `dimensions.value`,
    -- The day, by the home's clock, on which the numbers were last observed: the same however often they are rebuilt.
    toDateTime(ifNull(toUnixTimestamp(toDateTime(toDate(observed.observed_at, 'UTC'), 'UTC')), 0)) as created_at
from campaign_days
inner join projects using (organization_id, platform, account_id)
left join observed using (organization_id, platform, account_id, date_day)
where campaign_days.date_day >= projects.since and campaign_days.date_day <= ifNull(projects.until, campaign_days.date_day)
