"""Google Ads: queries, refusals and the tree of customers, over the gRPC and the REST wire."""

import re
from datetime import date

import pytest

from sandbox.google_ads.errors import CATEGORIES, CODES
from sandbox.google_ads.fields import ENUMS, FIELDS, RESOURCES
from sandbox.google_ads.wire import integer, message, text

ME, US, ROOT, OAK = "2417305861", "5509318274", "8880001112", "8880002002"
WINDOW = "segments.date BETWEEN '2026-10-01' AND '2026-10-31'"


def test_the_direct_customers_are_listed(agency):
    answer = agency.google.unary("CustomerService", "ListAccessibleCustomers", b"")
    assert answer[1] == [f"customers/{ROOT}".encode(), f"customers/{ME}".encode()]


def test_the_tree_has_managers_within_managers_and_a_canceled_account(agency):
    rows = agency.google.rows(ROOT, "SELECT customer_client.id, customer_client.level, customer_client.manager, customer_client.status FROM customer_client")
    tree = {str(r.customer_client.id): (r.customer_client.level, r.customer_client.manager, r.customer_client.status) for r in rows}
    assert tree[ROOT] == (0, True, 2)
    assert tree[OAK] == (1, True, 2)
    assert tree[US] == (2, False, 2)
    assert tree["6606606606"] == (1, False, 3)


def test_clients_can_be_narrowed_to_what_can_be_read(agency):
    query = "SELECT customer_client.id FROM customer_client WHERE customer_client.manager = FALSE AND customer_client.status = 'ENABLED'"
    assert len(agency.google.rows(ROOT, query)) == 3


def test_types_are_the_apis_own(agency):
    query = (
        "SELECT customer.id, customer.currency_code, customer.time_zone, campaign.id, campaign.name, campaign.status, "
        "campaign.advertising_channel_type, metrics.impressions, metrics.cost_micros, metrics.conversions, segments.date "
        f"FROM campaign WHERE {WINDOW} AND campaign.advertising_channel_type = 'PERFORMANCE_MAX' LIMIT 1"
    )
    (row,) = agency.google.rows(ME, query)
    assert row.customer.resource_name == f"customers/{ME}"
    assert (row.customer.currency_code, row.customer.time_zone) == ("RUB", "Europe/Moscow")
    assert row.campaign.resource_name == f"customers/{ME}/campaigns/{row.campaign.id}"
    assert row.campaign.advertising_channel_type == 10
    assert row.campaign.status == 2
    assert row.metrics.cost_micros > 0
    assert isinstance(row.metrics.conversions, float)
    assert row.segments.date == "2026-10-01"


def test_a_zero_that_was_asked_for_is_there(serve):
    bench = serve({"platform": "google_ads", "clicks": "0"})
    (row,) = bench.google.rows("1234567890", "SELECT metrics.clicks, metrics.impressions FROM customer WHERE segments.date = '2026-11-01'")
    assert row.metrics.HasField("clicks")
    assert row.metrics.clicks == 0


def test_rows_of_zeros_are_missing_where_the_query_segments(serve):
    nothing = {"impressions": "0", "clicks": "0", "spend": "0", "conversions": "0", "conversions_value": "0"}
    bench = serve({"platform": "google_ads"}, {"platform": "google_ads", "campaign_id": "12", "ad_id": "32", "ad_group_id": "22", **nothing})
    select = "SELECT campaign.id, metrics.clicks{} FROM campaign WHERE segments.date = '2026-11-01'"
    assert [r.campaign.id for r in bench.google.rows("1234567890", select.format(", segments.date"))] == [11]
    assert [r.campaign.id for r in bench.google.rows("1234567890", select.format(""))] == [11, 12]
    assert [r.campaign.id for r in bench.google.rows("1234567890", "SELECT campaign.id FROM campaign")] == [11, 12]


def test_only_the_selected_metrics_decide_whether_a_row_is_zero(serve):
    bench = serve({"platform": "google_ads", "clicks": "0", "conversions": "0"})
    query = "SELECT {} , segments.date FROM campaign WHERE segments.date = '2026-11-01'"
    assert bench.google.rows("1234567890", query.format("metrics.clicks, metrics.conversions")) == []
    assert len(bench.google.rows("1234567890", query.format("metrics.impressions"))) == 1


