{#
  List the ad platforms that the unions take; a new one adds its staging folder and its name here.
  Imported files, whose rows name their own channel, have accounts and campaigns by day alone.
#}
{% macro ad_platforms(kind='') %}
    {{ return(['google_ads', 'meta_ads', 'yandex_direct'] + (['imports'] if kind in ['accounts', 'campaign_daily'] else [])) }}
{% endmacro %}

{# Name a row's platform: the staging folder's, or what the rows of imported files say. #}
{% macro platform_of(folder) -%}
    {{ 'platform' if folder == 'imports' else "'" ~ folder ~ "'" }}
{%- endmacro %}

{#
  List the platforms that deliver more than accounts, campaigns and ads, per kind of staging model (`stg_<platform>__<kind>`).
  A platform that learns to deliver one adds its name here, and every mart over it follows.
#}
{% macro delivering(kind) %}
    {{ return({
        'ad_group_daily': ['google_ads', 'meta_ads', 'yandex_direct'],
        'keyword_daily': ['google_ads', 'yandex_direct'],
        'search_term_daily': ['google_ads', 'yandex_direct'],
        'segment_daily': ['google_ads', 'meta_ads', 'yandex_direct'],
        'conversion_action_daily': ['google_ads', 'meta_ads', 'yandex_direct'],
        'reach_daily': ['meta_ads'],
        'video_daily': ['meta_ads'],
        'campaigns': ['google_ads', 'meta_ads', 'yandex_direct'],
        'ad_groups': ['google_ads', 'meta_ads', 'yandex_direct'],
        'ads': ['google_ads', 'meta_ads', 'yandex_direct'],
        'visits': ['yandex_metrica'],
        'sessions': analytics_platforms(),
    }[kind]) }}
{% endmacro %}

{# Name the additive measures of a delivery report with their types, money's currency and VAT basis beside them. #}
{% macro delivery_measures() %}
    {{ return({
        'impressions': 'Int64', 'clicks': 'Int64', 'spend': 'Decimal(18, 6)', 'conversions': 'Decimal(18, 6)', 'conversions_value': 'Decimal(18, 6)',
        'currency_code': 'String', 'vat_included': 'Bool',
    }) }}
{% endmacro %}

{# Union a kind of staging model over the platforms that deliver it; no rows of the same columns where none does. #}
{% macro staged(kind, columns) %}
    {%- set keys = {'organization_id': 'String', 'integration_id': 'String', 'account_id': 'String'} %}
    {%- for platform in delivering(kind) %}
select
    '{{ platform }}' as platform,
    {%- for name, type in dict(keys, **columns).items() %}
    cast({{ name }} as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('stg_' ~ platform ~ '__' ~ kind) }} as delivered
        {%- if not loop.last %}

union all
        {% endif %}
    {%- else %}
select
    '' as platform,
        {%- for name, type in dict(keys, **columns).items() %}
    cast({{ 'null' if type.startswith('Nullable') else "defaultValueOfTypeName('" ~ type ~ "')" }} as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
from numbers(0)
    {%- endfor %}
{% endmacro %}

{# Tell after how many days a platform no longer restates a day: its longest attribution window, as connectors look back. #}
{% macro settling_days() -%}
    transform(platform, ['google_ads', 'meta_ads', 'yandex_direct'], [30, 28, 30], 30)
{%- endmacro %}
{# List the analytics platforms that the unions take: each has a stg_<platform>__accounts and a stg_<platform>__sessions_daily. #}
{% macro analytics_platforms() %}
    {{ return(['ga4', 'yandex_metrica']) }}
{% endmacro %}

{# Name a session's channel: the ad platform that its paid source belongs to, or the kind of free traffic. #}
{% macro channel_of(source, medium) -%}
    {%- set paid = "match(lower(" ~ medium ~ "), 'cpc|ppc|cpm|paid|^ad$|^ads$')" -%}
    multiIf(
        {{ paid }} and match(lower({{ source }}), 'google|adwords'), 'google_ads',
        {{ paid }} and match(lower({{ source }}), 'facebook|instagram|meta|^fb$|^ig$'), 'meta_ads',
        {{ paid }} and match(lower({{ source }}), 'yandex|direct'), 'yandex_direct',
        {{ paid }}, 'other_paid',
        match(lower({{ medium }}), 'organic'), 'organic',
        match(lower({{ medium }}), 'referral'), 'referral',
        lower({{ source }}) in ('', 'direct', '(direct)'), 'direct',
        'other'
    )
{%- endmacro %}
