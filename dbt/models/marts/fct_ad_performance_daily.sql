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

),

-- An ad counts against its account only where no campaign report stands between the two.
counted as (

    select
        levels.*,
        arrayJoin(arrayFilter(part -> part.2 != 0, multiIf(
            level = 'ad', [
                ('ad', 1),
                ('campaign_residual', -toInt8(ifNull(campaigns_pulled, 0))),
                ('account_residual', -toInt8(ifNull(account_pulled, 0) and not ifNull(campaigns_pulled, 0)))
            ],
            level = 'campaign', [('campaign_residual', 1), ('account_residual', -toInt8(ifNull(account_pulled, 0)))],
            [('account_residual', 1)]
        ))) as part
    from levels
    left join covered using (organization_id, integration_id, platform, account_id, date_day)

),

placed as (

    select
        organization_id, integration_id, platform, account_id, date_day, currency_code, vat_included,
        part.1 as level_of_row,
        if(level_of_row = 'account_residual', '', campaign_id) as in_campaign_id,
        if(level_of_row = 'ad', ad_group_id, '') as in_ad_group_id,
        if(level_of_row = 'ad', ad_id, '') as in_ad_id,
        part.2 * impressions as impressions,
        part.2 * clicks as clicks,
        part.2 * spend as spend,
        part.2 * conversions as conversions,
        part.2 * conversions_value as conversions_value
    from counted

),

summed as (

    select
        organization_id, integration_id, platform, account_id, in_campaign_id, in_ad_group_id, in_ad_id, date_day, currency_code, vat_included, level_of_row,
        sum(impressions) as all_impressions,
        sum(clicks) as all_clicks,
        sum(spend) as all_spend,
        sum(conversions) as all_conversions,
        sum(conversions_value) as all_conversions_value
    from placed
    group by organization_id, integration_id, platform, account_id, in_campaign_id, in_ad_group_id, in_ad_id, date_day, currency_code, vat_included, level_of_row

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(in_campaign_id as String) as campaign_id,
    cast(in_ad_group_id as String) as ad_group_id,
    cast(in_ad_id as String) as ad_id,
    cast(date_day as Date) as date_day,
    cast(level_of_row as LowCardinality(String)) as level_of_row,
    cast(all_impressions as Int64) as impressions,
    cast(all_clicks as Int64) as clicks,
    cast(all_spend as Decimal(18, 6)) as spend,
    cast(all_conversions as Decimal(18, 6)) as conversions,
    cast(all_conversions_value as Decimal(18, 6)) as conversions_value,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(vat_included as Bool) as vat_included
from summed
where level_of_row = 'ad' or impressions != 0 or clicks != 0 or spend != 0 or conversions != 0 or conversions_value != 0
