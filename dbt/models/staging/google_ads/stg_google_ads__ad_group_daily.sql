select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    campaign_id,
    campaign_name,
    ad_group_id,
    ad_group_name,
    _date as date_day,
    {{ count_of('metrics_impressions') }} as impressions,
    {{ count_of('metrics_clicks') }} as clicks,
    {{ micros('metrics_cost_micros') }} as spend,
    {{ amount('metrics_conversions') }} as conversions,
    {{ amount('metrics_conversions_value') }} as conversions_value,
    customer_currency_code as currency_code,
    false as vat_included
from {{ current_rows('raw_google_ads__ad_group_daily') }}
