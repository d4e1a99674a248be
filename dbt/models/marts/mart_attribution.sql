-- Conversions shared out over their touches by six models. What rounding leaves goes to the last touch, so that every model
-- adds up to all conversions exactly. Time decay halves a touch's weight every seven days before the conversion.
with touches as (

    select
        *,
        max(if(is_direct, 0, touch_number)) over conversion as last_named,
        exp2(-dateDiff('second', touched_at, converted_at) / 604800) as decayed,
        sum(exp2(-dateDiff('second', touched_at, converted_at) / 604800)) over conversion as all_decayed
    from {{ ref('int_touches') }}
    window conversion as (partition by organization_id, platform, account_id, client_id, conversion_id)

),

weighted as (

    select *, weight.1 as model, toDecimal128(weight.2, 12) as share
    from touches
    array join [
        ('first', toFloat64(touch_number = 1)),
        ('last', toFloat64(touch_number = touches)),
        ('last_non_direct', toFloat64(touch_number = if(last_named = 0, touches, last_named))),
        ('linear', 1 / touches),
        ('position', multiIf(touches = 1, 1, touches = 2, 0.5, touch_number in (1, touches), 0.4, 0.2 / (touches - 2))),
        ('time_decay', decayed / all_decayed)
    ] as weight

),

shared as (

    select
        *,
        cast(toDecimal128(conversions, 6) * share as Decimal(38, 12)) as part,
        cast(toDecimal128(conversions_value, 6) * share as Decimal(38, 12)) as value_part
    from weighted

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(date_day as Date) as date_day,
    cast(model as LowCardinality(String)) as model,
    cast(client_id as String) as client_id,
    cast(conversion_id as String) as conversion_id,
    cast(touch_number as UInt32) as touch_number,
    cast(touches as UInt32) as touches,
    cast(touched_at as DateTime('UTC')) as touched_at,
    cast(source as String) as source,
    cast(medium as String) as medium,
    cast(campaign as String) as campaign,
    cast(part + if(touch_number = touches, conversions - sum(part) over way, 0) as Decimal(38, 12)) as conversions,
    cast(value_part + if(touch_number = touches, conversions_value - sum(value_part) over way, 0) as Decimal(38, 12)) as conversions_value,
    cast(currency_code as LowCardinality(String)) as currency_code
from shared
window way as (partition by organization_id, platform, account_id, client_id, conversion_id, model)
