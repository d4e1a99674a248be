-- Words, pairs and triples of words in search terms: what a word costs and brings over all the terms that hold it.
with worded as (

    select *, arrayFilter(word -> word != '', splitByRegexp('[^\\p{L}\\p{N}]+', search_term)) as words
    from {{ ref('mart_search_terms') }}

),

grams as (

    select
        *,
        arrayJoin(arrayDistinct(arrayFlatten(arrayMap(
            size -> arrayMap(start -> (size, arrayStringConcat(arraySlice(words, start, size), ' ')), range(1, toUInt32(greatest(1, length(words) - size + 2)))),
            [1, 2, 3]
        )))) as gram
    from worded

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(date_day as Date) as date_day,
    cast(gram.1 as UInt8) as words_in_ngram,
    cast(gram.2 as String) as ngram,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(uniqExact(search_term) as UInt64) as search_terms,
    cast(sum(grams.impressions) as Int64) as impressions,
    cast(sum(grams.clicks) as Int64) as clicks,
    cast(sum(grams.spend) as Decimal(18, 6)) as spend,
    cast(sum(grams.conversions) as Decimal(18, 6)) as conversions,
    cast(sum(grams.conversions_value) as Decimal(18, 6)) as conversions_value,
    cast(sum(grams.wasted_spend) as Decimal(18, 6)) as wasted_spend
from grams
group by organization_id, platform, account_id, date_day, words_in_ngram, ngram, currency_code
