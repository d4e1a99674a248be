-- Fivetran's columns over our facts: source_relation names the organization, so that a tool can keep tenants apart.
select
    cast(facts.organization_id as String) as source_relation,
    cast(toStartOfMonth(facts.date_day) as Date) as date_month,
    cast(if(facts.platform = 'meta_ads', 'facebook_ads', facts.platform) as String) as platform,
    cast(facts.account_id as String) as account_id,
    cast(ifNull(accounts.account_name, '') as String) as account_name,
    cast(facts.campaign_id as String) as campaign_id,
    cast(ifNull(campaigns.campaign_name, '') as String) as campaign_name,
    cast(facts.segment_value as String) as country,
    cast(sum(facts.clicks) as Int64) as clicks,
    cast(sum(facts.impressions) as Int64) as impressions,
    cast(sum(facts.spend) as Decimal(18, 6)) as spend,
    cast(sum(facts.conversions) as Decimal(18, 6)) as conversions,
    cast(sum(facts.conversions_value) as Decimal(18, 6)) as conversions_value
from {{ ref('mart_geo_device') }} as facts
left join {{ ref('dim_account') }} as accounts on facts.organization_id = accounts.organization_id and facts.platform = accounts.platform
    and facts.account_id = accounts.account_id
left join {{ ref('dim_campaign') }} as campaigns on facts.organization_id = campaigns.organization_id and facts.platform = campaigns.platform
    and facts.account_id = campaigns.account_id and facts.campaign_id = campaigns.campaign_id
where facts.segment = 'country' and not facts.is_residual
group by source_relation, date_month, platform, account_id, account_name, campaign_id, campaign_name, country
