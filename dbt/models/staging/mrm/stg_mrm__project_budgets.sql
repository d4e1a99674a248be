-- Only the newest snapshot counts, also when it is empty: the newest day comes from the slices, not from the rows.
with newest as (

    select organization_id, integration_id, max(date) as observed_day
    from {{ source('raw', 'pinned_slices') }}
    where report = 'raw_mrm__project_budgets'
    group by organization_id, integration_id

),

budgets as (

    select * from {{ current_rows('raw_mrm__project_budgets') }}

)

select
    budgets._organization_id as organization_id,
    budgets.project_id as project_id,
    budgets.project_name as project_name,
    budgets.budget as budget,
    budgets.currency as currency_code,
    budgets.start_date as start_date,
    budgets.end_date as end_date,
    newest.observed_day as observed_day
from budgets
inner join newest
    on budgets._organization_id = newest.organization_id
    and budgets._integration_id = newest.integration_id
    and budgets._date = newest.observed_day
