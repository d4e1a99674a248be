-- Ads by day with what tells a tired creative: impressions so far, and clicks per impression of the last seven days beside the
-- first seven. Ads are seen with the numbers known up to their day only. Videos have what hook and hold rates are made of.
with ads as (

    select
        organization_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day, currency_code,
        sum(facts.impressions) as day_impressions, sum(facts.clicks) as day_clicks, sum(facts.spend) as day_spend,
        sum(facts.conversions) as day_conversions, sum(facts.conversions_value) as day_value
    from {{ ref('fct_ad_performance_daily') }} as facts
    where level_of_row = 'ad' and ad_id != ''
    group by organization_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day, currency_code

),

aged as (

    select
        *,
        min(date_day) over life as first_day,
        sum(day_impressions) over so_far as impressions_to_date,
        sum(day_impressions) over last_week as recent_impressions,
        sum(day_clicks) over last_week as recent_clicks
    from ads
    window
        life as (
            partition by organization_id, platform, account_id, ad_id order by date_day rows between unbounded preceding and unbounded following
        ),
        so_far as (partition by organization_id, platform, account_id, ad_id order by date_day range between unbounded preceding and current row),
        last_week as (partition by organization_id, platform, account_id, ad_id order by date_day range between 6 preceding and current row)

),

begun as (

    select
        *,
        sumIf(day_impressions, date_day < first_day + 7) over so_far as early_impressions,
        sumIf(day_clicks, date_day < first_day + 7) over so_far as early_clicks
    from aged
    window so_far as (partition by organization_id, platform, account_id, ad_id order by date_day range between unbounded preceding and current row)

),

videos as (

    select
        organization_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day,
        toNullable(sum(facts.video_plays)) as day_plays, sum(facts.thruplays) as day_thruplays, toNullable(sum(facts.followed_plays)) as day_followed
    from {{ ref('fct_video_daily') }} as facts
    group by organization_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(campaign_id as String) as campaign_id,
    cast(ad_group_id as String) as ad_group_id,
    cast(ad_id as String) as ad_id,
    cast(date_day as Date) as date_day,
    cast(day_impressions as Int64) as impressions,
    cast(day_clicks as Int64) as clicks,
    cast(day_spend as Decimal(18, 6)) as spend,
    cast(day_conversions as Decimal(18, 6)) as conversions,
    cast(day_value as Decimal(18, 6)) as conversions_value,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(dateDiff('day', first_day, date_day) as Int64) as age_days,
    cast(impressions_to_date as Int64) as impressions_to_date,
    cast(recent_clicks / nullIf(recent_impressions, 0) as Nullable(Float64)) as recent_ctr,
    cast(early_clicks / nullIf(early_impressions, 0) as Nullable(Float64)) as early_ctr,
    cast(if(age_days < 14, null, recent_clicks / nullIf(recent_impressions, 0) / nullIf(early_clicks / nullIf(early_impressions, 0), 0)) as Nullable(Float64)) as fatigue,
    cast(day_plays as Nullable(Int64)) as video_plays,
    cast(day_thruplays as Nullable(Int64)) as thruplays,
    cast(day_followed as Nullable(Int64)) as followed_plays
from begun
left join videos using (organization_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day)
