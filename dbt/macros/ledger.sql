{# Read the rows of a raw table that the pinned build holds to be current: a view of the ledger, named in the sources. #}
{% macro current_rows(table) -%}
    {{ source('raw', table) }}
{%- endmacro %}

{# Partition a mart so that one organization's rows are rewritten without everybody's: a bucket of organizations, and a month. #}
{% macro organization_month(column) -%}
    (toUInt8(cityHash64(organization_id) % 16), toYYYYMM({{ column }}))
{%- endmacro %}

{#
  Keep what this build must rewrite: the months of the organizations whose slices changed (all of them on a full build), together
  with the organizations that share their bucket. `by_month` takes whole months, of every organization.
  It stands in every incremental model, also on the first run, so that one SQL serves builds and as-of views.
#}
{% macro in_changed_months(column, by_month=false) -%}
    {%- if by_month -%}
    toYYYYMM({{ column }}) in (select month from {{ source('raw', 'pinned_parts') }})
    {%- else -%}
    (organization_id, toYYYYMM({{ column }})) in (select organization_id, partition from {{ source('raw', 'pinned_partitions') }})
    {%- endif -%}
{%- endmacro %}
