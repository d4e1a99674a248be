{{ config(
    materialized=stored('incremental'),
    incremental_strategy='insert_overwrite',
    partition_by=organization_month('date_day'),
    order_by=['organization_id', 'platform', 'account_id', 'date_day', 'source', 'medium', 'campaign'],
    on_schema_change='fail',
) }}

-- What web analytics counted, never what an ad platform claims: the two attribute differently and stand in facts of their own.
select
    cast(sessions_daily.organization_id as LowCardinality(String)) as organization_id,
    cast(sessions_daily.integration_id as LowCardinality(String)) as integration_id,
    cast(sessions_daily.platform as LowCardinality(String)) as platform,
    cast(sessions_daily.account_id as String) as account_id,
    cast(sessions_daily.date_day as Date) as date_day,
    cast(sessions_daily.source as String) as source,
    cast(sessions_daily.medium as LowCardinality(String)) as medium,
    cast(sessions_daily.campaign as String) as campaign,
    cast(sessions_daily.device as LowCardinality(String)) as device,
    cast(sessions_daily.country as LowCardinality(String)) as country,
    cast(sessions_daily.landing_page as String) as landing_page,
    cast(sessions_daily.sessions as Int64) as sessions,
    cast(sessions_daily.users as Int64) as users,
    cast(sessions_daily.conversions as Decimal(18, 6)) as conversions,
    cast(sessions_daily.conversions_value as Decimal(18, 6)) as conversions_value,
    cast(sessions_daily.currency_code as LowCardinality(String)) as currency_code
from {{ ref('int_analytics__sessions_daily') }} as sessions_daily
where {{ in_changed_months('date_day') }}
