{# Turn a count of Metrica's, a double that a sample can make fractional, into Int64; absent counts as nothing. #}
{% macro metrica_count(expression) -%}
    toInt64(round(ifNull({{ expression }}, 0)))
{%- endmacro %}

{# Say in a word each what Metrica's answer doubts: a sample, rare rows hidden. #}
{% macro metrica_doubts() -%}
    arrayStringConcat(arrayFilter(doubt -> doubt != '', [if(sampled, 'sampled', ''), if(contains_sensitive_data, 'hidden_rows', '')]), ', ')
{%- endmacro %}

{# Name the source: the tag, else the engine, site or network that sent the visit; Metrica has none for direct visits. #}
{% macro metrica_source(utm_source, traffic_source, engine) -%}
    multiIf(
        isNotNull({{ utm_source }}), assumeNotNull({{ utm_source }}),
        ifNull({{ traffic_source }}, '') = 'direct', '(direct)',
        ifNull({{ traffic_source }}, '') = '', '',
        {{ engine }}
    )
{%- endmacro %}

{# Name the medium: the tag, else the kind of traffic source in the words that web analytics share. #}
{% macro metrica_medium(utm_source, utm_medium, utm_campaign, traffic_source) -%}
    multiIf(
        isNotNull({{ utm_source }}) or isNotNull({{ utm_medium }}) or isNotNull({{ utm_campaign }}), ifNull({{ utm_medium }}, ''),
        ifNull({{ traffic_source }}, '') = 'direct', '(none)',
        ifNull({{ traffic_source }}, '') = 'undefined', '',
        ifNull({{ traffic_source }}, '')
    )
{%- endmacro %}

{# Name the campaign: the tag, else the word that stands for none. #}
{% macro metrica_campaign(utm_source, utm_medium, utm_campaign, traffic_source) -%}
    multiIf(
        isNotNull({{ utm_source }}) or isNotNull({{ utm_medium }}) or isNotNull({{ utm_campaign }}), ifNull({{ utm_campaign }}, ''),
        ifNull({{ traffic_source }}, '') in ('organic', 'direct', 'referral'), concat('(', assumeNotNull({{ traffic_source }}), ')'),
        ''
    )
{%- endmacro %}
