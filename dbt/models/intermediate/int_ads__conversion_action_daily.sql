{{ staged('conversion_action_daily', {
    'campaign_id': 'String', 'ad_group_id': 'String', 'ad_id': 'String', 'conversion_action_id': 'String', 'conversion_action_name': 'String',
    'attribution_window': 'String', 'attribution_model': 'String', 'is_primary': 'Bool', 'date_day': 'Date',
    'conversions': 'Decimal(18, 6)', 'conversions_value': 'Decimal(18, 6)', 'currency_code': 'String',
}) }}
