-- A day is covered at a level when a complete load answered for it, were it with no rows at all.
-- An integration of imported files has one channel, which its accounts name.
with covered as (

    select
        organization_id,
        integration_id,
        extract(report, '^raw_(.+)__') as folder,
        account_id,
        replaceRegexpOne(extract(report, '__(account|campaign|ad_group|ad_?set|ad)_daily$'), '^ad_?set$', 'ad_group') as level,
        date as date_day
    from {{ source('raw', 'pinned_slices') }}
    where match(report, '__(account|campaign|ad_group|ad_?set|ad)_daily$')

),

channels as (

    select organization_id, integration_id, 'imports' as folder, any(platform) as channel
    from {{ ref('stg_imports__accounts') }}
    group by organization_id, integration_id

)

select
    covered.organization_id as organization_id,
    covered.integration_id as integration_id,
    ifNull(channels.channel, covered.folder) as platform,
    account_id,
    level,
    date_day
from covered
left join channels using (organization_id, integration_id, folder)
