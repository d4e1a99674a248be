{{ config(
    materialized=stored('incremental'),
    incremental_strategy='insert_overwrite',
    partition_by=organization_month('month'),
    order_by=['organization_id', 'platform', 'level', 'account_id', 'entity_id'],
    on_schema_change='fail',
) }}

-- The last name of each entity in each month: a build reads only the months that changed, and the dims look names up here.
with ads as (

    select
        organization_id, platform, account_id, campaign_id, ad_group_id, ad_id, toStartOfMonth(date_day) as month,
        argMax((campaign_name, ad_group_name, ad_name), (date_day, campaign_name, ad_group_name, ad_name)) as names,
        max(date_day) as last_day
    from {{ ref('int_ads__ad_daily') }}
    where {{ in_changed_months('date_day') }}
    group by organization_id, platform, account_id, campaign_id, ad_group_id, ad_id, month

),

campaigns as (

    select
        organization_id, platform, account_id, campaign_id, toStartOfMonth(date_day) as month,
        argMax(campaign_name, (date_day, campaign_name)) as last_name,
        max(date_day) as last_day
    from {{ ref('int_ads__campaign_daily') }}
    where {{ in_changed_months('date_day') }}
    group by organization_id, platform, account_id, campaign_id, month

),

-- On one day the campaign report's own name goes before the one that the ads carry.
named as (

    select month, organization_id, platform, account_id, 'campaign' as level, campaign_id as entity_id, campaign_id, '' as ad_group_id, last_name as entity_name, last_day as seen, 1 as priority
    from campaigns

    union all

    select
        month, organization_id, platform, account_id, entity.1 as level, entity.2 as entity_id, campaign_id,
        if(level = 'campaign', '', ad_group_id) as ad_group_id, entity.3 as entity_name, last_day as seen, 0 as priority
    from (select *, arrayJoin([('campaign', campaign_id, names.1), ('ad_group', ad_group_id, names.2), ('ad', ad_id, names.3)]) as entity from ads)

)

select
    month,
    toLowCardinality(organization_id) as organization_id,
    toLowCardinality(platform) as platform,
    toLowCardinality(level) as level,
    account_id,
    entity_id,
    argMax(named.campaign_id, (seen, priority, entity_name, named.campaign_id)) as campaign_id,
    argMax(named.ad_group_id, (seen, priority, entity_name, named.ad_group_id)) as ad_group_id,
    argMax(entity_name, (seen, priority, entity_name)) as name,
    max(seen) as last_day
from named
where entity_id != ''
group by month, organization_id, platform, level, account_id, entity_id
