{# Store a model on one server or, for the target `cluster`, as replicated local tables with a distributed one over them. #}
{% macro stored(kind) %}
    {{ return('distributed_' ~ kind if target.name == 'cluster' else kind) }}
{% endmacro %}
