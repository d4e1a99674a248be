{# List the ad platforms that the unions take; a new one adds its staging folder and its name here. #}
{% macro ad_platforms() %}
    {{ return(['google_ads', 'meta_ads', 'yandex_direct']) }}
{% endmacro %}