def test_a_paused_campaign_says_so(serve, agency):
    rows = agency.google.rows(ME, "SELECT campaign.name, campaign.status FROM campaign")
    assert {r.campaign.status for r in rows} == {2}
    ended = agency.graph_rows("act_1029384756102938/campaigns", fields="name,status")
    assert [c["name"] for c in ended if c["status"] == "PAUSED"] == ['Traffic | "Тихая гавань" (блог)']


@pytest.mark.parametrize(
    ("where", "days"),
    [
        ("segments.date = '2026-10-05'", 1),
        ("segments.date IN ('2026-10-05', '2026-10-09')", 2),
        ("segments.date >= '2026-10-05' AND segments.date < '2026-10-08'", 3),
        ("segments.date > '2026-10-05' AND segments.date <= '2026-10-08'", 3),
        ("segments.date BETWEEN '2026-10-05' AND '2026-10-11' AND segments.week = '2026-10-05'", 7),
        ("segments.month = '2026-10-01'", 31),
        ("segments.date DURING LAST_7_DAYS", 7),
        ("segments.date DURING TODAY", 1),
        ("segments.date DURING LAST_MONTH", 31),
        ("segments.date DURING THIS_MONTH", 23),
        ("segments.date DURING LAST_WEEK_MON_SUN", 7),
        ("segments.date BETWEEN '2030-01-01' AND '2030-02-01'", 0),
    ],
)
def test_dates_are_filtered(agency, where, days):
    rows = agency.google.rows(ME, f"SELECT segments.date, metrics.impressions FROM customer WHERE {where}")
    assert len({r.segments.date for r in rows}) == len(rows) == days


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("campaign.name LIKE '%кухни%'", ["Поиск | Кухни на заказ"]),
        ("campaign.name = 'Поиск | Бренд \"Северный дом\"'", ['Поиск | Бренд "Северный дом"']),
        ('campaign.name REGEXP_MATCH ".*Корзина.*|.*корзина.*"', ["КМС | Ремаркетинг «Брошенная корзина»"]),
        ("campaign.id IN (20411000001, 20411005001) AND campaign.name NOT LIKE '%новая%'", ["Поиск | Диваны и кресла"]),
        ("campaign.advertising_channel_type != 'SEARCH' AND campaign.advertising_channel_type NOT IN ('DISPLAY')", ["Performance Max — товарный фид"]),
        ("campaign.name IS NULL", []),
        ("campaign.start_date_time IS NULL AND campaign.id < 20411000002", ["Поиск | Диваны и кресла"]),
    ],
)
def test_attributes_are_filtered(agency, where, names):
    assert [r.campaign.name for r in agency.google.rows(ME, f"SELECT campaign.name FROM campaign WHERE {where}")] == names


def test_order_and_limit_are_kept(agency):
    query = f"SELECT campaign.id, metrics.cost_micros FROM campaign WHERE {WINDOW} ORDER BY metrics.cost_micros DESC LIMIT 3"
    costs = [r.metrics.cost_micros for r in agency.google.rows(ME, query)]
    assert costs == sorted(costs, reverse=True)
    assert len(costs) == 3


def test_metrics_are_filtered_after_they_are_summed(agency):
    query = f"SELECT campaign.id, metrics.clicks FROM campaign WHERE {WINDOW} AND metrics.clicks > {{}}"
    every = sorted(r.metrics.clicks for r in agency.google.rows(ME, query.format(0)))
    assert len(agency.google.rows(ME, query.format(every[0]))) == len(every) - 1


def test_a_split_by_conversion_action_adds_up(serve):
    rows = [{"conversion_action": n, "conversions": c, "impressions": "0", "clicks": "0", "spend": "0"} for n, c in (("Lead", "1.5"), ("Purchase", "3"))]
    bench = serve(*({"platform": "google_ads", **r} for r in rows))
    query = "SELECT segments.conversion_action, segments.conversion_action_name, metrics.conversions FROM campaign WHERE segments.date = '2026-11-01'"
    found = bench.google.rows("1234567890", query)
    assert {r.segments.conversion_action_name: r.metrics.conversions for r in found} == {"Lead": 1.5, "Purchase": 3.0}
    actions = bench.google.rows("1234567890", "SELECT conversion_action.name, conversion_action.click_through_lookback_window_days FROM conversion_action")
    assert {r.conversion_action.resource_name for r in actions} == {r.segments.conversion_action for r in found}


