{{ staged('search_term_daily', dict({
    'campaign_id': 'String', 'ad_group_id': 'String', 'search_term': 'String', 'keyword_text': 'String', 'date_day': 'Date',
}, **delivery_measures())) }}
