{{ config(materialized='view') }}

-- What every load said of each account's day, not only the winner: the history that restatements are read from.
{% set platforms = {
    'google_ads': ['metrics_impressions', 'metrics_clicks', micros('metrics_cost_micros'), amount('metrics_conversions'), amount('metrics_conversions_value')],
    'meta_ads': ['impressions', 'clicks', amount('spend'), meta_conversions(meta_actions('actions')), meta_conversions(meta_actions('action_values'))],
    'yandex_direct': ['Impressions', 'Clicks', amount('Cost'), amount('Conversions'), amount('Revenue')],
} %}
with loads as (

    select
        organization_id, integration_id, platform, account_id, observed_at, account_today, load_id,
        slice.1 as date_day, slice.2 as rows_load
    from {{ source('raw', 'loads') }}
    array join arrayZip(dates, rows_load_id) as slice
    where match(report, '__account_daily$')

),

told as (
{% for platform, measures in platforms.items() %}
    select
        '{{ platform }}' as platform, _organization_id as organization_id, _integration_id as integration_id, _account_id as account_id,
        _date as date_day, _load_id as rows_load,
        toDecimal64(sum({{ count_of(measures[0]) }}), 6) as impressions, toDecimal64(sum({{ count_of(measures[1]) }}), 6) as clicks,
        toDecimal64(sum({{ measures[2] }}), 6) as spend, toDecimal64(sum({{ measures[3] }}), 6) as conversions,
        toDecimal64(sum({{ measures[4] }}), 6) as conversions_value
    from {{ source('raw', 'raw_' ~ platform ~ '__account_daily__loads') }} as delivered
    group by organization_id, integration_id, account_id, date_day, rows_load
    {% if not loop.last %}union all{% endif %}
{% endfor %}
)

select
    loads.organization_id as organization_id, loads.integration_id as integration_id, loads.platform as platform, loads.account_id as account_id,
    loads.date_day as date_day, loads.load_id as load_id, observed_at, dateDiff('day', loads.date_day, account_today) as age_days,
    {%- for measure in ['impressions', 'clicks', 'spend', 'conversions', 'conversions_value'] %}
    ifNull(told.{{ measure }}, toDecimal64(0, 6)) as {{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
from loads
left join told using (organization_id, integration_id, platform, account_id, date_day, rows_load)
