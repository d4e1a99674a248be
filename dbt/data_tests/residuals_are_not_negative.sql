{{ config(severity='warn') }}

-- Parts that add up to more than their whole: restated between two pulls, or vanished at one level only. Kept, and said.
select organization_id, platform, account_id, campaign_id, date_day, impressions, clicks, spend, conversions, conversions_value
from {{ ref('fct_ad_performance_daily') }}
where {{ in_changed_months('date_day') }}
    and level_of_row != 'ad'
    and (impressions < 0 or clicks < 0 or spend < 0 or conversions < 0 or conversions_value < 0)
