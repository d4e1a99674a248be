{#
  Meta reports one conversion under several action types. Each family counts once, at the highest tier present:
  omni_* (all channels, deduplicated by Meta) > the aggregate (purchase, lead) > the specific types.
  Types of one channel are names of the same conversion, so their greatest counts; different channels add up.
#}
{% macro meta_conversion_families() %}
    {{ return([
        [
            [['omni_purchase']],
            [['purchase']],
            [
                ['offsite_conversion.fb_pixel_purchase', 'onsite_web_purchase', 'onsite_web_app_purchase'],
                ['app_custom_event.fb_mobile_purchase'],
                ['onsite_conversion.purchase', 'onsite_app_purchase'],
                ['offline_conversion.purchase'],
            ],
        ],
        [
            [['omni_lead']],
            [['lead']],
            [
                ['offsite_conversion.fb_pixel_lead', 'onsite_web_lead'],
                ['onsite_conversion.lead_grouped', 'onsite_conversion.lead', 'leadgen_grouped', 'leadgen.other'],
                ['offline_conversion.lead'],
            ],
        ],
    ]) }}
{% endmacro %}

{# Read [{"action_type": …, "value": "5"}, …] as an array of (type, value); the values stay exact. #}
{% macro meta_actions(column) -%}
    JSONExtract(ifNull({{ column }}, ''), 'Array(Tuple(action_type String, value Decimal(18, 6)))')
{%- endmacro %}

{# Count the conversions (or add up their values) in an array made by meta_actions. #}
{% macro meta_conversions(actions) -%}
    toDecimal64(
    {%- for tiers in meta_conversion_families() %}
        multiIf(
        {%- for channels in tiers %}
            {%- if not loop.last %}
            arrayExists(a -> a.1 in ('{{ channels | sum(start=[]) | join("', '") }}'), {{ actions }}), {% endif -%}
            {%- for types in channels -%}
                arrayMax(a -> if(a.1 in ('{{ types | join("', '") }}'), a.2, toDecimal64(0, 6)), {{ actions }})
                {%- if not loop.last %} + {% endif -%}
            {%- endfor -%}
            {%- if not loop.last %},{% endif -%}
        {%- endfor %}
        )
        {%- if not loop.last %} + {% endif -%}
    {%- endfor %}, 6)
{%- endmacro %}
