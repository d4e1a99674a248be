{# Write one partition expression as it stands, without the adapter's brackets, so that the table says what its owner's schema says. #}
{% macro partition_cols(label) %}
    {%- set columns = config.get('partition_by') -%}
    {%- if columns is string %}
        {{ label }} {{ columns }}
    {%- elif columns is not none %}
        {{ label }} ({{ columns | join(', ') }})
    {%- endif %}
{%- endmacro %}
