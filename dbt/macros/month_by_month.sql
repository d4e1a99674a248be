{# Split what a build rewrites into runs of months of at most so many raw rows, so that a long history fits into memory. #}
{% macro month_batches(most_rows=1000000) %}
    {% set counts %}
        select toYYYYMM(date) as month, sum(row_count) as row_count
        from {{ source('raw', 'pinned_slices') }}
        where {{ in_changed_months('date') }}
        group by month
        order by month
    {% endset %}
    {% set found = namespace(batches=[[]], rows=0) %}
    {% for month, row_count in run_query(counts).rows %}
        {% if found.batches[-1] and found.rows + row_count > most_rows %}
            {% do found.batches.append([]) %}
            {% set found.rows = 0 %}
        {% endif %}
        {% do found.batches[-1].append(month) %}
        {% set found.rows = found.rows + row_count %}
    {% endfor %}
    {{ return(found.batches) }}
{% endmacro %}

{# Let a statement see only some months of what the build rewrites. #}
{% macro of_months(sql, months) %}
    {% set listed = months | join(', ') %}
    {% set sql = sql | replace(source('raw', 'pinned_partitions') | string, '(select organization_id, partition from raw.pinned_partitions where partition in (' ~ listed ~ '))') %}
    {{ return(sql | replace(source('raw', 'pinned_parts') | string, '(select bucket, month from raw.pinned_parts where month in (' ~ listed ~ '))')) }}
{% endmacro %}

{# Fill a new table as the adapter does; an incremental model with a long history month by month, in as many inserts. #}
{% macro clickhouse__create_table_as(temporary, relation, sql) -%}
    {% set has_contract = config.get('contract').enforced %}
    {{ clickhouse__create_empty_table(temporary, relation, sql, has_contract) }}
    {%- if not temporary %}
        {%- set batches = month_batches() if execute and config.get('materialized') in ('incremental', 'distributed_incremental') and ' in (select ' in sql else [[]] %}
        {%- if batches | length > 1 %}
            {%- for months in batches[:-1] %}
                {%- call statement('insert_months') %}
                    {{ clickhouse__insert_into(relation, of_months(sql, months), has_contract) }}
                {%- endcall %}
            {%- endfor %}
            {{ clickhouse__insert_into(relation, of_months(sql, batches[-1]), has_contract) }}
        {%- else %}
            {{ clickhouse__insert_into(relation, sql, has_contract) }}
        {%- endif %}
    {%- endif %}
{%- endmacro %}