def test_the_device_is_a_segment(serve):
    bench = serve({"platform": "google_ads", "device": "mobile"}, {"platform": "google_ads", "device": "desktop"})
    rows = bench.google.rows("1234567890", "SELECT segments.device, metrics.clicks FROM ad_group WHERE segments.date = '2026-11-01'")
    assert sorted(r.segments.device for r in rows) == [2, 4]
    bench = serve(*({"platform": "google_ads", "device": name} for name in ("console", "Smart fridge", "MOBILE", "mobile")))
    rows = bench.google.rows("1234567890", "SELECT segments.device, metrics.clicks FROM campaign WHERE segments.date = '2026-11-01'")
    assert sorted((r.segments.device, r.metrics.clicks) for r in rows) == [(1, 20), (2, 20)]


def test_keywords_and_search_terms_are_views_of_their_own(serve):
    bench = serve(
        {"platform": "google_ads", "keyword": "sofa", "search_term": "red sofa"},
        {"platform": "google_ads", "keyword": "sofa", "search_term": "blue sofa", "clicks": "1"},
        {"platform": "google_ads", "keyword": "", "search_term": "", "clicks": "5"},
    )
    tail = "WHERE segments.date = '2026-11-01' AND metrics.clicks > 0"
    select = "ad_group_criterion.criterion_id, ad_group_criterion.keyword.text, ad_group_criterion.keyword.match_type, metrics.clicks, segments.date"
    (keyword,) = bench.google.rows("1234567890", f"SELECT {select} FROM keyword_view {tail}")
    assert (keyword.ad_group_criterion.keyword.text, keyword.metrics.clicks) == ("sofa", 11)
    assert keyword.keyword_view.resource_name == f"customers/1234567890/keywordViews/21~{keyword.ad_group_criterion.criterion_id}"
    terms = bench.google.rows("1234567890", f"SELECT search_term_view.search_term, metrics.clicks FROM search_term_view {tail}")
    assert {t.search_term_view.search_term: t.metrics.clicks for t in terms} == {"red sofa": 10, "blue sofa": 1}


def test_a_segment_that_the_dataset_lacks_still_drops_rows_of_zeros(serve):
    nothing = {"impressions": "0", "clicks": "0", "spend": "0", "conversions": "0", "conversions_value": "0"}
    bench = serve({"platform": "google_ads", **nothing})
    query = "SELECT campaign.id, metrics.clicks{} FROM campaign WHERE segments.date = '2026-11-01'"
    assert len(bench.google.rows("1234567890", query.format(""))) == 1
    assert bench.google.rows("1234567890", query.format(", segments.ad_network_type")) == []


def test_resources_without_data_answer_no_rows(agency):
    assert agency.google.rows(ME, "SELECT topic_view.resource_name, metrics.clicks FROM topic_view") == []


