-- The ad fact with everything about its entities as it was known on the row's day, and with how settled the day is. A name that
-- no snapshot tells is the last one that a report of that month carried.
with facts as (

    select * from {{ ref('fct_ad_performance_daily') }}

),

versions as (

    select organization_id, platform, account_id, level, entity_id, valid_from, ifNull(valid_to, toDate('2149-06-06')) as valid_to, name, status, daily_budget
    from {{ ref('dim_entity_history') }}

),

last_names as (

    select organization_id, platform, account_id, level, entity_id, month, name from {{ ref('int_ads__names_monthly') }}

)

select
    facts.organization_id as organization_id,
    facts.integration_id as integration_id,
    facts.platform as platform,
    facts.account_id as account_id,
    cast(ifNull(accounts.name, '') as String) as account_name,
    facts.campaign_id as campaign_id,
    cast(coalesce(campaigns.name, names_of_campaigns.name, '') as String) as campaign_name,
    cast(ifNull(campaigns.status, '') as LowCardinality(String)) as campaign_status,
    cast(campaigns.daily_budget as Nullable(Decimal(18, 6))) as campaign_daily_budget,
    facts.ad_group_id as ad_group_id,
    cast(coalesce(ad_groups.name, names_of_ad_groups.name, '') as String) as ad_group_name,
    facts.ad_id as ad_id,
    cast(coalesce(ads.name, names_of_ads.name, '') as String) as ad_name,
    facts.date_day as date_day,
    facts.level_of_row as level_of_row,
    facts.impressions as impressions,
    facts.clicks as clicks,
    facts.spend as spend,
    facts.conversions as conversions,
    facts.conversions_value as conversions_value,
    facts.currency_code as currency_code,
    facts.vat_included as vat_included,
    cast('{{ base_currency() }}' as LowCardinality(String)) as base_currency_code,
    {%- set rate = "if(facts.currency_code = '" ~ base_currency() ~ "', toDecimal128(1, 18), rates.rate)" %}
    cast({{ rate }} as Nullable(Decimal(38, 18))) as fx_rate,
    cast(toDecimal256(facts.spend, 6) * {{ rate }} as Nullable(Decimal(38, 6))) as spend_base,
    cast(toDecimal256(facts.conversions_value, 6) * {{ rate }} as Nullable(Decimal(38, 6))) as conversions_value_base,
    cast(ifNull(states.is_complete, false) as Bool) as is_complete,
    cast(ifNull(states.is_provisional, true) as Bool) as is_provisional
from facts
left join (select from_currency, date_day as rate_day, rate from {{ ref('dim_fx_rate') }} where to_currency = '{{ base_currency() }}') as rates
    on facts.currency_code = rates.from_currency and facts.date_day = rates.rate_day
left join {{ ref('mart_provisional_days') }} as states using (organization_id, integration_id, platform, account_id, date_day)
{%- for level, alias in [('account', 'accounts'), ('campaign', 'campaigns'), ('ad_group', 'ad_groups'), ('ad', 'ads')] %}
left join (select * from versions where level = '{{ level }}') as {{ alias }}
    on facts.organization_id = {{ alias }}.organization_id and facts.platform = {{ alias }}.platform and facts.account_id = {{ alias }}.account_id
    and facts.{{ level }}_id = {{ alias }}.entity_id and facts.date_day >= {{ alias }}.valid_from and facts.date_day <= {{ alias }}.valid_to
{%- endfor %}
{%- for level in ['campaign', 'ad_group', 'ad'] %}
left join (select * from last_names where level = '{{ level }}') as names_of_{{ level }}s
    on facts.organization_id = names_of_{{ level }}s.organization_id and facts.platform = names_of_{{ level }}s.platform
    and facts.account_id = names_of_{{ level }}s.account_id and facts.{{ level }}_id = names_of_{{ level }}s.entity_id
    and toStartOfMonth(facts.date_day) = names_of_{{ level }}s.month
{%- endfor %}
