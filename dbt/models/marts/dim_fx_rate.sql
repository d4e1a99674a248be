{{ config(materialized=stored('table'), sharding_key='cityHash64(from_currency)', order_by=['to_currency', 'from_currency', 'date_day']) }}

-- One unit of `from_currency` in `to_currency` on every day: the bank's own rate or, between two of its currencies, the quotient
-- of the two, divided once. A day without a rate (weekend, holiday) takes the last one before it, at most {{ fx_carried_days() }} days old.
-- Pairs with the rouble come from the Bank of Russia, all others from the European Central Bank where it quotes both.
with quotes as (

    -- A unit is worth numerator / denominator of the bank's own currency.
    select 'cbr' as source, date_day as quoted_day, currency_code, toDecimal256(roubles, 6) as numerator, toDecimal256(nominal, 6) as denominator
    from {{ ref('stg_fx__cbr_rates') }}

    union all

    select 'ecb' as source, date_day as quoted_day, currency_code, toDecimal256(1, 6) as numerator, toDecimal256(per_euro, 6) as denominator
    from {{ ref('stg_fx__ecb_rates') }}

    union all

    select distinct 'cbr' as source, date_day as quoted_day, 'RUB' as currency_code, toDecimal256(1, 6) as numerator, toDecimal256(1, 6) as denominator
    from {{ ref('stg_fx__cbr_rates') }}

    union all

    select distinct 'ecb' as source, date_day as quoted_day, 'EUR' as currency_code, toDecimal256(1, 6) as numerator, toDecimal256(1, 6) as denominator
    from {{ ref('stg_fx__ecb_rates') }}

),

followed as (

    select
        *,
        leadInFrame(quoted_day, 1, quoted_day + {{ fx_carried_days() }} + 1) over (
            partition by source, currency_code order by quoted_day rows between unbounded preceding and unbounded following
        ) as next_day
    from quotes

),

daily as (

    select
        source, currency_code, quoted_day, numerator, denominator,
        arrayJoin(arrayMap(n -> quoted_day + n, range(toUInt32(least(next_day - quoted_day, {{ fx_carried_days() }} + 1))))) as date_day
    from followed

),

pairs as (

    select
        sold.source as source, sold.currency_code as from_currency, bought.currency_code as to_currency, sold.date_day as date_day,
        least(sold.quoted_day, bought.quoted_day) as quoted_day,
        (sold.numerator * bought.denominator) as dividend,
        (sold.denominator * bought.numerator) as divisor
    from daily as sold
    inner join daily as bought on sold.source = bought.source and sold.date_day = bought.date_day
    where sold.currency_code != bought.currency_code

)

select
    cast(from_currency as LowCardinality(String)) as from_currency,
    cast(to_currency as LowCardinality(String)) as to_currency,
    cast(date_day as Date) as date_day,
    cast(argMin(toDecimal128(toDecimal256(dividend, 30) / divisor, 18), preference) as Decimal(38, 18)) as rate,
    cast(argMin(source, preference) as LowCardinality(String)) as source,
    cast(argMin(pairs.quoted_day, preference) as Date) as quoted_day
from (select *, if((source = 'cbr') = ('RUB' in (from_currency, to_currency)), 0, 1) as preference from pairs) as pairs
group by from_currency, to_currency, date_day
