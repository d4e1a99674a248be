{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by='toYYYYMM(date_day)',
    order_by=['organization_id', 'platform', 'account_id', 'date_day', 'campaign_id', 'ad_group_id', 'ad_id'],
    on_schema_change='fail',
) }}

-- Ads as reported, and a residual row wherever a campaign or an account reports more than its parts (Performance Max,
-- master campaigns) or less (parts restated or vanished): so ads + residual = campaign, campaigns + residual = account.
-- One pass over the three levels: each row counts for itself and against the level above, where that was pulled for the day.
with levels as (

    select
        organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day, 'ad' as level,
        impressions, clicks, spend, conversions, conversions_value, currency_code, vat_included
    from {{ ref('int_ads__ad_daily') }}
    where {{ in_changed_months('date_day') }}

    union all

    select
        organization_id, integration_id, platform, account_id, campaign_id, '' as ad_group_id, '' as ad_id, date_day, 'campaign' as level,
        impressions, clicks, spend, conversions, conversions_value, currency_code, vat_included
    from {{ ref('int_ads__campaign_daily') }}
    where {{ in_changed_months('date_day') }}

    union all

    select
        organization_id, integration_id, platform, account_id, '' as campaign_id, '' as ad_group_id, '' as ad_id, date_day, 'account' as level,
        impressions, clicks, spend, conversions, conversions_value, currency_code, vat_included
    from {{ ref('int_ads__account_daily') }}
    where {{ in_changed_months('date_day') }}

),

covered as (

    select
        organization_id, integration_id, platform, account_id, date_day,
        max(level = 'campaign') as campaigns_pulled,
        max(level = 'account') as account_pulled
    from {{ ref('int_ads__covered_days') }}
    where {{ in_changed_months('date_day') }}
    group by organization_id, integration_id, platform, account_id, date_day

)

-- An ad counts against its account only where no campaign report stands between the two.
select
    cast(levels.organization_id as LowCardinality(String)) as organization_id,
    cast(levels.integration_id as LowCardinality(String)) as integration_id,
    cast(levels.platform as LowCardinality(String)) as platform,
    cast(levels.account_id as String) as account_id,
    cast(if(part.1 = 'account_residual', '', levels.campaign_id) as String) as campaign_id,
    cast(if(part.1 = 'ad', levels.ad_group_id, '') as String) as ad_group_id,
    cast(if(part.1 = 'ad', levels.ad_id, '') as String) as ad_id,
    cast(levels.date_day as Date) as date_day,
    cast(part.1 as LowCardinality(String)) as level_of_row,
    cast(sum(part.2 * levels.impressions) as Int64) as impressions,
    cast(sum(part.2 * levels.clicks) as Int64) as clicks,
    cast(sum(part.2 * levels.spend) as Decimal(18, 6)) as spend,
    cast(sum(part.2 * levels.conversions) as Decimal(18, 6)) as conversions,
    cast(sum(part.2 * levels.conversions_value) as Decimal(18, 6)) as conversions_value,
    cast(levels.currency_code as LowCardinality(String)) as currency_code,
    cast(levels.vat_included as Bool) as vat_included
from levels
left join covered using (organization_id, integration_id, platform, account_id, date_day)
array join arrayFilter(part -> part.2 != 0, multiIf(
    level = 'ad', [
        ('ad', 1),
        ('campaign_residual', -toInt8(ifNull(campaigns_pulled, 0))),
        ('account_residual', -toInt8(ifNull(account_pulled, 0) and not ifNull(campaigns_pulled, 0)))
    ],
    level = 'campaign', [('campaign_residual', 1), ('account_residual', -toInt8(ifNull(account_pulled, 0)))],
    [('account_residual', 1)]
)) as part
group by all
having level_of_row = 'ad'
    or sum(part.2 * levels.impressions) != 0
    or sum(part.2 * levels.clicks) != 0
    or sum(part.2 * levels.spend) != 0
    or sum(part.2 * levels.conversions) != 0
    or sum(part.2 * levels.conversions_value) != 0
