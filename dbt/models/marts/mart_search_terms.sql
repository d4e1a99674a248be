-- What people searched for, with the words of the term, and whether the term wasted its spend: it cost more than a conversion
-- costs the account over the last 30 days up to that day, and brought none. Such a term is a candidate for a negative keyword.
with terms as (

    select
        organization_id, platform, account_id, campaign_id, ad_group_id, lowerUTF8(trimBoth(terms.search_term)) as term, date_day, currency_code,
        groupUniqArray(terms.keyword_text) as keywords,
        sum(terms.impressions) as day_impressions, sum(terms.clicks) as day_clicks, sum(terms.spend) as day_spend,
        sum(terms.conversions) as day_conversions, sum(terms.conversions_value) as day_value
    from {{ ref('int_ads__search_term_daily') }} as terms
    group by organization_id, platform, account_id, campaign_id, ad_group_id, term, date_day, currency_code

),

windowed as (

    select
        *,
        sum(day_spend) over of_term as term_spend,
        sum(day_conversions) over of_term as term_conversions,
        sum(day_spend) over of_account as account_spend,
        sum(day_conversions) over of_account as account_conversions
    from terms
    window
        of_term as (
            partition by organization_id, platform, account_id, campaign_id, ad_group_id, term, currency_code order by date_day
            range between 29 preceding and current row
        ),
        of_account as (partition by organization_id, platform, account_id, currency_code order by date_day range between 29 preceding and current row)

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(campaign_id as String) as campaign_id,
    cast(ad_group_id as String) as ad_group_id,
    cast(term as String) as search_term,
    cast(arrayStringConcat(arraySort(keywords), ', ') as String) as keyword_text,
    cast(date_day as Date) as date_day,
    cast(day_impressions as Int64) as impressions,
    cast(day_clicks as Int64) as clicks,
    cast(day_spend as Decimal(18, 6)) as spend,
    cast(day_conversions as Decimal(18, 6)) as conversions,
    cast(day_value as Decimal(18, 6)) as conversions_value,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(if(is_negative_candidate, day_spend, 0) as Decimal(18, 6)) as wasted_spend,
    cast(term_conversions = 0 and account_conversions > 0
        and toFloat64(term_spend) > toFloat64(account_spend) / nullIf(toFloat64(account_conversions), 0) as Bool) as is_negative_candidate
from windowed
