{{ config(
    materialized=stored('incremental'),
    incremental_strategy='insert_overwrite',
    partition_by=organization_month('date_day'),
    order_by=['organization_id', 'platform', 'account_id', 'level', 'date_day', 'campaign_id', 'ad_group_id', 'ad_id'],
    on_schema_change='fail',
) }}

-- People reached by day, once for each level that counts them: a campaign's people are fewer than its ads' together.
select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(level as LowCardinality(String)) as level,
    cast(campaign_id as String) as campaign_id,
    cast(ad_group_id as String) as ad_group_id,
    cast(ad_id as String) as ad_id,
    cast(date_day as Date) as date_day,
    cast(reached.impressions as Int64) as impressions,
    cast(reached.people as Int64) as reach
from {{ ref('int_ads__reach_daily') }} as reached
where {{ in_changed_months('date_day') }}
