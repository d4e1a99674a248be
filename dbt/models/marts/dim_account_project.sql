{{ config(materialized=stored('table'), order_by=['organization_id', 'project_id', 'platform', 'account_id', 'since']) }}

select distinct
    cast(organization_id as LowCardinality(String)) as organization_id,
    cast(project_id as String) as project_id,
    cast(project_name as String) as project_name,
    cast(client_name as String) as client_name,
    cast(platform as LowCardinality(String)) as platform,
    cast(account_id as String) as account_id,
    cast(since as Date) as since,
    cast(until as Nullable(Date)) as until
from {{ ref('stg_mrm__account_assignments') }}
