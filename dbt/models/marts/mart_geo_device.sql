{{ config(
    materialized=stored('incremental'),
    incremental_strategy='insert_overwrite',
    partition_by=organization_month('date_day'),
    order_by=['organization_id', 'platform', 'account_id', 'segment', 'date_day', 'campaign_id', 'segment_value'],
    on_schema_change='fail',
) }}

-- Campaigns by device, country and whatever else a platform breaks them down by. On a day for which an account has a breakdown
-- at all, a residual row closes each campaign's gap to its total, so that every breakdown adds up to the campaign.
with segments as (

    select * from {{ ref('int_ads__segment_daily') }}
    where {{ in_changed_months('date_day') }}

),

broken_down as (

    select organization_id, integration_id, platform, account_id, date_day, groupUniqArray(segment) as kinds
    from segments
    group by organization_id, integration_id, platform, account_id, date_day

),

parts as (

    select
        organization_id, integration_id, platform, account_id, campaign_id, date_day, segment, if(is_residual, '', segment_value) as segment_value, is_residual,
        sign * impressions as impressions, sign * clicks as clicks, sign * spend as spend, sign * conversions as conversions,
        sign * conversions_value as conversions_value, currency_code, vat_included
    from (
        select *, arrayJoin([false, true]) as is_residual, if(is_residual, -1, 1) as sign
        from segments
    )

    union all

    select
        organization_id, integration_id, platform, account_id, campaign_id, date_day, arrayJoin(kinds) as segment, '' as segment_value, true as is_residual,
        impressions, clicks, spend, conversions, conversions_value, currency_code, vat_included
    from {{ ref('int_ads__campaign_daily') }} as campaigns
    inner join broken_down using (organization_id, integration_id, platform, account_id, date_day)
    where {{ in_changed_months('date_day') }}

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(campaign_id as String) as campaign_id,
    cast(date_day as Date) as date_day,
    cast(segment as LowCardinality(String)) as segment,
    cast(segment_value as String) as segment_value,
    cast(is_residual as Bool) as is_residual,
    cast(sum(parts.impressions) as Int64) as impressions,
    cast(sum(parts.clicks) as Int64) as clicks,
    cast(sum(parts.spend) as Decimal(18, 6)) as spend,
    cast(sum(parts.conversions) as Decimal(18, 6)) as conversions,
    cast(sum(parts.conversions_value) as Decimal(18, 6)) as conversions_value,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(vat_included as Bool) as vat_included
from parts
group by all
having not is_residual
    or sum(parts.impressions) != 0
    or sum(parts.clicks) != 0
    or sum(parts.spend) != 0
    or sum(parts.conversions) != 0
    or sum(parts.conversions_value) != 0
