"""The marts over a real warehouse: as of any instant, attribution, what is forgotten, what is dropped, what quality says."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import UsageError
from warehouse.as_of import FACTS, create_as_of_views, require_as_of
from warehouse.forgetting import Forgetting, doomed_rows, forget_rows, visitor_slices
from warehouse.pruning import earliest_as_of, prune, require_kept
from warehouse.quality import CHECKS, check_quality, latest_quality

SINCE, UNTIL = date(2025, 4, 21), date(2025, 5, 31)
FIRST = datetime(2025, 6, 1, 12, tzinfo=UTC)
SECOND = FIRST + timedelta(days=1)
_MORE = ("mart_attribution", "mart_budget_pacing", "mart_geo_device", "mart_provisional_days", "dim_campaign_history", "dim_account_history")
MODELS = tuple(f"+{model}" for model in (*FACTS, *_MORE))
"""What the tests and the quality checks read, with what it is made of."""
ELSEWHERE = ("fct_ad_performance_daily", "fct_video_daily", "mart_reach")
"""Held against their views where their data are: by the tests of the ledger, of videos and of reach."""
DAYS = [SINCE + timedelta(days=n) for n in range((UNTIL - SINCE).days + 1)]
MART = "SELECT * FROM marts.{mart} WHERE organization_id = 'org' AND date_day BETWEEN '2025-04-21' AND '2025-05-31' ORDER BY ALL"
AS_OF = "SELECT * FROM marts.{mart}__as_of(as_of = {{as_of:String}}, organization_id = 'org', since = '2025-04-21', until = '2025-05-31') ORDER BY ALL"


def _row(day: date, cost: int, **more: Any) -> dict[str, Any]:
    return {
        "Date": day,
        "Impressions": 100 + day.day,
        "Clicks": 10,
        "Cost": Decimal(cost),
        "Conversions": Decimal(cost) / 20,
        "Revenue": Decimal(20),
        "IncludeVAT": "YES",
        "CampaignId": "c",
        "CampaignName": "Поиск",
        **more,
    }


def _direct(mart: Any, organization: str, at: datetime, cost: int, window: tuple[date, date] = (SINCE, UNTIL)) -> None:
    """Pull an account of Direct: two ads, a goal, two devices, one search term, and an account that spends one more than its campaign."""
    days = [day for day in DAYS if window[0] <= day <= window[1]]

    def pull(report: str, rows: list[dict[str, Any]]) -> None:
        columns = {column.name for column in mart.tables[f"raw_yandex_direct__{report}"].columns}
        kept = [{name: value for name, value in row.items() if name in columns} for row in rows]
        mart.load(f"raw_yandex_direct__{report}", "login", kept, window, organization=organization, at=at)

    group = {"AdGroupId": "g", "AdGroupName": "Группа"}
    pull("ad_daily", [_row(day, cost, AdId=ad, **group) for day in days for ad in ("1", "2")])
    pull("ad_group_daily", [_row(day, 2 * cost, **group) for day in days])
    pull("campaign_daily", [_row(day, 2 * cost + 1) for day in days])
    pull("account_daily", [_row(day, 2 * cost + 2) for day in days])
    pull("device_daily", [_row(day, cost, Device="MOBILE") for day in days])
    pull("search_term_daily", [_row(day, cost, Query="купить диван", CriterionType="KEYWORD", Conversions=None, **group) for day in days])
    pull("conversion_action_daily", [_row(day, 0, GoalId="77", AttributionModel="LSC", Conversions=Decimal(1), **group) for day in days])
    snapshot = {"Login": "login", "Currency": "RUB", "Timezone": "Europe/Moscow", "Archived": False}
    campaign = {"Id": "c", "Name": f"Кампания {cost}", "State": "ON", "Currency": "RUB", "DailyBudget_Amount": 30_000_000, "PriorityGoals": "77"}
    for report, values in (("accounts", snapshot), ("campaigns", campaign)):
        mart.load(f"raw_yandex_direct__{report}", "login", [values], (at.date(), at.date()), organization=organization, at=at)


def _visits(mart: Any, organization: str) -> None:
    """Pull three visits of one visitor that end in a goal, and one of somebody else that does not."""
    mart.load(
        "raw_yandex_metrica__accounts",
        "9",
        [{"id": "9", "name": "Counter", "currency": "RUB", "time_zone_name": "Europe/Moscow"}],
        (FIRST.date(), FIRST.date()),
        organization=organization,
    )
    visits = [
        {"visitID": "v1", "clientID": "me", "dateTime": "2025-05-01 10:00:00", "date": date(2025, 5, 1), "UTMSource": "google", "UTMMedium": "cpc"},
        {"visitID": "v2", "clientID": "me", "dateTime": "2025-05-02 10:00:00", "date": date(2025, 5, 2), "UTMSource": "yandex", "UTMMedium": "cpc"},
        {"visitID": "v3", "clientID": "me", "dateTime": "2025-05-03 10:00:00", "date": date(2025, 5, 3), "goalsID": "[7]", "goalsPrice": "[5000]"},
        {"visitID": "v4", "clientID": "you", "dateTime": "2025-05-03 11:00:00", "date": date(2025, 5, 3), "UTMSource": "google", "UTMMedium": "cpc"},
    ]
    mart.load("raw_yandex_metrica__visits", "9", visits, (date(2025, 5, 1), date(2025, 5, 3)), organization=organization)


def _traffic(mart: Any, organization: str, at: datetime, visits: int, since: date = SINCE) -> None:
    """Pull what the counter says of each day: paid visits, and direct ones."""
    paid = {"UTMSource": "yandex", "UTMMedium": "cpc", "UTMCampaign": "Поиск", "TrafficSource": "ad"}
    sources = (paid, {"TrafficSource": "direct"})
    common = {"deviceCategory": "desktop", "regionCountry": "Россия", "currency": "RUB", "users": 3}
    rows = [{"date": day, "visits": visits + day.day, **common, **source} for day in DAYS if day >= since for source in sources]
    mart.load("raw_yandex_metrica__traffic_daily", "9", rows, (since, UNTIL), organization=organization, at=at)


@pytest.fixture(scope="module")
def built(mart: Any, builder: Any) -> Any:
    """Two organizations of one account each, restated in the middle of May on the second day; `before` holds the marts of the first."""
    mart.tables = builder.TABLES
    for organization in ("org", "rival"):
        _direct(mart, organization, FIRST, 10)
        _visits(mart, organization)
        _traffic(mart, organization, FIRST, 40)
    mart.build(*MODELS)
    mart.before = {fact: mart.rows(MART.format(mart=fact)) for fact in FACTS}
    _direct(mart, "org", SECOND, 12, (date(2025, 5, 10), UNTIL))
    _traffic(mart, "org", SECOND, 50, date(2025, 5, 10))
    mart.build(*MODELS)
    create_as_of_views(mart.warehouse, builder.EVERY_REPORT, mart.home.directory("dbt") / "target" / "manifest.json")
    return mart


@pytest.mark.parametrize("fact", [fact for fact in FACTS if fact not in ELSEWHERE])
def test_as_of_yesterday_a_mart_is_what_it_was_and_a_fact_as_of_now_its_table(built: Any, fact: str) -> None:
    """Analysing a mart's as-of view costs the server up to half a minute: marts are asked once here, and as of now by `benchmarks.views`."""
    table = built.rows(MART.format(mart=fact))
    assert len(table) > 40
    then = built.rows(AS_OF.format(mart=fact), as_of="2025-06-02 11:59:59")
    assert then == built.before[fact]
    assert then != table
    if fact.startswith("fct_"):
        assert built.rows(AS_OF.format(mart=fact), as_of="2025-06-02 12:00:00") == table


