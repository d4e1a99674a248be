-- Fivetran's columns over our facts: source_relation names the organization, so that a tool can keep tenants apart.
with facts as (

    select
        organization_id, platform, account_id, date_day, campaign_id, ad_group_id,
        sum(rows.clicks) as clicks, sum(rows.impressions) as impressions, sum(rows.spend) as spend,
        sum(rows.conversions) as conversions, sum(rows.conversions_value) as conversions_value
    from {{ ref('fct_ad_performance_daily') }} as rows
    where ad_group_id != ''
    group by organization_id, platform, account_id, date_day, campaign_id, ad_group_id

)

select
    cast(facts.organization_id as String) as source_relation,
    cast(facts.date_day as Date) as date_day,
    cast(if(facts.platform = 'meta_ads', 'facebook_ads', facts.platform) as String) as platform,
    cast(facts.account_id as String) as account_id,
    cast(ifNull(accounts.account_name, '') as String) as account_name,
    cast(facts.campaign_id as String) as campaign_id,
    cast(ifNull(campaigns.campaign_name, '') as String) as campaign_name,
    cast(facts.ad_group_id as String) as ad_group_id,
    cast(ifNull(ad_groups.ad_group_name, '') as String) as ad_group_name,
    cast(facts.clicks as Int64) as clicks,
    cast(facts.impressions as Int64) as impressions,
    cast(facts.spend as Decimal(18, 6)) as spend,
    cast(facts.conversions as Decimal(18, 6)) as conversions,
    cast(facts.conversions_value as Decimal(18, 6)) as conversions_value
from facts
left join {{ ref('dim_account') }} as accounts using (organization_id, platform, account_id)
left join {{ ref('dim_campaign') }} as campaigns using (organization_id, platform, account_id, campaign_id)
left join {{ ref('dim_ad_group') }} as ad_groups using (organization_id, platform, account_id, ad_group_id)
