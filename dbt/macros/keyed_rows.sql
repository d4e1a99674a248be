{#
  Find rows that break a table's key: two of one key, or an empty part of it. One pass; with `month_of` only the months
  that this build rewrote, as no other row can have changed. A view that looks back over the whole history, or looks names up
  in it, is checked by `full_builds` (and by `dbt test`): a one-day build must not read the history behind it.
#}
{% test keyed_rows(model, key, filled, month_of=none, by_month=false, full_builds=false) %}
{% if full_builds and execute and flags.WHICH == 'build' and not flags.FULL_REFRESH %}
select 0 as copies from numbers(0)
{% else %}
select *
from (
    select
        count() as copies,
        {%- for column in filled %}
        countIf(empty(toString({{ column }}))) as empty_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    {% if month_of and not full_builds %}where {{ in_changed_months(month_of, by_month) }}{% endif %}
    group by {% for column in key %}`{{ column }}`{{ ', ' if not loop.last }}{% endfor %}
)
where copies > 1{% for column in filled %} or empty_{{ loop.index }} > 0{% endfor %}
{% endif %}
{% endtest %}
