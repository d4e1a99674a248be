{{ config(
    materialized=stored('incremental'),
    incremental_strategy='insert_overwrite',
    partition_by=organization_month('date_day'),
    order_by=['organization_id', 'platform', 'account_id', 'date_day', 'campaign_id', 'ad_group_id', 'ad_id'],
    on_schema_change='fail',
) }}

-- Video ads by day: how many impressions became 3-second plays, and how many of those ThruPlays.
select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(campaign_id as String) as campaign_id,
    cast(ad_group_id as String) as ad_group_id,
    cast(ad_id as String) as ad_id,
    cast(date_day as Date) as date_day,
    cast(videos.impressions as Int64) as impressions,
    cast(videos.plays as Int64) as video_plays,
    cast(videos.thruplays as Nullable(Int64)) as thruplays,
    cast(if(videos.thruplays is null, 0, videos.plays) as Int64) as followed_plays
from {{ ref('int_ads__video_daily') }} as videos
where {{ in_changed_months('date_day') }}
