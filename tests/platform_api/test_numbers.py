"""The numbers that the API answers are those that were loaded; what is known is not asked again."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import httpx
import pytest

from domain.errors import MissingRate, MixedCurrencies, UnknownName, UsageError
from domain.questions import Filter, Grain, Operator
from platform_api.app import create_app

SINCE, UNTIL = date(2026, 3, 1), date(2026, 3, 28)
PATH = "/api/v1/projects/{}/metrics?metrics=spend,clicks,ctr&by=platform,currency&since=2026-03-01&until=2026-03-28"


def test_metrics_equal_the_rows_that_were_loaded(admin, agency):
    answer = admin.metrics(agency.alpha, ("impressions", "clicks", "spend", "conversions"), by=("platform", "currency"), since=SINCE, until=UNTIL)
    assert [row["platform"] for row in answer.rows] == ["google_ads", "meta_ads"]
    for row in answer.rows:
        assert row["impressions"] == agency.total("impressions", platform=row["platform"], since=SINCE, until=UNTIL)
        assert isinstance(row["spend"], str)
        assert Decimal(row["spend"]) == agency.total("spend", platform=row["platform"], since=SINCE, until=UNTIL)
        assert row["conversions"] == agency.total("conversions", platform=row["platform"], since=SINCE, until=UNTIL)
    assert answer.data_version == 1
    assert not answer.building
    assert "SELECT" in answer.sql.upper()
    assert {f.platform: f.data_through for f in answer.freshness} == {"google_ads": date(2026, 3, 30), "meta_ads": date(2026, 3, 30)}
    assert {c.name: c.unit for c in answer.columns}["spend"] == "money"


def test_filters_order_and_limits_reach_the_door(admin, agency):
    campaign = Filter(dimension="campaign", operator=Operator.CONTAINS, values=("Brand *2026*",))
    answer = admin.metrics(
        agency.alpha, ("clicks",), by=("platform", "campaign"), since=SINCE, until=UNTIL, where=(campaign,), order_by=("-platform",), limit=1
    )
    assert [(row["platform"], row["campaign"]) for row in answer.rows] == [("meta_ads", "1")]
    either = Filter(dimension="campaign", operator=Operator.IN, values=("1", "2"))
    assert len(admin.metrics(agency.alpha, ("clicks",), by=("platform", "campaign"), since=SINCE, until=UNTIL, where=(either,)).rows) == 4


def test_ads_and_what_stands_beside_them_sum_to_the_campaign(admin, agency):
    automatic = Filter(dimension="campaign", values=("2",))
    rows = admin.metrics(agency.alpha, ("spend",), by=("ad", "currency"), since=SINCE, until=UNTIL, where=(automatic,)).rows
    assert {row["ad"] for row in rows} == {None}
    assert Decimal(rows[0]["spend"]) == agency.total("spend", platform="meta_ads", campaign="2", since=SINCE, until=UNTIL)


def test_refusals_arrive_as_the_domains_errors(admin, agency):
    with pytest.raises(MixedCurrencies):
        admin.metrics(agency.alpha, ("spend",), since=SINCE, until=UNTIL)
    with pytest.raises(UnknownName) as unknown:
        admin.metrics(agency.alpha, ("click",), since=SINCE, until=UNTIL)
    assert unknown.value.nearest[0] == "clicks"
    with pytest.raises(UsageError):
        admin.dashboard(agency.alpha, since=SINCE)


def test_the_dashboard_equals_the_metrics(admin, agency):
    board = admin.dashboard(agency.alpha, since=SINCE, until=UNTIL)
    assert (board.compared_since, board.compared_until) == (date(2026, 2, 1), date(2026, 2, 28))
    kpis = {kpi.metric: kpi for kpi in board.kpis}
    assert board.currencies == ["RUB", "USD"]
    spend = {value.currency: value for value in kpis["spend"].values}
    for currency, value in spend.items():
        now = agency.total("spend", currency=currency, platform={"RUB": "meta_ads", "USD": "google_ads"}[currency], since=SINCE, until=UNTIL)
        before = agency.total("spend", platform={"RUB": "meta_ads", "USD": "google_ads"}[currency], since=date(2026, 2, 1), until=date(2026, 2, 28))
        assert (Decimal(value.value), Decimal(value.previous), Decimal(value.change)) == (now, before, now - before)
        assert value.change_ratio == pytest.approx(float((now - before) / before))
    clicks = kpis["clicks"].values
    assert [value.currency for value in clicks] == [""]
    assert clicks[0].value == sum(agency.total("clicks", platform=p, since=SINCE, until=UNTIL) for p in ("google_ads", "meta_ads"))
    assert len(board.daily) == 28
    assert len(board.daily_money) == 56
    assert sum(row["clicks"] for row in board.daily) == clicks[0].value
    assert sum(row["clicks"] for row in board.platforms) == clicks[0].value
    assert board.today == date(2026, 3, 31)


def test_a_relative_period_ends_on_the_last_complete_day(admin, agency):
    board = admin.dashboard(agency.alpha, days=7)
    assert (board.since, board.until) == (date(2026, 3, 24), date(2026, 3, 30))
    year = admin.dashboard(agency.alpha, days=7, compare="year")
    assert (year.compared_since, year.compared_until) == (date(2025, 3, 25), date(2025, 3, 31))
    assert all(value.change_ratio is None for kpi in year.kpis for value in kpi.values)
    alone = admin.dashboard(agency.alpha, days=7, compare="none")
    assert alone.compared_since is None
    assert alone.previous_platforms == []


def test_a_project_without_accounts_has_an_empty_dashboard(admin):
    empty = admin.create_project("Empty")
    board = admin.dashboard(empty.id)
    assert board.daily == []
    assert board.currencies == []
    assert all(value.value in (None, 0) for kpi in board.kpis for value in kpi.values)


class _Counting:
    """Counts the questions on their way to the real door."""

    def __init__(self, door) -> None:
        self._door = door
        self.asked = 0

    def ask(self, scope, question):
        self.asked += 1
        return self._door.ask(scope, question)


def test_a_known_answer_is_304_and_asks_no_metric(dependencies, serve, agency, tokens):
    door = _Counting(dependencies.door)
    with serve(lambda url: create_app(replace(dependencies, door=door))) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        admin = {"Authorization": f"Bearer {tokens['admin']}"}
        first = client.get(PATH.format(agency.alpha), headers=admin)
        tag = first.headers["etag"]
        assert tag.startswith('"')
        assert door.asked == 1
        again = client.get(PATH.format(agency.alpha), headers={**admin, "If-None-Match": f'W/{tag}, "other"'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        kept = client.get(PATH.format(agency.alpha), headers=admin)
        assert kept.content == first.content
        assert door.asked == 1
        other = client.get(PATH.format(agency.alpha) + "&order_by=-spend", headers={**admin, "If-None-Match": tag})
        assert other.status_code == 200
        assert other.headers["etag"] != tag
        outsider = {"Authorization": f"Bearer {tokens['outsider']}", "If-None-Match": tag}
        assert client.get(PATH.format(agency.alpha), headers=outsider).status_code == 404


def test_another_state_of_the_data_is_another_etag_and_none_while_it_moves(dependencies, serve, agency, tokens):
    state = dependencies.data_state()
    states = [state, replace(state, position=state.position + 1), replace(state, building=True), replace(state, data_version=2)]
    with (
        serve(lambda url: create_app(replace(dependencies, data_state=lambda: states[0]))) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        seen = []
        for _ in range(4):
            answer = client.get(PATH.format(agency.alpha), headers={"Authorization": f"Bearer {tokens['admin']}"})
            seen.append(answer.headers.get("etag"))
            states.pop(0) if len(states) > 1 else None
        assert seen[0]
        assert seen[1]
        assert seen[0] != seen[1]
        assert seen[2] is None
        assert seen[3] is None, "the answer is of version 1, the state says 2: no tag"


def test_as_of_before_the_first_pull_answers_nothing(admin, agency):
    now = admin.metrics(agency.alpha, ("clicks",), since=SINCE, until=UNTIL, as_of="2026-03-31")
    assert now.rows[0]["clicks"] > 0
    before = admin.metrics(agency.alpha, ("clicks",), since=SINCE, until=UNTIL, as_of="2026-03-30")
    assert not before.rows[0]["clicks"]


def test_the_catalogue_names_everything_in_both_languages(admin):
    catalogue = admin.catalogue()
    assert {"impressions", "clicks", "spend", "conversions", "conversions_value", "ctr", "cpc", "cpm", "cvr", "cpa", "roas"} <= {
        m.name for m in catalogue.metrics
    }
    assert all(set(entry.labels) == {"ru", "en"} for entry in [*catalogue.metrics, *catalogue.dimensions])
    assert {d.name for d in catalogue.dimensions} >= {"date", "platform", "currency", "project", "account", "campaign", "ad_group", "ad"}


def test_one_question_speaks_the_same_over_the_wire(admin, agency):
    asked = {"by": ("campaign",), "since": SINCE, "until": UNTIL, "top": 1, "totals": True, "grain": Grain.MONTH, "compare": "previous"}
    answer = admin.metrics(agency.alpha, ("clicks", "ctr"), where=(Filter(dimension="clicks", operator=Operator.AT_LEAST, values=("1",)),), **asked)
    assert [row["row_type"] for row in answer.rows] == ["row", "other", "total"]
    assert answer.rows[0]["clicks"] + answer.rows[1]["clicks"] == answer.rows[2]["clicks"]
    assert (answer.comparison.since, answer.comparison.until) == (date(2026, 2, 1), date(2026, 2, 28))
    assert answer.rows[2]["clicks_change"] == answer.rows[2]["clicks"] - answer.rows[2]["clicks_previous"]
    with pytest.raises(MissingRate):
        admin.metrics(agency.alpha, ("spend",), since=SINCE, until=UNTIL, currency="CHF")
    with pytest.raises(UsageError, match="no base currency"):
        admin.metrics(agency.alpha, ("spend",), since=SINCE, until=UNTIL, currency="base")
