{{ config(materialized='view') }}

-- The touches of each conversion: the visits of its client in the 90 days up to and including the visit that converted, in order.
-- A visit that reached several goals (or one of them several times) counts as so many conversions.
with visits as (
{{ staged('visits', {
    'visit_id': 'String', 'client_id': 'String', 'date_time': "DateTime('UTC')", 'source': 'String', 'medium': 'String', 'campaign': 'String',
    'goals': 'Array(String)', 'revenue': 'Decimal(18, 6)',
}) }}
),

currencies as (

    select organization_id, platform, account_id, currency_code from {{ ref('dim_account') }}

),

clients as (

    select
        organization_id, integration_id, platform, account_id, client_id, ifNull(any(currencies.currency_code), '') as currency_code,
        arraySort(groupArray((date_time, visit_id, source, medium, campaign, length(goals), revenue))) as path
    from visits
    left join currencies using (organization_id, platform, account_id)
    group by organization_id, integration_id, platform, account_id, client_id

),

conversions as (

    select
        *,
        arrayJoin(arrayFilter(visit -> visit.6 > 0, path)) as converted,
        arrayFilter(visit -> (visit.1, visit.2) <= (converted.1, converted.2) and visit.1 >= converted.1 - toIntervalDay(90), path) as way
    from clients

)

select
    organization_id,
    integration_id,
    platform,
    account_id,
    client_id,
    converted.2 as conversion_id,
    converted.1 as converted_at,
    toDate(converted.1) as date_day,
    toDecimal64(converted.6, 6) as conversions,
    converted.7 as conversions_value,
    currency_code,
    touch_number,
    length(way) as touches,
    touch.1 as touched_at,
    touch.3 as source,
    touch.4 as medium,
    touch.5 as campaign,
    lower(touch.3) in ('', 'direct', '(direct)') as is_direct
from conversions
array join way as touch, arrayEnumerate(way) as touch_number
