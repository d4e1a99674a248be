{{ config(
    materialized=stored('incremental'),
    incremental_strategy='insert_overwrite',
    partition_by=organization_month('date_day'),
    order_by=['organization_id', 'platform', 'account_id', 'date_day', 'campaign_id', 'ad_group_id', 'ad_id'],
    on_schema_change='fail',
    projections=[{'name': 'campaign_days', 'query': campaign_days()}],
) }}

-- Ads as reported, and a residual row wherever an ad group, a campaign or an account reports more than its parts (Performance
-- Max, master campaigns) or less (parts restated or vanished): so ads + residual = ad group, ad groups + residual = campaign, …
-- One pass over the levels: each row counts for itself and against the next level above that was pulled for the day.
with levels as (

    select
        organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day, 'ad' as level,
        impressions, clicks, spend, conversions, conversions_value, currency_code, vat_included
    from {{ ref('int_ads__ad_daily') }}
    where {{ in_changed_months('date_day') }}

    union all

    select
        organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, '' as ad_id, date_day, 'ad_group' as level,
        impressions, clicks, spend, conversions, conversions_value, currency_code, vat_included
    from {{ ref('int_ads__ad_group_daily') }}
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
        max(level = 'ad_group') as ad_groups_pulled,
        max(level = 'campaign') as campaigns_pulled,
        max(level = 'account') as account_pulled
    from {{ ref('int_ads__covered_days') }}
    where {{ in_changed_months('date_day') }}
    group by organization_id, integration_id, platform, account_id, date_day

),

-- An ad outside of any ad group counts against its campaign. A row counts against a level only where no pulled one stands between.
placed as (

    select
        levels.*,
        levels.ad_group_id != '' and ifNull(ad_groups_pulled, 0) as in_ad_groups,
        ifNull(campaigns_pulled, 0) as in_campaigns,
        ifNull(account_pulled, 0) as in_account
    from levels
    left join covered using (organization_id, integration_id, platform, account_id, date_day)

)

select
    cast(placed.organization_id as LowCardinality(String)) as organization_id,
    cast(placed.integration_id as LowCardinality(String)) as integration_id,
    cast(placed.platform as LowCardinality(String)) as platform,
    cast(placed.account_id as String) as account_id,
    cast(if(part.1 = 'account_residual', '', placed.campaign_id) as String) as campaign_id,
    cast(if(part.1 in ('ad', 'ad_group_residual'), placed.ad_group_id, '') as String) as ad_group_id,
    cast(if(part.1 = 'ad', placed.ad_id, '') as String) as ad_id,
    cast(placed.date_day as Date) as date_day,
    cast(part.1 as LowCardinality(String)) as level_of_row,
    cast(sum(part.2 * placed.impressions) as Int64) as impressions,
    cast(sum(part.2 * placed.clicks) as Int64) as clicks,
    cast(sum(part.2 * placed.spend) as Decimal(18, 6)) as spend,
    cast(sum(part.2 * placed.conversions) as Decimal(18, 6)) as conversions,
    cast(sum(part.2 * placed.conversions_value) as Decimal(18, 6)) as conversions_value,
    cast(placed.currency_code as LowCardinality(String)) as currency_code,
    cast(placed.vat_included as Bool) as vat_included
from placed
array join arrayFilter(part -> part.2 != 0, multiIf(
    level = 'ad', [
        ('ad', 1),
        ('ad_group_residual', -toInt8(in_ad_groups)),
        ('campaign_residual', -toInt8(in_campaigns and not in_ad_groups)),
        ('account_residual', -toInt8(in_account and not in_campaigns and not in_ad_groups))
    ],
    level = 'ad_group', [
        ('ad_group_residual', 1),
        ('campaign_residual', -toInt8(in_campaigns)),
        ('account_residual', -toInt8(in_account and not in_campaigns))
    ],
    level = 'campaign', [('campaign_residual', 1), ('account_residual', -toInt8(in_account))],
    [('account_residual', 1)]
)) as part
group by all
having level_of_row = 'ad'
    or sum(part.2 * placed.impressions) != 0
    or sum(part.2 * placed.clicks) != 0
    or sum(part.2 * placed.spend) != 0
    or sum(part.2 * placed.conversions) != 0
    or sum(part.2 * placed.conversions_value) != 0
