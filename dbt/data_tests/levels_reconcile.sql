-- Ad groups, campaigns and accounts come out of the fact exactly as the platform reports them, on every day that was pulled.
-- Nothing is joined, so a side that is missing is a difference too. Only the months that this build rewrote.
with told as (

    select 'account' as level, organization_id, integration_id, platform, account_id, '' as campaign_id, '' as ad_group_id, date_day, currency_code,
        impressions, clicks, spend, conversions, conversions_value
    from {{ ref('int_ads__account_daily') }}
    where {{ in_changed_months('date_day') }}

    union all

    select 'campaign' as level, organization_id, integration_id, platform, account_id, campaign_id, '' as ad_group_id, date_day, currency_code,
        impressions, clicks, spend, conversions, conversions_value
    from {{ ref('int_ads__campaign_daily') }}
    where {{ in_changed_months('date_day') }}

    union all

    select 'ad_group' as level, organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, date_day, currency_code,
        impressions, clicks, spend, conversions, conversions_value
    from {{ ref('int_ads__ad_group_daily') }}
    where {{ in_changed_months('date_day') }}

),

held as (

    select
        arrayJoin(multiIf(
            level_of_row = 'account_residual', ['account'],
            facts.ad_group_id = '', ['account', 'campaign'],
            ['account', 'campaign', 'ad_group']
        )) as level,
        organization_id, integration_id, platform, account_id, if(level = 'account', '', facts.campaign_id) as in_campaign_id,
        if(level = 'ad_group', facts.ad_group_id, '') as in_ad_group_id, date_day, currency_code,
        -impressions as less_impressions, -clicks as less_clicks, -spend as less_spend, -conversions as less_conversions, -conversions_value as less_value
    from {{ ref('fct_ad_performance_daily') }} as facts
    where {{ in_changed_months('date_day') }}

),

compared as (

    select * from told

    union all

    select * from held
    where (level, organization_id, integration_id, platform, account_id, date_day) in (
        select level, organization_id, integration_id, platform, account_id, date_day
        from {{ ref('int_ads__covered_days') }}
        where {{ in_changed_months('date_day') }}
    )

)

select
    level, organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, date_day, currency_code,
    sum(impressions) as more_impressions,
    sum(clicks) as more_clicks,
    sum(spend) as more_spend,
    sum(conversions) as more_conversions,
    sum(conversions_value) as more_value
from compared
group by level, organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, date_day, currency_code
having more_impressions != 0 or more_clicks != 0 or more_spend != 0 or more_conversions != 0 or more_value != 0
