-- Accounts, campaigns, ad groups and ads as each observed day's snapshots show them.
with accounts as (
{% for platform in ad_platforms('accounts') %}
    select
        organization_id, integration_id, {{ platform_of(platform) }} as platform, account_id, observed_day, 'account' as level, account_id as entity_id,
        '' as campaign_id, '' as ad_group_id, account_name as name, '' as status, cast(null as Nullable(Decimal(18, 6))) as daily_budget, currency_code, timezone
    from {{ ref('stg_' ~ platform ~ '__accounts') }}
    {% if not loop.last %}union all{% endif %}
{% endfor %}
),

campaigns as (
{{ staged('campaigns', {
    'campaign_id': 'String', 'campaign_name': 'String', 'status': 'String', 'daily_budget': 'Nullable(Decimal(18, 6))', 'currency_code': 'String', 'observed_day': 'Date',
}) }}
),

ad_groups as (
{{ staged('ad_groups', {'campaign_id': 'String', 'ad_group_id': 'String', 'ad_group_name': 'String', 'status': 'String', 'observed_day': 'Date'}) }}
),

ads as (
{{ staged('ads', {'campaign_id': 'String', 'ad_group_id': 'String', 'ad_id': 'String', 'ad_name': 'String', 'status': 'String', 'observed_day': 'Date'}) }}
)

select organization_id, integration_id, platform, account_id, observed_day, level, entity_id, campaign_id, ad_group_id, name, status, daily_budget, currency_code, timezone
from accounts

union all

select organization_id, integration_id, platform, account_id, observed_day, 'campaign' as level, campaign_id as entity_id, campaign_id, '' as ad_group_id, campaign_name as name, status, daily_budget, currency_code, '' as timezone
from campaigns

union all

select organization_id, integration_id, platform, account_id, observed_day, 'ad_group' as level, ad_group_id as entity_id, campaign_id, ad_group_id, ad_group_name as name, status, cast(null as Nullable(Decimal(18, 6))) as daily_budget, '' as currency_code, '' as timezone
from ad_groups

union all

select organization_id, integration_id, platform, account_id, observed_day, 'ad' as level, ad_id as entity_id, campaign_id, ad_group_id, ad_name as name, status, cast(null as Nullable(Decimal(18, 6))) as daily_budget, '' as currency_code, '' as timezone
from ads
