{# How many days a rate is carried over: the longest holidays between two fixings, and no further; then a rate is missing. #}
{% macro fx_carried_days() -%}
    14
{%- endmacro %}
