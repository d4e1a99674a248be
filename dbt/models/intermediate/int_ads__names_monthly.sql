{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by='toYYYYMM(month)',
    order_by=['organization_id', 'platform', 'level', 'account_id', 'entity_id'],
    on_schema_change='fail',
) }}

-- The last name of each entity in each month: a build reads only the months that changed, and the dims look names up here.
with ads as (

    select * from {{ ref('int_ads__ad_daily') }}
    where {{ in_changed_months('date_day') }}

),

campaigns as (

    select * from {{ ref('int_ads__campaign_daily') }}
    where {{ in_changed_months('date_day') }}

),

-- On one day the campaign report's own name goes before the one that the ads carry.
named as (

    select organization_id, platform, account_id, 'campaign' as level, campaign_id as entity_id, campaign_id, '' as ad_group_id, campaign_name as entity_name, date_day, 1 as priority
    from campaigns

    union all

    select organization_id, platform, account_id, 'campaign' as level, campaign_id as entity_id, campaign_id, '' as ad_group_id, campaign_name as entity_name, date_day, 0 as priority
    from ads

    union all

    select organization_id, platform, account_id, 'ad_group' as level, ad_group_id as entity_id, campaign_id, ad_group_id, ad_group_name as entity_name, date_day, 0 as priority
    from ads

    union all

    select organization_id, platform, account_id, 'ad' as level, ad_id as entity_id, campaign_id, ad_group_id, ad_name as entity_name, date_day, 0 as priority
    from ads

)

select
    toStartOfMonth(date_day) as month,
    toLowCardinality(organization_id) as organization_id,
    toLowCardinality(platform) as platform,
    toLowCardinality(level) as level,
    account_id,
    entity_id,
    argMax(named.campaign_id, (date_day, priority, entity_name)) as campaign_id,
    argMax(named.ad_group_id, (date_day, priority, entity_name)) as ad_group_id,
    argMax(entity_name, (date_day, priority, entity_name)) as name,
    max(date_day) as last_day
from named
where entity_id != ''
group by month, organization_id, platform, level, account_id, entity_id
