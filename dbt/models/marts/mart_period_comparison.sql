{% set moved = {
    'day': [('dod', '[started + 1]'), ('wow', '[started + 7]'), ('yoy_weekday', '[started + 364]'),
            ('yoy_calendar', 'arrayFilter(t -> addYears(t, -1) = started, [addYears(started, 1), addYears(started, 1) + 1])')],
    'week': [('wow', '[started + 7]'), ('yoy_weekday', '[started + 364]')],
    'month': [('mom', '[addMonths(started, 1)]'), ('yoy_calendar', '[addYears(started, 1)]')],
} %}
{% set measures = ['impressions', 'clicks', 'spend', 'conversions', 'conversions_value'] %}
-- Campaigns' days, weeks (from Monday) and months beside the period before, and beside a year ago by date and by weekday. What
-- ended or began in between stands with nothing on the other side. A share over nothing is NULL.
with days as (

    select
        organization_id, platform, account_id, campaign_id, currency_code, date_day,
        {%- for measure in measures %}
        sum(facts.{{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('fct_ad_performance_daily') }} as facts
    group by organization_id, platform, account_id, campaign_id, currency_code, date_day

),

periods as (

    select
        organization_id, platform, account_id, campaign_id, currency_code,
        arrayJoin([('day', date_day), ('week', toMonday(date_day)), ('month', toStartOfMonth(date_day))]) as named,
        named.1 as period, named.2 as started,
        {%- for measure in measures %}
        sum(days.{{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from days
    group by organization_id, platform, account_id, campaign_id, currency_code, named

),

covered as (

    select
        organization_id, platform, account_id,
        arrayJoin([('day', date_day), ('week', toMonday(date_day)), ('month', toStartOfMonth(date_day))]) as named,
        named.1 as period, named.2 as started,
        uniqExactIf(date_day, is_complete) = multiIf(period = 'day', 1, period = 'week', 7, toDayOfMonth(toLastDayOfMonth(started))) as is_whole
    from {{ ref('mart_provisional_days') }}
    group by organization_id, platform, account_id, named

),

-- Each period counts for itself, and as the one before for the periods that are compared with it.
sides as (

    select
        organization_id, platform, account_id, campaign_id, currency_code, period, toNullable(started) as previous_started, {{ measures | join(', ') }},
        arrayJoin(multiIf(
            {%- for period, comparisons in moved.items() %}
            {%- if not loop.last %}
            period = '{{ period }}',{% endif %} arrayConcat(
                {%- for comparison, targets in comparisons %}
                [('{{ comparison }}', started, 1)], arrayMap(target -> ('{{ comparison }}', target, 0), {{ targets }}){{ ',' if not loop.last }}
                {%- endfor %}
            ){{ ',' if not loop.last }}
            {%- endfor %}
        )) as placed,
        placed.1 as comparison, placed.2 as compared_start, placed.3 as is_current
    from periods

),

compared as (

    select
        organization_id, platform, account_id, campaign_id, currency_code, period, comparison, compared_start as started,
        anyIf(sides.previous_started, is_current = 0) as previous_start,
        max(is_current) = 1 and min(is_current) = 0 as is_on_both_sides,
        {%- for measure in measures %}
        sumIf(sides.{{ measure }}, is_current = 1) as {{ measure }},
        sumIf(sides.{{ measure }}, is_current = 0) as previous_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from sides
    group by organization_id, platform, account_id, campaign_id, currency_code, period, comparison, compared_start

)

select
    cast(compared.organization_id as LowCardinality(String)) as organization_id,
    cast(compared.platform as LowCardinality(String)) as platform,
    cast(compared.account_id as String) as account_id,
    cast(compared.campaign_id as String) as campaign_id,
    cast(compared.currency_code as LowCardinality(String)) as currency_code,
    cast(compared.period as LowCardinality(String)) as period,
    cast(compared.comparison as LowCardinality(String)) as comparison,
    cast(compared.started as Date) as date_day,
    cast(is_on_both_sides and now_covered.is_whole and ifNull(then_covered.is_whole, 0) as Bool) as is_like_for_like,
    {%- for measure in measures %}
    {%- set type = 'Int64' if measure in ('impressions', 'clicks') else 'Decimal(18, 6)' %}
    cast(compared.{{ measure }} as {{ type }}) as {{ measure }},
    cast(compared.previous_{{ measure }} as {{ type }}) as previous_{{ measure }},
    cast(if(compared.previous_{{ measure }} = 0, null, (toFloat64(compared.{{ measure }}) - toFloat64(compared.previous_{{ measure }})) / toFloat64(compared.previous_{{ measure }})) as Nullable(Float64)) as {{ measure }}_change{{ ',' if not loop.last }}
    {%- endfor %}
from compared
inner join covered as now_covered
    on compared.organization_id = now_covered.organization_id and compared.platform = now_covered.platform and compared.account_id = now_covered.account_id
    and compared.period = now_covered.period and compared.started = now_covered.started
left join covered as then_covered
    on compared.organization_id = then_covered.organization_id and compared.platform = then_covered.platform and compared.account_id = then_covered.account_id
    and compared.period = then_covered.period and compared.previous_start = then_covered.started
