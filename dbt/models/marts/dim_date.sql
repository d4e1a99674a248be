-- The calendar that dbt's semantic layer asks for.
select toDate('2015-01-01') + number as date_day
from numbers(dateDiff('day', toDate('2015-01-01'), toDate('2050-01-01')))
