{% set measures = ['impressions', 'clicks', 'spend', 'conversions', 'conversions_value'] %}
-- The same number from two sides: an account beside its campaigns, a campaign beside its ads, a campaign beside each of its
-- breakdowns{% if delivering('sessions') %}, and the platforms' conversions beside those that analytics ascribe to the campaign of that name{% endif %}.
with facts as (

    select * from {{ ref('fct_ad_performance_daily') }}

),

levels as (

    select
        organization_id, platform, account_id, '' as campaign_id, date_day, currency_code, 'account_vs_campaigns' as pair,
        {%- for measure in measures %}
        sum(facts.{{ measure }}) as left_{{ measure }}, sumIf(facts.{{ measure }}, level_of_row != 'account_residual') as right_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from facts
    group by organization_id, platform, account_id, date_day, currency_code

    union all

    select
        organization_id, platform, account_id, campaign_id, date_day, currency_code, 'campaign_vs_ads' as pair,
        {%- for measure in measures %}
        sum(facts.{{ measure }}) as left_{{ measure }}, sumIf(facts.{{ measure }}, level_of_row = 'ad') as right_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from facts
    where campaign_id != ''
    group by organization_id, platform, account_id, campaign_id, date_day, currency_code

    union all

    select
        organization_id, platform, account_id, campaign_id, date_day, currency_code, concat('campaign_vs_', segment) as pair,
        {%- for measure in measures %}
        sum(segments.{{ measure }}) as left_{{ measure }}, sumIf(segments.{{ measure }}, not is_residual) as right_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('mart_geo_device') }} as segments
    group by organization_id, platform, account_id, campaign_id, date_day, currency_code, pair

),

measured as (

    select organization_id, platform, account_id, campaign_id, date_day, currency_code, pair, told.1 as measure, told.2 as left_value, told.3 as right_value
    from levels
    array join [
        {%- for measure in measures %}
        ('{{ measure }}', toDecimal64(left_{{ measure }}, 6), toDecimal64(right_{{ measure }}, 6)){{ ',' if not loop.last }}
        {%- endfor %}
    ] as told
    {% for source in delivering('sessions') %}

    union all

    select
        organization_id, platform, account_id, campaign_id, date_day, currency_code, 'platform_vs_{{ source }}' as pair, 'conversions' as measure,
        sum(sides.left_value) as left_value, sum(sides.right_value) as right_value
    from (
        select facts.organization_id as organization_id, facts.platform as platform, facts.account_id as account_id, facts.campaign_id as campaign_id, date_day,
            currency_code, conversions as left_value, toDecimal64(0, 6) as right_value
        from facts
        where facts.campaign_id != '' and facts.organization_id in (select organization_id from {{ ref('fct_sessions_daily') }} where platform = '{{ source }}')

        union all

        select sessions.organization_id as organization_id, campaigns.platform as platform, campaigns.account_id as account_id, campaigns.campaign_id as campaign_id,
            sessions.date_day as date_day, campaigns.currency_code as currency_code, toDecimal64(0, 6) as left_value, sessions.conversions as right_value
        from {{ ref('fct_sessions_daily') }} as sessions
        inner join (
            select organization_id, campaign_name, any(platform) as platform, any(account_id) as account_id, any(campaign_id) as campaign_id,
                any(accounts.currency_code) as currency_code
            from {{ ref('dim_campaign') }} as named
            inner join {{ ref('dim_account') }} as accounts using (organization_id, platform, account_id)
            where campaign_name != ''
            group by organization_id, campaign_name
            having count() = 1
        ) as campaigns on sessions.organization_id = campaigns.organization_id and sessions.campaign = campaigns.campaign_name
        where sessions.platform = '{{ source }}'
    ) as sides
    group by organization_id, platform, account_id, campaign_id, date_day, currency_code
    {% endfor %}

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(campaign_id as String) as campaign_id,
    cast(date_day as Date) as date_day,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(pair as LowCardinality(String)) as pair,
    cast(measure as LowCardinality(String)) as measure,
    cast(left_value as Decimal(18, 6)) as left_value,
    cast(right_value as Decimal(18, 6)) as right_value,
    cast(left_value - right_value as Decimal(18, 6)) as difference
from measured
