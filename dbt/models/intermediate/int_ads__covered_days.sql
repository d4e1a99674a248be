-- A day is covered at a level when a complete load answered for it, were it with no rows at all.
select
    organization_id,
    integration_id,
    extract(report, '^raw_(.+)__') as platform,
    account_id,
    replaceRegexpOne(extract(report, '__(account|campaign|ad_group|ad_?set|ad)_daily$'), '^ad_?set$', 'ad_group') as level,
    date as date_day
from {{ source('raw', 'pinned_slices') }}
where match(report, '__(account|campaign|ad_group|ad_?set|ad)_daily$')