QUERY_ERRORS = {
    "SELECT campaign.nonsense FROM campaign": "UNRECOGNIZED_FIELD",
    "SELECT metrics.spend FROM campaign": "UNRECOGNIZED_FIELD",
    "SELECT campaign.id FROM nonsense": "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE",
    "FROM campaign": "EXPECTED_SELECT",
    "SELECT campaign.id": "EXPECTED_FROM",
    "SELECT campaign.id FROM campaign WHERE campaign.id = 1 campaign.name = 'a'": "EXPECTED_AND",
    "SELECT campaign.id FROM campaign ORDER campaign.id": "EXPECTED_BY",
    "SELECT campaign.id FROM campaign LIMIT many": "BAD_LIMIT_VALUE",
    "SELECT campaign.id FROM campaign LIMIT 0": "LIMIT_VALUE_TOO_LOW",
    "SELECT campaign.id FROM campaign WHERE campaign.id IN ()": "PROHIBITED_EMPTY_LIST_IN_CONDITION",
    "SELECT campaign.id FROM campaign WHERE campaign.name = 'open": "STRING_NOT_TERMINATED",
    "SELECT campaign.id FROM campaign WHERE campaign.id ~ 1": "BAD_SYMBOL",
    "SELECT campaign.id FROM campaign WHERE campaign.id = 'abc'": "BAD_NUMBER",
    "SELECT campaign.id FROM campaign WHERE campaign.status = 'SLEEPING'": "BAD_ENUM_CONSTANT",
    "SELECT campaign.id FROM campaign WHERE campaign.id LIKE '1%'": "OPERATOR_FIELD_MISMATCH",
    "SELECT campaign.id FROM campaign WHERE segments.date DURING LAST_CENTURY": "INVALID_VALUE_WITH_DURING_OPERATOR",
    "SELECT campaign.id, segments.date FROM campaign WHERE segments.date = '2026/10/01'": "INVALID_DATE_FORMAT",
    "SELECT campaign.id, segments.date FROM campaign WHERE segments.date BETWEEN '2026-10-02' AND '2026-10-01'": "INVALID_VALUE_WITH_BETWEEN_OPERATOR",
    "SELECT segments.date, metrics.clicks FROM campaign": "EXPECTED_FILTERS_ON_DATE_RANGE",
    "SELECT segments.date, metrics.clicks FROM campaign WHERE segments.date >= '2026-10-01'": "EXPECTED_FILTERS_ON_DATE_RANGE",
    "SELECT metrics.clicks FROM campaign WHERE segments.device = 'MOBILE'": "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
    f"SELECT campaign.id FROM campaign WHERE {WINDOW} ORDER BY metrics.clicks": "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
    "SELECT ad_group.id FROM campaign": "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE",
    "SELECT campaign.id FROM campaign WHERE ad_group.id = 1": "PROHIBITED_RESOURCE_TYPE_IN_WHERE_CLAUSE",
    "SELECT customer_client.id, metrics.clicks FROM customer_client": "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
    "SELECT segments.conversion_action, metrics.clicks FROM campaign": "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
    "SELECT campaign.id FROM campaign PARAMETERS what=true": "BAD_PARAMETER_NAME",
    "SELECT segments.month, metrics.clicks FROM customer WHERE segments.month = '2026-10-05'": "MISALIGNED_DATE_FOR_FILTER",
    "": "EXPECTED_SELECT",
}


@pytest.mark.parametrize("query", QUERY_ERRORS)
def test_a_bad_query_is_refused_with_the_apis_code(agency, query):
    error = agency.google.refused(agency.google.rows, ME, query)
    assert (error.status, error.category) == ("INVALID_ARGUMENT", "query_error")
    assert error.code == CODES["query_error"][QUERY_ERRORS[query]], error.message
    assert re.fullmatch(r"[\w-]{22}", error.request_id)


def test_a_manager_carries_no_metrics(agency):
    error = agency.google.refused(agency.google.rows, ROOT, f"SELECT metrics.clicks FROM customer WHERE {WINDOW}")
    assert error.code == CODES["query_error"]["REQUESTED_METRICS_FOR_MANAGER"]


