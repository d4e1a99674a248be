{#
  Replace the adapter's strategy, which leaves a partition standing when the model gives no row for it any more.
  Every partition that the build names is replaced, in one statement, be it by nothing; so are those found only in the new rows.
#}
{% macro clickhouse__incremental_insert_overwrite(existing_relation, partition_by, is_distributed=False) %}
    {% set new_rows = existing_relation.incorporate(path={'identifier': existing_relation.identifier ~ '__dbt_new_data_' ~ invocation_id.replace('-', '_')}) %}
    {% set shard_rows = existing_relation.incorporate(path={'identifier': existing_relation.identifier ~ '__dbt_distributed_new_data'}) %}
    {% set shard_table = existing_relation.incorporate(path={
        'identifier': this.identifier ~ adapter.get_clickhouse_local_suffix(),
        'schema': adapter.get_clickhouse_local_db_prefix() ~ this.schema,
    }) %}
    {{ drop_relation_if_exists(new_rows) }}

    {% if is_distributed %}
        {{ create_distributed_local_table(shard_rows, new_rows, existing_relation, sql) }}
    {% else %}
        {% call statement('main') %}
            {{ get_create_table_as_sql(False, new_rows, sql) }}
        {% endcall %}
    {% endif %}

    {% set partitions %}
        select distinct partition_id
        from {{ 'cluster(' ~ adapter.get_clickhouse_cluster_name() ~ ', system.parts)' if is_distributed else 'system.parts' }}
        where active and database = '{{ new_rows.schema }}' and table = '{{ new_rows.identifier }}'
        union distinct
        select {{ 'partition_id' if 'organization_id' in partition_by else 'toString(month)' }} from {{ source('raw', 'pinned_parts') }}
    {% endset %}
    {% set changed = run_query(partitions).rows | map(attribute=0) | list if execute else [] %}

    {% if changed %}
        {% call statement('replace_partitions') %}
            alter table {{ shard_table if is_distributed else existing_relation }} {{ on_cluster_clause(existing_relation) if is_distributed }}
            {%- for partition in changed %}
                replace partition id '{{ partition }}' from {{ new_rows }}
                {{- ', ' if not loop.last }}
            {%- endfor %}
            {%- if adapter.is_at_or_after_version('26.6') %}
                settings allow_replace_partition_from_empty_source = 1
            {%- endif %}
        {% endcall %}
    {% endif %}

    {% do adapter.drop_relation(shard_rows) %}
    {% do adapter.drop_relation(new_rows) %}
{% endmacro %}
