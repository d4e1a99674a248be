{# Sum up who owns which account, as text: equal text, equal assignments. #}
{% macro assignments_signature() -%}
    select hex(MD5(toString(arraySort(groupArray((organization_id, project_id, platform, account_id, since, until)))))) from {{ ref('dim_account_project') }}
{%- endmacro %}

{# Tell whether accounts moved between projects since `this` was built; its table comment keeps what it was built with. #}
{% macro assignments_changed() %}
    {% if not execute or flags.WHICH not in ('run', 'build') or config.get('meta', {}).get('follows_assignments') is not true %}
        {{ return(false) }}
    {% endif %}
    {% set query %}
        select count()
        from system.tables
        where database = '{{ this.schema }}' and name = '{{ this.identifier }}' and comment != ({{ assignments_signature() }})
    {% endset %}
    {{ return(run_query(query).columns[0].values()[0] > 0) }}
{% endmacro %}

{# Rebuild a model whole when asked to, and when the assignments behind all of its months changed. #}
{% macro should_full_refresh() %}
    {% set configured = config.get('full_refresh') %}
    {% if configured is not none %}
        {{ return(configured) }}
    {% endif %}
    {{ return(flags.FULL_REFRESH or assignments_changed()) }}
{% endmacro %}

{# Note in the table's comment which assignments it was built with. #}
{% macro remember_assignments() -%}
    {%- if execute -%}
    alter table {{ this }} {{ on_cluster_clause(this) }} modify comment '{{ run_query(assignments_signature()).columns[0].values()[0] }}'
    {%- endif -%}
{%- endmacro %}
