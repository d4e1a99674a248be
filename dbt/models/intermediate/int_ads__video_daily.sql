{{ staged('video_daily', {
    'campaign_id': 'String', 'ad_group_id': 'String', 'ad_id': 'String', 'date_day': 'Date',
    'impressions': 'Int64', 'plays': 'Int64', 'thruplays': 'Nullable(Int64)',
}) }}
