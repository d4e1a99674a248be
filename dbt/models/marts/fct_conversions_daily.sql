{{ config(
    materialized=stored('incremental'),
    incremental_strategy='insert_overwrite',
    partition_by=organization_month('date_day'),
    order_by=['organization_id', 'platform', 'account_id', 'date_day', 'campaign_id', 'conversion_action_id'],
    on_schema_change='fail',
) }}

-- Conversions by action, attribution window and model, also on days without delivery. What the platform counts beyond its
-- primary actions (or all of it, where no report by action was pulled) stands under an empty action, so that the primary rows
-- of the default window ('') add up to the campaign's conversions as the ad fact has them.
with counted as (

    select
        organization_id, integration_id, platform, account_id, campaign_id, if(part.1, ad_group_id, '') as ad_group_id, if(part.1, ad_id, '') as ad_id, date_day,
        if(part.1, conversion_action_id, '') as conversion_action_id, if(part.1, conversion_action_name, '') as conversion_action_name,
        attribution_window, if(part.1, attribution_model, '') as attribution_model, is_primary, currency_code,
        part.2 * actions.conversions as conversions, part.2 * actions.conversions_value as conversions_value
    from (select * from {{ ref('int_ads__conversion_action_daily') }} where {{ in_changed_months('date_day') }}) as actions
    array join if(is_primary and attribution_window = '', [(true, 1), (false, -1)], [(true, 1)]) as part

    union all

    select
        organization_id, integration_id, platform, account_id, campaign_id, '' as ad_group_id, '' as ad_id, date_day,
        '' as conversion_action_id, '' as conversion_action_name, '' as attribution_window, '' as attribution_model, true as is_primary, currency_code,
        conversions, conversions_value
    from {{ ref('fct_ad_performance_daily') }}
    where {{ in_changed_months('date_day') }} and (conversions != 0 or conversions_value != 0)

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(integration_id as LowCardinality(String)) as integration_id,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(campaign_id as String) as campaign_id,
    cast(ad_group_id as String) as ad_group_id,
    cast(ad_id as String) as ad_id,
    cast(date_day as Date) as date_day,
    cast(conversion_action_id as String) as conversion_action_id,
    cast(any(counted.conversion_action_name) as String) as conversion_action_name,
    cast(attribution_window as LowCardinality(String)) as attribution_window,
    cast(attribution_model as LowCardinality(String)) as attribution_model,
    cast(is_primary as Bool) as is_primary,
    cast(sum(counted.conversions) as Decimal(18, 6)) as conversions,
    cast(sum(counted.conversions_value) as Decimal(18, 6)) as conversions_value,
    cast(currency_code as LowCardinality(String)) as currency_code
from counted
group by
    organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day, conversion_action_id,
    attribution_window, attribution_model, is_primary, currency_code
having sum(counted.conversions) != 0 or sum(counted.conversions_value) != 0