REFUSALS = {
    "no token": ({"authorization": ""}, ME, "UNAUTHENTICATED", "authentication_error", "OAUTH_TOKEN_HEADER_INVALID"),
    "an expired token": ({"authorization": "Bearer expired-1"}, ME, "UNAUTHENTICATED", "authentication_error", "OAUTH_TOKEN_EXPIRED"),
    "a foreign token": ({"authorization": "Bearer ya29.what"}, ME, "UNAUTHENTICATED", "authentication_error", "OAUTH_TOKEN_INVALID"),
    "no developer token": ({"developer_token": ""}, ME, "INVALID_ARGUMENT", "request_error", "DEVELOPER_TOKEN_PARAMETER_MISSING"),
    "a short developer token": ({"developer_token": "short"}, ME, "UNAUTHENTICATED", "authentication_error", "DEVELOPER_TOKEN_INVALID"),
    "a login that is no id": ({"login_customer_id": "me"}, ME, "INVALID_ARGUMENT", "header_error", "INVALID_LOGIN_CUSTOMER_ID"),
    "no login for a managed account": ({"login_customer_id": ""}, US, "PERMISSION_DENIED", "authorization_error", "USER_PERMISSION_DENIED"),
    "the login of another manager": ({"login_customer_id": "8880002001"}, US, "PERMISSION_DENIED", "authorization_error", "USER_PERMISSION_DENIED"),
    "an unknown customer": ({}, "1111111111", "PERMISSION_DENIED", "authorization_error", "USER_PERMISSION_DENIED"),
    "a canceled customer": ({}, "6606606606", "PERMISSION_DENIED", "authorization_error", "CUSTOMER_NOT_ENABLED"),
    "a customer id with dashes": ({}, "241-730-5861", "INVALID_ARGUMENT", "request_error", "INVALID_CUSTOMER_ID"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_call_without_the_right_is_refused(agency, case):
    headers, customer, status, category, code = REFUSALS[case]
    error = agency.google.refused(agency.google.rows, customer, "SELECT customer.id FROM customer", **headers)
    assert (error.status, error.category, error.code) == (status, category, CODES[category][code])


def test_the_nearer_manager_opens_its_accounts(agency):
    assert len(agency.google.rows(US, "SELECT customer.id FROM customer", login_customer_id=OAK)) == 1


@pytest.mark.parametrize("version", ["v23", "v24", "v25", "v26"])
def test_every_living_version_answers(agency, version):
    assert len(agency.google.rows(ME, "SELECT customer.id FROM customer", version=version)) == 1


@pytest.mark.parametrize("version", ["v20", "v22", "v27"])
def test_another_version_is_refused_as_unsupported(agency, version):
    error = agency.google.refused(agency.google.rows, ME, "SELECT customer.id FROM customer", version=version)
    assert error.code == CODES["request_error"]["UNSUPPORTED_VERSION"]
    assert version in error.message


def test_pages_hold_ten_thousand_rows_and_their_tokens_belong_to_the_query(agency):
    query = "SELECT segments.date, ad_group_ad.ad.id, metrics.clicks FROM ad_group_ad WHERE segments.date BETWEEN '2025-10-20' AND '2026-11-23'"
    request = text(1, ME) + text(2, query)
    first = agency.google.unary("GoogleAdsService", "Search", request + message(10, integer(3, 1)))
    assert len(first[1]) == 10_000
    second = agency.google.unary("GoogleAdsService", "Search", request + text(3, first[2][0].decode()))
    third = agency.google.unary("GoogleAdsService", "Search", request + text(3, second[2][0].decode()))
    assert first[3] == [20_000 + len(third[1])]
    assert 2 not in third
    assert len(set(first[1]) & set(second[1])) == 0
    other = text(1, ME) + text(2, "SELECT customer.id FROM customer") + text(3, first[2][0].decode())
    assert agency.google.refused(agency.google.unary, "GoogleAdsService", "Search", other).code == CODES["request_error"]["INVALID_PAGE_TOKEN"]
    assert (
        agency.google.refused(agency.google.unary, "GoogleAdsService", "Search", request + integer(4, 50)).code
        == CODES["request_error"]["PAGE_SIZE_NOT_SUPPORTED"]
    )


def test_stream_batches_hold_ten_thousand_rows(agency):
    agency.google.rows(ME, "SELECT segments.date, ad_group_ad.ad.id, metrics.clicks FROM ad_group_ad WHERE segments.date BETWEEN '2025-10-20' AND '2026-11-23'")
    assert agency.google.batches[:2] == [10_000, 10_000]
    assert "request-id" in agency.google.trailing


def test_our_tables_agree_with_the_packages_descriptors():
    from google.ads.googleads.v26.errors.types.errors import ErrorCode
    from google.ads.googleads.v26.services.types.google_ads_service import GoogleAdsRow

    row = GoogleAdsRow.pb(GoogleAdsRow()).DESCRIPTOR
    kinds = {"s": 9, "date": 9, "i": 3, "d": 1, "b": 8}
    for name, number in RESOURCES.items():
        assert row.fields_by_name[name].number == number, name
    for name, field in FIELDS.items():
        at = row
        for part, number in zip(name.split("."), (RESOURCES[field.resource], *field.path), strict=True):
            found = at.fields_by_name.get(part) or at.fields_by_name[f"{part}_"]
            assert found.number == number, name
            at = found.message_type
        if field.type in ENUMS:
            known = {v.name: v.number for v in found.enum_type.values}
            assert ENUMS[field.type].items() <= known.items(), name
        else:
            assert found.type in (kinds[field.type], 5 if name == "segments.year" else kinds[field.type]), name
    codes = ErrorCode.pb(ErrorCode()).DESCRIPTOR
    for category, number in CATEGORIES.items():
        found = codes.fields_by_name[category]
        assert found.number == number
        known = {v.name: v.number for v in found.enum_type.values}
        assert CODES[category].items() <= known.items(), category


def test_dataset_accounts_are_open_directly_and_through_the_manager(serve):
    bench = serve({"platform": "google_ads"}, today=date(2026, 11, 23))
    for login in ("", ROOT):
        assert len(bench.google.rows("1234567890", "SELECT customer.id FROM customer", login_customer_id=login)) == 1


def test_resource_names_can_be_left_out(agency):
    (row,) = agency.google.rows(ME, "SELECT customer.currency_code FROM customer PARAMETERS omit_unselected_resource_names = true, include_drafts=false")
    assert row.customer.resource_name == ""
    assert row.customer.currency_code == "RUB"


def test_a_message_that_is_none_is_an_invalid_argument(agency):
    error = agency.google.refused(agency.google.unary, "GoogleAdsService", "Search", b"\x0a\xff")
    assert error.status == "INVALID_ARGUMENT"
    assert agency.google.refused(agency.google.unary, "GoogleAdsService", "Mutate", b"").status == "UNIMPLEMENTED"


def test_words_of_the_language_may_be_in_any_case_and_spacing(agency):
    query = f"select campaign.id,metrics.clicks\n from campaign\twhere {WINDOW} and campaign.id is not null order by campaign.id asc limit 2"
    assert [r.campaign.id for r in agency.google.rows(ME, query)] == [20411000001, 20411001001]


@pytest.mark.parametrize(
    ("during", "since", "until"),
    [
        ("TODAY", "2026-11-23", "2026-11-23"),
        ("YESTERDAY", "2026-11-22", "2026-11-22"),
        ("LAST_14_DAYS", "2026-11-09", "2026-11-22"),
        ("LAST_BUSINESS_WEEK", "2026-11-16", "2026-11-20"),
        ("LAST_WEEK_SUN_SAT", "2026-11-15", "2026-11-21"),
        ("THIS_WEEK_MON_TODAY", "2026-11-23", "2026-11-23"),
        ("THIS_WEEK_SUN_TODAY", "2026-11-22", "2026-11-23"),
    ],
)
def test_named_ranges_are_seen_from_the_accounts_today(agency, during, since, until):
    rows = agency.google.rows(ME, f"SELECT segments.date, metrics.clicks FROM customer WHERE segments.date DURING {during} ORDER BY segments.date")
    assert (rows[0].segments.date, rows[-1].segments.date) == (since, until)


@pytest.mark.parametrize(("segment", "first"), [("week", "2026-09-28"), ("month", "2026-10-01"), ("quarter", "2026-10-01"), ("year", 2026)])
def test_dates_can_be_coarser(agency, segment, first):
    rows = agency.google.rows(ME, f"SELECT segments.{segment}, metrics.clicks FROM customer WHERE {WINDOW} ORDER BY segments.{segment}")
    assert getattr(rows[0].segments, segment) == first
    (whole,) = agency.google.rows(ME, f"SELECT metrics.clicks FROM customer WHERE {WINDOW}")
    assert sum(r.metrics.clicks for r in rows) == whole.metrics.clicks


def test_the_weekday_is_an_enum(agency):
    rows = agency.google.rows(ME, "SELECT segments.day_of_week, segments.date, metrics.clicks FROM customer WHERE segments.date = '2026-11-22'")
    assert rows[0].segments.day_of_week == 8
