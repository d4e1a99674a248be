with reported as (

    select
        *,
        {{ meta_actions('actions') }} as action_counts,
        {{ meta_actions('action_values') }} as action_amounts
    from {{ current_rows('raw_meta_ads__campaign_daily') }}

)

select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    campaign_id,
    ifNull(campaign_name, '') as campaign_name,
    _date as date_day,
    {{ count_of('impressions') }} as impressions,
    {{ count_of('clicks') }} as clicks,
    {{ amount('spend') }} as spend,
    {{ meta_conversions('action_counts') }} as conversions,
    {{ meta_conversions('action_amounts') }} as conversions_value,
    account_currency as currency_code,
    false as vat_included
from reported
