-- Budgets come in minor units. A campaign without one leaves it to its ad sets.
with currencies as (

    select
        _organization_id as organization_id,
        _integration_id as integration_id,
        _account_id as account_id,
        argMax(currency, _date) as currency_code
    from {{ current_rows('raw_meta_ads__accounts') }}
    group by organization_id, integration_id, account_id

)

select
    campaigns._organization_id as organization_id,
    campaigns._integration_id as integration_id,
    campaigns._account_id as account_id,
    campaigns._date as observed_day,
    campaigns.id as campaign_id,
    ifNull(campaigns.name, '') as campaign_name,
    lower(ifNull(campaigns.effective_status, ifNull(campaigns.status, ''))) as status,
    cast(
        if(currencies.currency_code is null, null, toDecimal128(nullIf(campaigns.daily_budget, 0), 6) / {{ meta_minor_units('currencies.currency_code') }})
        as Nullable(Decimal(18, 6))
    ) as daily_budget,
    ifNull(currencies.currency_code, '') as currency_code
from {{ current_rows('raw_meta_ads__campaigns') }} as campaigns
left join currencies
    on campaigns._organization_id = currencies.organization_id
    and campaigns._integration_id = currencies.integration_id
    and campaigns._account_id = currencies.account_id
