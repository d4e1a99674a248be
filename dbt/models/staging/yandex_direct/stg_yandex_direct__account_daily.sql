select
    {{ direct_keys() }},
    {{ direct_measures() }}
from ({{ direct_reported('raw_yandex_direct__account_daily') }})
