-- Countries come as criterion ids; one whose code is not known keeps its id. Where somebody is and what they are interested in count together.
with countries as (

    select
        _organization_id as organization_id,
        _account_id as account_id,
        geo_target_constant_id as criterion_id,
        argMax(geo_target_constant_country_code, _date) as country_code
    from {{ current_rows('raw_google_ads__countries') }}
    group by organization_id, account_id, criterion_id

),

segments as (

    select
        _organization_id, _integration_id, _account_id, _date, campaign_id, 'device' as segment, lower(segments_device) as segment_value,
        metrics_impressions, metrics_clicks, metrics_cost_micros, metrics_conversions, metrics_conversions_value, customer_currency_code
    from {{ current_rows('raw_google_ads__device_daily') }}

    union all

    select
        _organization_id, _integration_id, _account_id, _date, campaign_id, 'network' as segment, lower(segments_ad_network_type) as segment_value,
        metrics_impressions, metrics_clicks, metrics_cost_micros, metrics_conversions, metrics_conversions_value, customer_currency_code
    from {{ current_rows('raw_google_ads__network_daily') }}

    union all

    select
        _organization_id, _integration_id, _account_id, _date, campaign_id, 'country' as segment,
        ifNull(nullIf(countries.country_code, ''), geographic_view_country_criterion_id) as segment_value,
        metrics_impressions, metrics_clicks, metrics_cost_micros, metrics_conversions, metrics_conversions_value, customer_currency_code
    from {{ current_rows('raw_google_ads__geo_daily') }} as places
    left join countries
        on places._organization_id = countries.organization_id
        and places._account_id = countries.account_id
        and places.geographic_view_country_criterion_id = countries.criterion_id

)

select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    campaign_id,
    segment,
    segment_value,
    _date as date_day,
    sum({{ count_of('metrics_impressions') }}) as impressions,
    sum({{ count_of('metrics_clicks') }}) as clicks,
    cast(sum({{ micros('metrics_cost_micros') }}) as Decimal(18, 6)) as spend,
    cast(sum({{ amount('metrics_conversions') }}) as Decimal(18, 6)) as conversions,
    cast(sum({{ amount('metrics_conversions_value') }}) as Decimal(18, 6)) as conversions_value,
    customer_currency_code as currency_code,
    false as vat_included
from segments
group by all
