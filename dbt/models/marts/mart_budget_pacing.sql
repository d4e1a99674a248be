-- How a budget is being spent, day by day of its period: projects' budgets between their dates, campaigns' daily budgets over
-- the calendar month. A day that is not complete yet counts neither as elapsed nor as spent.
with complete as (

    select organization_id, platform, account_id, max(date_day) as last_day
    from {{ ref('mart_provisional_days') }}
    where is_complete
    group by organization_id, platform, account_id

),

spent as (

    select
        facts.organization_id as organization_id, facts.platform as platform, facts.account_id as account_id, facts.campaign_id as campaign_id,
        facts.date_day as date_day, facts.currency_code as currency_code, sum(facts.spend) as day_spend
    from {{ ref('fct_ad_performance_daily') }} as facts
    inner join complete using (organization_id, platform, account_id)
    where facts.date_day <= complete.last_day
    group by organization_id, platform, account_id, campaign_id, date_day, currency_code

),

-- A campaign's budget of a month: its daily budget as it stood on each day.
campaign_budgets as (

    select
        organization_id, 'campaign' as budget_type, concat(platform, '/', account_id, '/', campaign_id) as budget_id, any(versions.campaign_name) as budget_name,
        platform, account_id, campaign_id, currency_code,
        toStartOfMonth(day) as period_start, toLastDayOfMonth(day) as period_end, sum(ifNull(versions.daily_budget, 0)) as budget
    from (
        select
            *,
            arrayJoin(arrayMap(
                n -> toStartOfMonth(observed_from) + n,
                range(toUInt32(greatest(0, 1 + dateDiff('day', toStartOfMonth(observed_from), toLastDayOfMonth(ifNull(valid_to, last_day))))))
            )) as day
        from {{ ref('dim_campaign_history') }}
        inner join complete using (organization_id, platform, account_id)
    ) as versions
    where daily_budget is not null
        and day >= if(valid_from = toDate('1970-01-01'), toStartOfMonth(observed_from), valid_from) and day <= ifNull(valid_to, toLastDayOfMonth(last_day))
    group by organization_id, platform, account_id, campaign_id, currency_code, period_start, period_end
    having budget > 0

),

campaign_days as (

    select
        budgets.organization_id as organization_id, budget_type, budget_id, budget_name, budgets.currency_code as currency_code, period_start, period_end, budget,
        spent.date_day as date_day, day_spend
    from campaign_budgets as budgets
    inner join spent using (organization_id, platform, account_id, campaign_id, currency_code)
    where spent.date_day between period_start and period_end

),

project_days as (

    select
        budgets.organization_id as organization_id, 'project' as budget_type, budgets.project_id as budget_id, any(budgets.project_name) as budget_name,
        budgets.currency_code as currency_code, budgets.start_date as period_start, budgets.end_date as period_end, any(budgets.budget) as budget,
        spent.date_day as date_day, sum(spent.day_spend) as day_spend
    from {{ ref('stg_mrm__project_budgets') }} as budgets
    inner join {{ ref('dim_account_project') }} as accounts on budgets.organization_id = accounts.organization_id and budgets.project_id = accounts.project_id
    inner join spent on accounts.organization_id = spent.organization_id and accounts.platform = spent.platform and accounts.account_id = spent.account_id
        and budgets.currency_code = spent.currency_code
    where spent.date_day between budgets.start_date and budgets.end_date
        and spent.date_day >= accounts.since and spent.date_day <= ifNull(accounts.until, spent.date_day)
    group by organization_id, budget_id, currency_code, period_start, period_end, date_day

),

paced as (

    select
        organization_id, budget_type, budget_id, any(days.budget_name) as budget_name, currency_code, period_start, period_end, date_day,
        any(days.budget) as budget,
        sum(sum(day_spend)) over (partition by organization_id, budget_type, budget_id, currency_code, period_start order by date_day) as spent_to_date,
        sum(sum(day_spend)) over (
            partition by organization_id, budget_type, budget_id, currency_code, period_start order by date_day range between 6 preceding and current row
        ) as spent_7_days,
        dateDiff('day', period_start, date_day) + 1 as elapsed_days,
        dateDiff('day', period_start, period_end) + 1 as period_days
    from (
        select * from campaign_days
        union all
        select * from project_days
    ) as days
    group by organization_id, budget_type, budget_id, currency_code, period_start, period_end, date_day

)

select
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(budget_type as LowCardinality(String)) as budget_type,
    cast(budget_id as String) as budget_id,
    cast(budget_name as String) as budget_name,
    cast(date_day as Date) as date_day,
    cast(period_start as Date) as period_start,
    cast(period_end as Date) as period_end,
    cast(currency_code as LowCardinality(String)) as currency_code,
    cast(budget as Decimal(18, 6)) as budget,
    cast(spent_to_date as Decimal(18, 6)) as spent_to_date,
    cast(elapsed_days / period_days as Float64) as elapsed_share,
    cast(toDecimal128(budget, 6) * elapsed_days / period_days as Decimal(18, 6)) as expected_to_date,
    cast(toFloat64(spent_to_date) / nullIf(toFloat64(budget) * elapsed_days / period_days, 0) as Nullable(Float64)) as pace,
    cast(toDecimal128(spent_7_days, 6) / least(7, elapsed_days) as Decimal(18, 6)) as run_rate,
    cast(spent_to_date + toDecimal128(spent_7_days, 6) / least(7, elapsed_days) * (period_days - elapsed_days) as Decimal(18, 6)) as forecast,
    cast(if(period_days = elapsed_days, null, toDecimal128(budget - spent_to_date, 6) / greatest(1, period_days - elapsed_days)) as Nullable(Decimal(18, 6))) as required_daily
from paced
