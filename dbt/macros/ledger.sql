{# Read the rows of a raw table that the pinned build holds to be current: a view of the ledger, named in the sources. #}
{% macro current_rows(table) -%}
    {{ source('raw', table) }}
{%- endmacro %}

{#
  Keep the months that this build must rewrite (all of them on a full build).
  It stands in every incremental model, also on the first run, so that one SQL serves builds and as-of views.
#}
{% macro in_changed_months(column) -%}
    toYYYYMM({{ column }}) in (select partition from {{ source('raw', 'pinned_partitions') }})
{%- endmacro %}
