{{ staged('ad_group_daily', dict({
    'campaign_id': 'String', 'campaign_name': 'String', 'ad_group_id': 'String', 'ad_group_name': 'String', 'date_day': 'Date',
}, **delivery_measures())) }}
