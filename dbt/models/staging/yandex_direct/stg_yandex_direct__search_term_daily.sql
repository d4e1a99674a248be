-- One query can meet several criteria of the same words: they count together.
with terms as (

    select
        {{ direct_keys() }},
        CampaignId as campaign_id,
        ifNull(AdGroupId, '') as ad_group_id,
        Query as search_term,
        ifNull(Criterion, '') as keyword_text,
        {{ direct_measures() }}
    from ({{ direct_reported('raw_yandex_direct__search_term_daily') }})

)

select
    organization_id,
    integration_id,
    account_id,
    date_day,
    campaign_id,
    ad_group_id,
    search_term,
    keyword_text,
    sum(terms.impressions) as impressions,
    sum(terms.clicks) as clicks,
    cast(sum(terms.spend) as Decimal(18, 6)) as spend,
    cast(sum(terms.conversions) as Decimal(18, 6)) as conversions,
    cast(sum(terms.conversions_value) as Decimal(18, 6)) as conversions_value,
    currency_code,
    vat_included
from terms
group by all
