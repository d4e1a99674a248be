-- Direct's reports carry no currency: it is the account's.
with reported as (

    select * from {{ current_rows('raw_yandex_direct__campaign_daily') }}

),

currencies as (

    select _organization_id, _integration_id, _account_id, argMax(Currency, _date) as currency
    from {{ current_rows('raw_yandex_direct__accounts') }}
    group by _organization_id, _integration_id, _account_id

)

select
    reported._organization_id as organization_id,
    reported._integration_id as integration_id,
    reported._account_id as account_id,
    CampaignId as campaign_id,
    CampaignName as campaign_name,
    reported._date as date_day,
    {{ count_of('Impressions') }} as impressions,
    {{ count_of('Clicks') }} as clicks,
    {{ amount('Cost') }} as spend,
    {{ amount('Conversions') }} as conversions,
    {{ amount('Revenue') }} as conversions_value,
    ifNull(currencies.currency, '') as currency_code,
    IncludeVAT = 'YES' as vat_included
from reported
left join currencies using (_organization_id, _integration_id, _account_id)
