{# List the ad platforms that the unions take; a new one adds its staging folder and its name here. #}
{% macro ad_platforms() %}
    {{ return(['google_ads', 'meta_ads', 'yandex_direct']) }}
{% endmacro %}

{# List the analytics platforms that the unions take: each has a stg_<platform>__accounts and a stg_<platform>__sessions_daily. #}
{% macro analytics_platforms() %}
    {{ return(['ga4', 'yandex_metrica']) }}
{% endmacro %}
