{#
  Find rows that break a table's key: two of one key, or an empty part of it. One pass; with `month_of` only the months
  that this build rewrote, as no other row can have changed.
#}
{% test keyed_rows(model, key, filled, month_of=none, by_month=false) %}
select *
from (
    select
        count() as copies,
        {%- for column in filled %}
        countIf(empty(toString({{ column }}))) as empty_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    {% if month_of %}where {{ in_changed_months(month_of, by_month) }}{% endif %}
    group by {% for column in key %}`{{ column }}`{{ ', ' if not loop.last }}{% endfor %}
)
where copies > 1{% for column in filled %} or empty_{{ loop.index }} > 0{% endfor %}
{% endtest %}
