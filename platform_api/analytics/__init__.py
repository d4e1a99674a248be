"""Numbers through the metric door: metrics, dashboard, insights, reports written now."""
