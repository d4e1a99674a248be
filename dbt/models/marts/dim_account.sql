{{ config(materialized=stored('table'), order_by=['organization_id', 'platform', 'account_id']) }}

with snapshots as (
{% for platform in ad_platforms('accounts') + analytics_platforms() %}
    select organization_id, integration_id, {{ platform_of(platform) }} as platform, account_id, account_name, currency_code, timezone, observed_day
    from {{ ref('stg_' ~ platform ~ '__accounts') }}
    {% if not loop.last %}
    union all
    {% endif %}
{%- endfor %}
)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(argMax(snapshots.integration_id, (observed_day, snapshots.integration_id)) as LowCardinality(String)) as integration_id,
    cast(argMax(snapshots.account_name, (observed_day, snapshots.integration_id)) as String) as account_name,
    cast(argMax(snapshots.currency_code, (observed_day, snapshots.integration_id)) as LowCardinality(String)) as currency_code,
    cast(argMax(snapshots.timezone, (observed_day, snapshots.integration_id)) as LowCardinality(String)) as timezone
from snapshots
group by organization_id, platform, account_id
