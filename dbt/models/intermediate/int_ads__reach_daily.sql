{{ staged('reach_daily', {
    'level': 'String', 'campaign_id': 'String', 'ad_group_id': 'String', 'ad_id': 'String', 'date_day': 'Date',
    'impressions': 'Int64', 'people': 'Int64',
}) }}
