{#
  Meta reports one conversion under several action types. Each family counts once, at the highest tier present:
  omni_* (all channels, deduplicated by Meta) > the aggregate (purchase, lead) > the specific types.
  Types of one channel are names of the same conversion, so their greatest counts; different channels add up.
#}
{% macro meta_conversion_families() %}
    {{ return([
        [
            [['omni_purchase']],
            [['purchase']],
            [
                ['offsite_conversion.fb_pixel_purchase', 'onsite_web_purchase', 'onsite_web_app_purchase'],
                ['app_custom_event.fb_mobile_purchase'],
                ['onsite_conversion.purchase', 'onsite_app_purchase'],
                ['offline_conversion.purchase'],
            ],
        ],
        [
            [['omni_lead']],
            [['lead']],
            [
                ['offsite_conversion.fb_pixel_lead', 'onsite_web_lead'],
                ['onsite_conversion.lead_grouped', 'onsite_conversion.lead', 'leadgen_grouped', 'leadgen.other'],
                ['offline_conversion.lead'],
            ],
        ],
    ]) }}
{% endmacro %}

{# Read [{"action_type": …, "value": "5"}, …] as an array of (type, value); the values stay exact. #}
{% macro meta_actions(column) -%}
    JSONExtract(ifNull({{ column }}, ''), 'Array(Tuple(action_type String, value Decimal(18, 6)))')
{%- endmacro %}

{# Count the conversions (or add up their values) in an array made by meta_actions. #}
{% macro meta_conversions(actions) -%}
    toDecimal64(
    {%- for tiers in meta_conversion_families() %}
        multiIf(
        {%- for channels in tiers %}
            {%- if not loop.last %}
            arrayExists(a -> a.1 in ('{{ channels | sum(start=[]) | join("', '") }}'), {{ actions }}), {% endif -%}
            {%- for types in channels -%}
                arrayMax(a -> if(a.1 in ('{{ types | join("', '") }}'), a.2, toDecimal64(0, 6)), {{ actions }})
                {%- if not loop.last %} + {% endif -%}
            {%- endfor -%}
            {%- if not loop.last %},{% endif -%}
        {%- endfor %}
        )
        {%- if not loop.last %} + {% endif -%}
    {%- endfor %}, 6)
{%- endmacro %}

{# Find an action type's place among the families: `family` (1 purchases, 2 leads, 0 none), `tier` or `channel` within it, each from 1. #}
{% macro meta_action_place(column, part) -%}
    {%- set places = [] %}
    {%- for tiers in meta_conversion_families() %}
        {%- set family = loop.index %}
        {%- for channels in tiers %}
            {%- set tier = loop.index %}
            {%- for types in channels %}
                {%- set channel = loop.index %}
                {%- for type in types %}
                    {%- do places.append({'type': type, 'family': family, 'tier': tier, 'channel': channel}) %}
                {%- endfor %}
            {%- endfor %}
        {%- endfor %}
    {%- endfor -%}
    transform({{ column }}, ['{{ places | map(attribute='type') | join("', '") }}'], [{{ places | map(attribute=part) | join(', ') }}], 0)
{%- endmacro %}

{# Tell how many minor units Meta counts to one unit of a currency: budgets come in minor units, spend in major ones. #}
{% macro meta_minor_units(currency) -%}
    multiIf(
        {{ currency }} in ('CLP', 'COP', 'CRC', 'HUF', 'IDR', 'ISK', 'JPY', 'KRW', 'PYG', 'TWD', 'VND'), 1,
        {{ currency }} in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'), 1000,
        100
    )
{%- endmacro %}

{# Read a report of insights in the marts' words, one conversion tier; `columns` are what it has beside keys and measures. #}
{% macro meta_insights(table, columns) %}
    select
        _organization_id as organization_id,
        _integration_id as integration_id,
        _account_id as account_id,
        _date as date_day,
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        {{ count_of('impressions') }} as impressions,
        {{ count_of('clicks') }} as clicks,
        {{ amount('spend') }} as spend,
        {{ meta_conversions('action_counts') }} as conversions,
        {{ meta_conversions('action_amounts') }} as conversions_value,
        account_currency as currency_code,
        false as vat_included
    from (
        select
            *,
            {{ meta_actions('actions') }} as action_counts,
            {{ meta_actions('action_values') }} as action_amounts
        from {{ current_rows(table) }}
    )
{% endmacro %}
