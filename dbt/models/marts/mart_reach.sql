-- People reached by day, once for each level that counts them: a campaign's people are fewer than its ads' together.
select
    cast(reached.organization_id as LowCardinality(String)) as organization_id,
    cast(reached.integration_id as LowCardinality(String)) as integration_id,
    cast('meta_ads' as LowCardinality(String)) as platform,
    cast(reached.account_id as String) as account_id,
    cast(reached.level as LowCardinality(String)) as level,
    cast(reached.campaign_id as String) as campaign_id,
    cast(reached.ad_group_id as String) as ad_group_id,
    cast(reached.ad_id as String) as ad_id,
    cast(reached.date_day as Date) as date_day,
    cast(reached.impressions as Int64) as impressions,
    cast(reached.people as Int64) as reach,
    cast(toFloat64(reached.impressions) / nullIf(toFloat64(reached.people), 0) as Nullable(Float64)) as frequency
from {{ ref('stg_meta_ads__reach_daily') }} as reached
