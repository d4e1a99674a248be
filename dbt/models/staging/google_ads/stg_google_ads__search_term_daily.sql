-- A keyword may stand in an ad group once per match type; here its matches count together.
select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    campaign_id,
    ad_group_id,
    search_term_view_search_term as search_term,
    segments_keyword_info_text as keyword_text,
    _date as date_day,
    sum({{ count_of('metrics_impressions') }}) as impressions,
    sum({{ count_of('metrics_clicks') }}) as clicks,
    cast(sum({{ micros('metrics_cost_micros') }}) as Decimal(18, 6)) as spend,
    cast(sum({{ amount('metrics_conversions') }}) as Decimal(18, 6)) as conversions,
    cast(sum({{ amount('metrics_conversions_value') }}) as Decimal(18, 6)) as conversions_value,
    customer_currency_code as currency_code,
    false as vat_included
from {{ current_rows('raw_google_ads__search_term_daily') }}
group by all