def test_a_mart_that_cannot_look_back_says_why() -> None:
    require_as_of("mart_reconciliation")
    with pytest.raises(UsageError, match="mart_budget_pacing does not answer as of an earlier instant") as refused:
        require_as_of("mart_budget_pacing")
    assert "the store keeps only today's" in str(refused.value.why)


def test_every_breakdown_of_a_campaign_adds_up_to_it_and_conversions_to_the_fact(built: Any) -> None:
    campaign = "SELECT sum(spend), sum(conversions) FROM marts.fct_ad_performance_daily WHERE organization_id = 'org' AND campaign_id = 'c'"
    [(spend, conversions)] = built.rows(campaign)
    assert spend == sum(Decimal(25 if day >= date(2025, 5, 10) else 21) for day in DAYS)
    assert built.rows("SELECT segment, sum(spend) FROM marts.mart_geo_device WHERE organization_id = 'org' GROUP BY 1") == [("device", spend)]
    by_action = built.rows(
        """SELECT conversion_action_id, sum(conversions) FROM marts.fct_conversions_daily
        WHERE organization_id = 'org' AND campaign_id = 'c' AND is_primary AND attribution_window = '' GROUP BY 1 ORDER BY 1"""
    )
    assert by_action == [("", conversions - len(DAYS)), ("77", Decimal(len(DAYS)))]


def test_names_are_those_of_the_day_and_the_budget_is_paced_by_them(built: Any) -> None:
    named = built.rows(
        "SELECT campaign_name, valid_from, valid_to FROM marts.dim_campaign_history WHERE organization_id = 'org' ORDER BY valid_from"
    )
    assert named == [("Кампания 10", date(1970, 1, 1), date(2025, 6, 1)), ("Кампания 12", date(2025, 6, 2), None)]
    paced = built.rows(
        """SELECT budget, spent_to_date, pace FROM marts.mart_budget_pacing
        WHERE organization_id = 'org' AND date_day = '2025-05-31' AND period_start = '2025-05-01'"""
    )
    assert paced == []  # the budget was first seen in June: what it was in May nobody knows


