{# Rows of a Direct report with the account's currency beside them: reports carry none. #}
{% macro direct_reported(table) %}
    select reported.*, ifNull(currencies.currency, '') as currency
    from {{ current_rows(table) }} as reported
    left join (
        select _organization_id, _integration_id, _account_id, argMax(Currency, _date) as currency
        from {{ current_rows('raw_yandex_direct__accounts') }}
        group by _organization_id, _integration_id, _account_id
    ) as currencies using (_organization_id, _integration_id, _account_id)
{% endmacro %}

{# Whose rows, and of which day. #}
{% macro direct_keys() %}
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day
{%- endmacro %}

{# Direct's measures in the marts' words; an undefined figure (--) counts as nothing. #}
{% macro direct_measures() %}
    {{ count_of('Impressions') }} as impressions,
    {{ count_of('Clicks') }} as clicks,
    {{ amount('Cost') }} as spend,
    {{ amount('Conversions') }} as conversions,
    {{ amount('Revenue') }} as conversions_value,
    currency as currency_code,
    IncludeVAT = 'YES' as vat_included
{%- endmacro %}
