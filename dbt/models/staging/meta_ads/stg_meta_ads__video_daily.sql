-- Ads that were watched: 3-second plays (`video_view` among the actions) and ThruPlays. An absent ThruPlay is none where the account's
-- day tells of any ad's; otherwise, as on days pulled before they were asked for, it is unknown.
with reported as (

    select
        *,
        {{ meta_actions('actions') }} as action_counts,
        {{ meta_actions('video_thruplay_watched_actions') }} as watched,
        max(video_thruplay_watched_actions is not null) over (partition by _organization_id, _integration_id, _account_id, _date) as tells_thruplays
    from {{ current_rows('raw_meta_ads__ad_daily') }}

),

counted as (

    select
        *,
        arraySum(a -> if(a.1 = 'video_view', a.2, toDecimal64(0, 6)), action_counts) as seen,
        arraySum(a -> if(a.1 = 'video_view', a.2, toDecimal64(0, 6)), watched) as through
    from reported

)

select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    campaign_id,
    adset_id as ad_group_id,
    ad_id,
    _date as date_day,
    {{ count_of('impressions') }} as impressions,
    toInt64(seen) as plays,
    if(tells_thruplays, toInt64(through), null) as thruplays
from counted
where seen != 0 or through != 0
