{{ staged('keyword_daily', dict({
    'campaign_id': 'String', 'ad_group_id': 'String', 'keyword_id': 'String', 'keyword_text': 'String', 'match_type': 'String', 'date_day': 'Date',
}, **delivery_measures())) }}
