-- People reached, as Meta counts them anew for each entity and day: no sum of parts. What Meta leaves out is unknown, not zero.
{% set levels = {
    'account': ['raw_meta_ads__account_daily', []],
    'campaign': ['raw_meta_ads__campaign_daily', ['campaign_id']],
    'ad_group': ['raw_meta_ads__ad_set_daily', ['campaign_id', 'ad_group_id']],
    'ad': ['raw_meta_ads__ad_daily', ['campaign_id', 'ad_group_id', 'ad_id']],
} %}
{% set columns = {'campaign_id': 'campaign_id', 'ad_group_id': 'adset_id', 'ad_id': 'ad_id'} %}
{% for level, (table, ids) in levels.items() %}
select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    '{{ level }}' as level,
    {%- for id, column in columns.items() %}
    {{ column if id in ids else "''" }} as {{ id }},
    {%- endfor %}
    _date as date_day,
    {{ count_of('impressions') }} as impressions,
    assumeNotNull(delivered.reach) as people
from {{ current_rows(table) }} as delivered
where delivered.reach is not null
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