def test_attribution_gives_each_conversion_away_once_per_model(built: Any) -> None:
    rows = built.rows(
        """SELECT model, sum(conversions), sum(conversions_value), argMax(source, conversions) FROM marts.mart_attribution
        WHERE organization_id = 'org' GROUP BY 1 ORDER BY 1"""
    )
    assert {(row[1], row[2]) for row in rows} == {(Decimal(1), Decimal(5))}
    best = {row[0]: row[3] for row in rows}
    assert best["first"] == "google"
    assert best["last_non_direct"] == "yandex"


def test_quality_is_stored_per_account_and_the_worst_stands_first(built: Any) -> None:
    with built.warehouse.client() as client:
        found = check_quality(client, date(2025, 6, 9), datetime(2025, 6, 9, 12, tzinfo=UTC))
        latest = latest_quality(client, "org", [("yandex_direct", "login")])
    assert {finding.check for finding in found} == {check.name for check in CHECKS}
    statuses = {finding.check: (finding.status, finding.detail) for finding in latest}
    assert statuses["freshness"] == ("warn", "complete through 2025-05-31")
    assert statuses["duplicates"] == ("ok", "0 rows repeat a key")
    assert statuses["impossible"][0] == "ok"
    assert statuses["breakdowns"] == ("ok", "device explains 100 % of clicks in 90 days")
    assert statuses["levels"][0] == "warn"
    assert statuses["account_changed"] == ("ok", "RUB, Europe/Moscow")
    assert latest[0].status == "warn"


def _checksum(mart: Any, organization: str) -> list[tuple[Any, ...]]:
    tables = mart.rows(
        """SELECT concat(c.database, '.', c.table), any(c.name) FROM system.columns AS c
        INNER JOIN system.tables AS t ON c.database = t.database AND c.table = t.name
        WHERE c.name IN ('organization_id', '_organization_id') AND t.engine LIKE '%MergeTree%' AND c.table != 'tombstones' GROUP BY 1 ORDER BY 1"""
    )
    return [(t, *mart.rows(f"SELECT count(), sum(cityHash64(*)) FROM {t} WHERE {c} = '{organization}'")[0]) for t, c in tables]


def test_a_forgotten_visitor_is_gone_and_never_comes_back_and_the_rest_still_adds_up(built: Any) -> None:
    me = Forgetting("visitor", "org", "me")
    with built.warehouse.client() as client:
        assert len(visitor_slices(client, me)) == 1
        rival = _checksum(built, "rival")
        gone = forget_rows(client, me, "test")
        assert [(one.table, one.rows) for one in gone] == [("raw.raw_yandex_metrica__visits", 3)]
        assert doomed_rows(client, me) == []
    assert _checksum(built, "rival") == rival
    _visits(built, "org")
    built.build("+mart_attribution")
    assert built.rows("SELECT DISTINCT clientID FROM raw.raw_yandex_metrica__visits WHERE _organization_id = 'org'") == [("you",)]
    assert built.rows("SELECT count() FROM marts.mart_attribution WHERE organization_id = 'org'") == [(0,)]


def test_retention_drops_superseded_rows_and_answers_as_before_since_the_border(built: Any) -> None:
    fact = "fct_ad_performance_daily"
    now = built.rows(AS_OF.format(mart=fact), as_of="2025-06-02 12:00:00")
    with built.warehouse.client() as client:
        counted = prune(client, SECOND, "test", dry_run=True)
        assert counted.rows > 0
        assert prune(client, SECOND, "test") == counted
        assert prune(client, SECOND, "test").rows == 0
        assert earliest_as_of(client) == SECOND
        require_kept(client, SECOND)
        with pytest.raises(UsageError, match="no longer kept"):
            require_kept(client, FIRST)
    assert built.rows(AS_OF.format(mart=fact), as_of="2025-06-02 12:00:00") == now
    plan, _ = built.build(f"+{fact}", full=True)
    assert plan is not None
    assert built.rows(MART.format(mart=fact)) == now


def test_a_forgotten_organization_leaves_no_row_and_no_as_of_and_others_are_unchanged(built: Any) -> None:
    org = Forgetting("organization", "org", "org")
    with built.warehouse.client() as client:
        planned = doomed_rows(client, org)
        rival = _checksum(built, "rival")
        gone = forget_rows(client, org, "test")
        assert [one.table for one in gone] == [one.table for one in planned]
        assert doomed_rows(client, org) == []
    assert all(count == 0 for _, count, _ in _checksum(built, "org"))
    assert _checksum(built, "rival") == rival
    assert built.rows(AS_OF.format(mart="fct_sessions_daily"), as_of="2025-06-02 12:00:00") == []
    with pytest.raises(Exception, match="lost its lease"):
        _visits(built, "org")
    built.build("+fct_ad_performance_daily")
    assert built.rows("SELECT DISTINCT organization_id FROM marts.fct_ad_performance_daily") == [("rival",)]
    assert built.rows("SELECT scope, event FROM raw.tombstones WHERE organization_id = 'org' ORDER BY noted_at")[-2:] == [
        ("organization", "begun"),
        ("organization", "done"),
    ]
