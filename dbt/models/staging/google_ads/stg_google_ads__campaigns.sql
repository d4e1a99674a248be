-- A budget over a campaign's life (CUSTOM_PERIOD) is no daily one, and one that several campaigns share is no campaign's own.
select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as observed_day,
    campaign_id,
    campaign_name,
    lower(campaign_status) as status,
    cast(
        if(
            campaign_budget_amount_micros is null or ifNull(campaign_budget_period, '') = 'CUSTOM_PERIOD' or ifNull(campaign_budget_explicitly_shared, false),
            null,
            {{ micros('campaign_budget_amount_micros') }}
        ) as Nullable(Decimal(18, 6))
    ) as daily_budget,
    customer_currency_code as currency_code
from {{ current_rows('raw_google_ads__campaigns') }}
