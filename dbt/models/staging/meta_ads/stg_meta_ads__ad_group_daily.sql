{{ meta_insights('raw_meta_ads__ad_set_daily', [
    'campaign_id',
    "ifNull(campaign_name, '') as campaign_name",
    'adset_id as ad_group_id',
    "ifNull(adset_name, '') as ad_group_name",
]) }}
