"""Which fields each node of the Graph API has, as far as advertising reports ask for them."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACCOUNT = _names(
    "account_id account_status ad_account_promotable_objects age agency_client_declaration amount_spent attribution_spec balance business business_city "
    "business_country_code business_name business_state business_street business_street2 business_zip can_create_brand_lift_study capabilities created_time "
    "currency default_dsa_beneficiary default_dsa_payor disable_reason end_advertiser end_advertiser_name existing_customers "
    "extended_credit_invoice_group failed_delivery_checks fb_entity funding_source funding_source_details has_migrated_permissions "
    "has_page_authorized_adaccount id io_number is_attribution_spec_system_default is_direct_deals_enabled is_in_3ds_authorization_enabled_market "
    "is_notifications_enabled is_personal is_prepay_account is_tax_id_required line_numbers media_agency min_campaign_group_spend_cap min_daily_budget "
    "name offsite_pixels_tos_accepted owner partner rf_spec spend_cap tax_id tax_id_status tax_id_type timezone_id timezone_name "
    "timezone_offset_hours_utc tos_accepted user_access_expire_time user_tasks user_tos_accepted"
)
_ENTITY = (
    "account_id adlabels bid_amount bid_constraints bid_strategy budget_remaining buying_type configured_status created_time daily_budget "
    "effective_status id issues_info lifetime_budget name objective recommendations source_campaign_id special_ad_categories start_time status stop_time "
    "updated_time end_time"
)
CAMPAIGN = _names(
    f"{_ENTITY} account_id boosted_object_id brand_lift_studies budget_rebalance_flag can_create_brand_lift_study can_use_spend_cap campaign_group_active_time "
    "has_secondary_skadnetwork_reporting is_budget_schedule_enabled is_skadnetwork_attribution last_budget_toggling_time pacing_type primary_attribution "
    "promoted_object smart_promotion_type source_campaign special_ad_category special_ad_category_country spend_cap topline_id ads adsets"
)
AD_SET = _names(
    f"{_ENTITY} attribution_spec asset_feed_id billing_event bid_adjustments bid_info campaign campaign_id campaign_active_time campaign_attribution "
    "creative_sequence daily_min_spend_target daily_spend_cap destination_type frequency_control_specs is_dynamic_creative learning_stage_info "
    "lifetime_imps lifetime_min_spend_target lifetime_spend_cap multi_optimization_goal_weight optimization_goal optimization_sub_event pacing_type "
    "promoted_object review_feedback rf_prediction_id source_adset source_adset_id targeting use_new_app_click ads"
)
AD = _names(
    f"{_ENTITY} ad_active_time ad_review_feedback ad_schedule_end_time ad_schedule_start_time adset adset_id bid_info bid_type campaign campaign_id "
    "conversion_domain conversion_specs creative demolink_hash display_sequence engagement_audience failed_delivery_checks last_updated_by_app_id "
    "preview_shareable_link priority source_ad source_ad_id targeting tracking_and_conversion_with_defaults tracking_specs"
)
CREATIVE = _names(
    "account_id actor_id ad_disclaimer_spec adlabels applink_treatment asset_feed_spec authorization_category body branded_content "
    "branded_content_sponsor_page_id bundle_folder_id call_to_action call_to_action_type categorization_criteria category_media_source "
    "collaborative_ads_lsb_image_bank_id contextual_multi_ads creative_sourcing_spec degrees_of_freedom_spec destination_set_id destination_spec "
    "dynamic_ad_voice effective_authorization_category effective_instagram_media_id effective_instagram_story_id effective_object_story_id "
    "enable_direct_install enable_launch_instant_app facebook_branded_content format_transformation_spec generative_asset_spec id image_crops "
    "image_hash image_url instagram_actor_id instagram_branded_content instagram_permalink_url instagram_story_id instagram_user_id "
    "interactive_components_spec link_deep_link_url link_destination_display_url link_og_id link_url media_sourcing_spec "
    "messenger_sponsored_message name object_id object_store_url object_story_id object_story_spec object_type object_url page_id "
    "page_welcome_message photo_album_source_object_story_id place_page_set_id platform_customizations playable_asset_id portrait_customizations "
    "product_data product_set_id product_suggestion_settings recommender_settings referral_id source_facebook_post_id source_instagram_media_id "
    "status template_url template_url_spec thumbnail_id thumbnail_url title url_tags use_page_actor_override video_id"
)
INSIGHTS = _names(
    "account_currency account_id account_name action_values actions ad_click_actions ad_id ad_impression_actions ad_name adset_end adset_id adset_name "
    "adset_start age_targeting attribution_setting auction_bid auction_competitiveness auction_max_competitor_bid average_purchases_conversion_value "
    "buying_type campaign_id campaign_name canvas_avg_view_percent canvas_avg_view_time catalog_segment_actions catalog_segment_value "
    "catalog_segment_value_mobile_purchase_roas catalog_segment_value_omni_purchase_roas catalog_segment_value_website_purchase_roas clicks "
    "conversion_lead_rate conversion_leads conversion_rate_ranking conversion_values conversions converted_product_quantity converted_product_value "
    "cost_per_15_sec_video_view cost_per_2_sec_continuous_video_view cost_per_action_type cost_per_ad_click cost_per_conversion "
    "cost_per_conversion_lead cost_per_dda_countby_convs cost_per_estimated_ad_recallers cost_per_inline_link_click "
    "cost_per_inline_post_engagement cost_per_objective_result cost_per_one_thousand_ad_impression cost_per_outbound_click cost_per_result "
    "cost_per_thruplay cost_per_unique_action_type cost_per_unique_click cost_per_unique_conversion cost_per_unique_inline_link_click "
    "cost_per_unique_outbound_click cpc cpm cpp created_time creative_media_type ctr date_start date_stop dda_countby_convs dda_results "
    "engagement_rate_ranking estimated_ad_recall_rate estimated_ad_recall_rate_lower_bound estimated_ad_recall_rate_upper_bound "
    "estimated_ad_recallers estimated_ad_recallers_lower_bound estimated_ad_recallers_upper_bound frequency full_view_impressions full_view_reach "
    "gender_targeting impressions inline_link_click_ctr inline_link_clicks inline_post_engagement instagram_upcoming_event_reminders_set "
    "instant_experience_clicks_to_open instant_experience_clicks_to_start instant_experience_outbound_clicks interactive_component_tap labels "
    "landing_page_view_actions_per_link_click landing_page_view_per_link_click landing_page_view_per_purchase_rate location marketing_messages_delivered "
    "mobile_app_purchase_roas objective objective_result_rate objective_results onsite_conversion_messaging_detected_purchase_deduped "
    "optimization_goal outbound_clicks outbound_clicks_ctr place_page_name purchase_per_landing_page_view purchase_roas purchases_per_link_click "
    "qualifying_question_qualify_answer_rate quality_ranking reach result_rate results result_values_performance_indicator "
    "shops_assisted_purchases social_spend spend total_card_view total_postbacks total_postbacks_detailed total_postbacks_detailed_v4 unique_actions "
    "unique_clicks unique_conversions unique_ctr unique_inline_link_click_ctr unique_inline_link_clicks unique_link_clicks_ctr unique_outbound_clicks "
    "unique_outbound_clicks_ctr unique_video_continuous_2_sec_watched_actions unique_video_view_15_sec updated_time video_15_sec_watched_actions "
    "video_30_sec_watched_actions video_avg_time_watched_actions video_continuous_2_sec_watched_actions video_p100_watched_actions "
    "video_p25_watched_actions video_p50_watched_actions video_p75_watched_actions video_p95_watched_actions video_play_actions "
    "video_play_curve_actions video_play_retention_0_to_15s_actions video_play_retention_20_to_60s_actions video_play_retention_graph_actions "
    "video_thruplay_watched_actions video_time_watched_actions video_view_per_impression website_ctr website_purchase_roas wish_bid"
)
LEVELS = ("account", "campaign", "adset", "ad")
BREAKDOWNS = _names(
    "age gender country region dma publisher_platform platform_position impression_device device_platform product_id "
    "hourly_stats_aggregated_by_advertiser_time_zone hourly_stats_aggregated_by_audience_time_zone frequency_value place_page_id "
    "body_asset call_to_action_asset description_asset image_asset link_url_asset title_asset video_asset skan_conversion_id"
)
ACTION_BREAKDOWNS = _names(
    "action_canvas_component_name action_carousel_card_id action_carousel_card_name action_converted_product_id action_destination action_device "
    "action_reaction action_target_id action_type action_video_sound action_video_type conversion_destination is_business_ai_assisted "
    "matched_persona_id matched_persona_name signal_source_bucket standard_event_content_type"
)
_DELIVERY = "publisher_platform platform_position impression_device device_platform"
COMBINED = tuple(_names(text) for text in ("age gender", "country region", _DELIVERY))
"""Breakdowns that go together in one request; every other one stands alone."""
OFF_META = _names("region dma hourly_stats_aggregated_by_advertiser_time_zone hourly_stats_aggregated_by_audience_time_zone")
"""With these, actions off Meta's own surfaces are left out."""
REPORT_TIMES = ("impression", "conversion", "mixed", "lifetime")
WINDOWS = frozenset(
    (
        "1d_view",
        "1d_ev",
        "1d_click",
        "7d_click",
        "28d_click",
        "dda",
        "default",
        "incrementality",
        "skan_view",
        "skan_click",
        "skan_click_second_postback",
        "skan_view_second_postback",
        "skan_click_third_postback",
        "skan_view_third_postback",
    )
)
