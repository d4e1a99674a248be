{{ config(materialized=stored('table'), order_by=['organization_id', 'platform', 'level', 'account_id', 'entity_id', 'valid_from']) }}

-- Names, statuses and budgets as they were known: a version per change between two observed days. The first version reaches
-- back to the beginning of time, so that older days find a name too; the last has no end.
with observed as (

    select *, cityHash64(name, status, ifNull(toString(daily_budget), ''), currency_code, timezone, campaign_id, ad_group_id) as state
    from {{ ref('int_ads__entities') }}

),

stepped as (

    select
        *,
        lagInFrame(toNullable(state)) over entity as earlier_state,
        row_number() over entity as step
    from observed
    window entity as (
        partition by organization_id, platform, account_id, level, entity_id order by observed_day, integration_id
        rows between unbounded preceding and unbounded following
    )

),

versions as (

    select
        *,
        row_number() over later as version,
        leadInFrame(toNullable(observed_day)) over later as next_day
    from stepped
    where step = 1 or state != earlier_state
    window later as (
        partition by organization_id, platform, account_id, level, entity_id order by observed_day, step
        rows between unbounded preceding and unbounded following
    )

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(level as LowCardinality(String)) as level,
    cast(entity_id as String) as entity_id,
    cast(campaign_id as String) as campaign_id,
    cast(ad_group_id as String) as ad_group_id,
    cast(name as String) as name,
    cast(status as LowCardinality(String)) as status,
    cast(daily_budget as Nullable(Decimal(18, 6))) as daily_budget,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(timezone as LowCardinality(String)) as timezone,
    cast(observed_day as Date) as observed_from,
    cast(if(version = 1, toDate('1970-01-01'), observed_day) as Date) as valid_from,
    cast(if(next_day is null, null, next_day - 1) as Nullable(Date)) as valid_to,
    cast(next_day is null as Bool) as is_current
from versions
