-- Only the newest snapshot counts, also when it is empty: the newest day comes from the slices, not from the rows.
with newest as (

    select organization_id, integration_id, max(date) as observed_day
    from {{ source('raw', 'pinned_slices') }}
    where report = 'raw_mrm__account_assignments'
    group by organization_id, integration_id

),

assignments as (

    select * from {{ current_rows('raw_mrm__account_assignments') }}

)

select
    assignments._organization_id as organization_id,
    assignments.project_id as project_id,
    assignments.project_name as project_name,
    assignments.client_name as client_name,
    assignments.platform as platform,
    assignments.account_id as account_id,
    assignments.since as since,
    assignments.until as until,
    newest.observed_day as observed_day
from assignments
inner join newest
    on assignments._organization_id = newest.organization_id
    and assignments._integration_id = newest.integration_id
    and assignments._date = newest.observed_day
