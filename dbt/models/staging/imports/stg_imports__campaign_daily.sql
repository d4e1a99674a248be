select
    _organization_id as organization_id,
    _integration_id as integration_id,
    platform,
    _account_id as account_id,
    _date as date_day,
    campaign_id,
    campaign_name,
    impressions,
    clicks,
    spend,
    conversions,
    conversions_value,
    currency as currency_code,
    vat_included
from {{ current_rows('raw_imports__campaign_daily') }}
