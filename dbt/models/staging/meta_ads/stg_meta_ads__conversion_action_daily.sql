-- Meta's action types overlap. Primary are those that count: of each family the highest tier present, of each channel in it the
-- greatest. Primary rows without a window add up to the conversions of stg_meta_ads__ad_daily.
with reported as (

    select
        *,
        if(attribution_window = 'default', '', attribution_window) as named_window,
        {{ meta_action_place('action_type', 'family') }} as family,
        {{ meta_action_place('action_type', 'tier') }} as tier,
        {{ meta_action_place('action_type', 'channel') }} as channel
    from {{ current_rows('raw_meta_ads__ad_actions_daily') }}

),

ranked as (

    select
        *,
        min(if(action_count is null, 99, tier)) over (
            partition by _organization_id, _integration_id, _account_id, _date, ad_id, attribution_window, family
        ) as highest_tier,
        row_number() over (
            partition by _organization_id, _integration_id, _account_id, _date, ad_id, attribution_window, family, tier, channel
            order by ifNull(action_count, toDecimal64(-1, 6)) desc, action_type
        ) as place
    from reported

)

select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    campaign_id,
    adset_id as ad_group_id,
    ad_id,
    action_type as conversion_action_id,
    action_type as conversion_action_name,
    named_window as attribution_window,
    '' as attribution_model,
    cast(family > 0 and tier = highest_tier and place = 1 as Bool) as is_primary,
    {{ amount('action_count') }} as conversions,
    {{ amount('action_value') }} as conversions_value,
    account_currency as currency_code
from ranked
