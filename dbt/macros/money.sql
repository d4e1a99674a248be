{# Turn a platform's number, exact and perhaps absent, into Decimal(18, 6); absent counts as nothing. #}
{% macro amount(expression) -%}
    toDecimal64(ifNull({{ expression }}, 0), 6)
{%- endmacro %}

{# Turn micros (Int64) into major units without rounding. Decimal128 keeps a million units a day and more from overflowing. #}
{% macro micros(expression) -%}
    toDecimal64(toDecimal128(ifNull({{ expression }}, 0), 6) / 1000000, 6)
{%- endmacro %}

{# Turn a count, perhaps absent, into Int64. #}
{% macro count_of(expression) -%}
    toInt64(ifNull({{ expression }}, 0))
{%- endmacro %}

{# The currency in which mart_performance_daily shows money beside the account's own: MRM_BASE_CURRENCY, EUR by default. #}
{% macro base_currency() -%}
    {{ env_var('MRM_BASE_CURRENCY', 'EUR') }}
{%- endmacro %}
