-- A goal is primary where the campaign works for it; its name is the last that the service told.
with goals as (

    select _organization_id, _integration_id, _account_id, GoalID as GoalId, ifNull(argMax(Name, _date), '') as goal_name
    from {{ current_rows('raw_yandex_direct__goals') }}
    group by _organization_id, _integration_id, _account_id, GoalId

),

priorities as (

    select _organization_id, _integration_id, _account_id, Id as CampaignId, ifNull(argMax(PriorityGoals, _date), '') as priority_goals
    from {{ current_rows('raw_yandex_direct__campaigns') }}
    group by _organization_id, _integration_id, _account_id, CampaignId

)

select
    {{ direct_keys() }},
    CampaignId as campaign_id,
    ifNull(AdGroupId, '') as ad_group_id,
    '' as ad_id,
    GoalId as conversion_action_id,
    coalesce(nullIf(goals.goal_name, ''), GoalId) as conversion_action_name,
    '' as attribution_window,
    AttributionModel as attribution_model,
    has(splitByChar(',', ifNull(priorities.priority_goals, '')), GoalId) as is_primary,
    {{ amount('Conversions') }} as conversions,
    {{ amount('Revenue') }} as conversions_value,
    currency as currency_code
from ({{ direct_reported('raw_yandex_direct__conversion_action_daily') }}) as reported
left join goals using (_organization_id, _integration_id, _account_id, GoalId)
left join priorities using (_organization_id, _integration_id, _account_id, CampaignId)
