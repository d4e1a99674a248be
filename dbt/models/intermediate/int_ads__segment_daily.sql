{{ staged('segment_daily', dict({
    'campaign_id': 'String', 'segment': 'String', 'segment_value': 'String', 'date_day': 'Date',
}, **delivery_measures())) }}
