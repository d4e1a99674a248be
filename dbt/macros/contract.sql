{#- dbt's contract check asks the adapter for an answer of no rows, which the server plans in full. Describing the query says the same
    of names and types for half of the work, and long nested views make that seconds of every build. -#}
{% macro clickhouse__get_assert_columns_equivalent(sql) -%}
    {%- set declared = model['columns'].values() | list -%}
    {%- set settings = [] -%}
    {%- for name, value in (config.get('query_settings', {}) or {}).items() -%}
        {%- do settings.append(name ~ ' = ' ~ value) -%}
    {%- endfor -%}
    {%- set described = run_query('describe table (\n' ~ sql ~ '\n)' ~ (' settings ' ~ settings | join(', ') if settings else '')) -%}
    {%- set found, types = [], {} -%}
    {%- for row in described.rows -%}
        {%- do found.append({'name': row['name'], 'data_type': row['type']}) -%}
        {%- do types.update({row['name']: row['type']}) -%}
    {%- endfor -%}
    {%- for column in declared -%}
        {%- if types.get(column['name']) != column['data_type'] -%}
            {%- do exceptions.raise_contract_error(declared, found) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not declared or declared | length != found | length -%}
        {%- do exceptions.raise_contract_error(declared, found) -%}
    {%- endif -%}
{%- endmacro %}
