select
    _organization_id as organization_id,
    _integration_id as integration_id,
    _account_id as account_id,
    _date as date_day,
    watchID as hit_id,
    clientID as client_id,
    parseDateTimeBestEffort(dateTime, 'UTC') as date_time,
    URL as url,
    title,
    referer,
    isPageView = '1' as is_page_view,
    arrayFilter(goal -> goal != '', splitByChar(',', trim(both '[]' from goalsID))) as goals
from {{ current_rows('raw_yandex_metrica__hits') }}
