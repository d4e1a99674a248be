-- Money of the Logs API is multiplied by a coefficient of its own: goalsPrice by 1,000, purchaseRevenue by 1.
-- One order stands in both; the purchase counts where there is one, otherwise the goals.
with visits as (

    select
        *,
        splitByChar(',', trim(both '[]' from purchaseRevenue)) as purchases,
        splitByChar(',', trim(both '[]' from goalsPrice)) as prices
    from {{ current_rows('raw_yandex_metrica__visits') }}

)

select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    visitID as visit_id,
    clientID as client_id,
    parseDateTimeBestEffort(dateTime, 'UTC') as date_time,
    {{ metrica_source("nullIf(UTMSource, '')", 'TrafficSource', "coalesce(nullIf(SearchEngineRoot, ''), nullIf(SocialNetwork, ''), nullIf(ReferalSource, ''), '')") }} as source,
    {{ metrica_medium("nullIf(UTMSource, '')", "nullIf(UTMMedium, '')", "nullIf(UTMCampaign, '')", 'TrafficSource') }} as medium,
    {{ metrica_campaign("nullIf(UTMSource, '')", "nullIf(UTMMedium, '')", "nullIf(UTMCampaign, '')", 'TrafficSource') }} as campaign,
    arrayFilter(goal -> goal != '', splitByChar(',', trim(both '[]' from goalsID))) as goals,
    if(
        purchaseRevenue not in ('', '[]'),
        arraySum(price -> toDecimal64OrZero(price, 6), purchases),
        toDecimal64(arraySum(price -> toInt64OrZero(price), prices) / toDecimal128(1000, 6), 6)
    ) as revenue,
    isNewUser = '1' as is_new_user,
    toInt64OrZero(pageViews) as page_views,
    transform(deviceCategory, ['1', '2', '3', '4'], ['desktop', 'mobile', 'tablet', 'tv'], '') as device,
    regionCountry as country,
    startURL as landing_page,
    attribution
from visits
