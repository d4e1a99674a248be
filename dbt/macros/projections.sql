{#
  Sum the ad fact up to campaign and day, for ClickHouse to keep beside each of the fact's parts. It reads these sums instead of the
  ads wherever a question's dimensions and filters are among the keys, so that there is no second table to agree with.
#}
{% macro campaign_days() -%}
    select
        organization_id, platform, account_id, date_day, campaign_id, currency_code, vat_included,
        sum(impressions), sum(clicks), sum(spend), sum(conversions), sum(conversions_value), count()
    group by organization_id, platform, account_id, date_day, campaign_id, currency_code, vat_included
{%- endmacro %}
