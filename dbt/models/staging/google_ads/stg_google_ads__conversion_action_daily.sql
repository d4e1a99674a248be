-- Primary is what counts in the column Conversions of the cabinet: those rows add up to the campaigns' conversions. An action that
-- counts in none of them keeps its row with its conversions from all_conversions.
with actions as (

    select
        _organization_id as organization_id,
        _account_id as account_id,
        conversion_action_id as action_id,
        argMax(conversion_action_include_in_conversions_metric, _date) as counts,
        argMax(conversion_action_attribution_model_settings_attribution_model, _date) as attribution_model
    from {{ current_rows('raw_google_ads__conversion_actions') }}
    group by organization_id, account_id, action_id

),

reported as (

    select
        *,
        splitByChar('/', segments_conversion_action)[-1] as action_id,
        metrics_conversions != 0 or metrics_conversions_value != 0 as counted
    from {{ current_rows('raw_google_ads__conversion_action_daily') }}

)

select
    reported._organization_id as organization_id,
    reported._integration_id as integration_id,
    reported._account_id as account_id,
    reported.campaign_id as campaign_id,
    '' as ad_group_id,
    '' as ad_id,
    reported.action_id as conversion_action_id,
    reported.segments_conversion_action_name as conversion_action_name,
    '' as attribution_window,
    lower(ifNull(actions.attribution_model, '')) as attribution_model,
    cast(reported.counted or ifNull(actions.counts, false) as Bool) as is_primary,
    reported._date as date_day,
    {{ amount('if(is_primary, reported.metrics_conversions, reported.metrics_all_conversions)') }} as conversions,
    {{ amount('if(is_primary, reported.metrics_conversions_value, reported.metrics_all_conversions_value)') }} as conversions_value,
    reported.customer_currency_code as currency_code
from reported
left join actions
    on reported._organization_id = actions.organization_id
    and reported._account_id = actions.account_id
    and reported.action_id = actions.action_id
