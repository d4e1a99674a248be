-- A weekly budget is a daily one seven times over.
select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as observed_day,
    Id as campaign_id,
    Name as campaign_name,
    lower(State) as status,
    cast(toDecimal64(toDecimal128(coalesce(DailyBudget_Amount, intDiv(WeeklySpendLimit, 7)), 6) / 1000000, 6) as Nullable(Decimal(18, 6))) as daily_budget,
    ifNull(Currency, '') as currency_code
from {{ current_rows('raw_yandex_direct__campaigns') }}
