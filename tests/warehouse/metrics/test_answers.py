"""Answers equal what polars computes from the same rows, for any question; known data give known answers."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import MixedCurrencies
from domain.questions import Filter, Operator
from warehouse.metrics.printing import to_json

SINCE, UNTIL = date(2024, 2, 20), date(2024, 4, 10)
DIMENSIONS = ("date", "platform", "currency", "project", "account", "campaign", "ad_group", "ad")
PLAIN = ("impressions", "clicks", "conversions")
MONEY = ("spend", "conversions_value")
RATIOS = {"ctr": ("clicks", "impressions"), "cvr": ("conversions", "clicks"), "roas": ("conversions_value", "spend")}
COSTS = {"cpc": ("spend", "clicks", 1), "cpm": ("spend", "impressions", 1000), "cpa": ("spend", "conversions", 1)}
METRICS = (*PLAIN, *MONEY, *RATIOS, *COSTS)


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    since = SINCE + timedelta(days=draw(st.integers(-3, 45)))
    where = []
    if draw(st.booleans()):
        where.append(Filter(dimension="platform", operator=Operator.IN, values=tuple(draw(st.sets(st.sampled_from(("google_ads", "meta_ads")), min_size=1)))))
    if draw(st.booleans()):
        where.append(
            Filter(
                dimension="campaign", operator=Operator.IN, values=tuple(draw(st.sets(st.sampled_from(("g1-c0", "g1-pmax", "m1-c1", "no such")), min_size=1)))
            )
        )
    return {
        "metrics": draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=6, unique=True)),
        "by": draw(st.lists(st.sampled_from(DIMENSIONS), max_size=4, unique=True)),
        "since": since,
        "until": since + timedelta(days=draw(st.integers(0, 60))),
        "where": tuple(where),
        "projects": draw(st.sampled_from((None, None, ("north",), ("north", "south"), ()))),
    }


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=questions())
def test_any_answer_is_what_polars_computes(agency: Any, asked: dict[str, Any]) -> None:
    asked = dict(asked)
    chosen = _chosen(agency.facts, asked)
    metrics = asked.pop("metrics")
    try:
        answer = agency.ask(*metrics, **asked)
    except MixedCurrencies:
        assert "currency" not in asked["by"]
        assert chosen["currency"].n_unique() > 1
        return
    if not set(metrics) <= {*PLAIN, "ctr", "cvr"} and "currency" not in asked["by"]:
        assert chosen["currency"].n_unique() <= 1
    expected = _expected(chosen, metrics, asked["by"])
    got = {tuple(row[name] or "" if name != "date" else row[name] for name in asked["by"]): row for row in answer.rows}
    assert len(got) == len(answer.rows)
    assert set(got) == set(expected)
    for key, values in expected.items():
        for metric in metrics:
            _assert_same(got[key][metric], values[metric], metric)


def _chosen(facts: pl.DataFrame, asked: dict[str, Any]) -> pl.DataFrame:
    rows = facts.filter((pl.col("organization") == "org") & pl.col("date").is_between(asked["since"], asked["until"]))
    if asked["projects"] is not None:
        rows = rows.filter(pl.col("project").is_in(list(asked["projects"])))
    for wanted in asked["where"]:
        rows = rows.filter(pl.col(wanted.dimension).is_in(list(wanted.values)))
    return rows


def _expected(rows: pl.DataFrame, metrics: list[str], by: list[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    measures = ("impressions", "clicks", "spend", "conversions", "conversions_value")
    sums = [pl.col(name).sum() for name in measures]
    grouped = rows.group_by(by).agg(sums) if by else rows.select(sums)
    found = {}
    for row in grouped.iter_rows(named=True):
        values = {metric: row[metric] or 0 for metric in (*PLAIN, *MONEY)}
        values |= {metric: float(row[a]) / float(row[b]) if row[b] else None for metric, (a, b) in RATIOS.items()}
        values |= {metric: Decimal(row[a]) * factor / Decimal(row[b]) if row[b] else None for metric, (a, b, factor) in COSTS.items()}
        found[tuple(row[name] or "" for name in by)] = values
    return found


def _assert_same(got: Any, expected: Any, metric: str) -> None:
    if expected is None:
        assert got is None
    elif metric in RATIOS:
        assert isinstance(got, float)
        assert got == pytest.approx(expected, rel=1e-14)
    elif metric in COSTS:
        assert isinstance(got, Decimal)
        assert 0 <= expected - got < Decimal("1e-11")
    else:
        assert isinstance(got, int if metric in ("impressions", "clicks") else Decimal)
        assert got == expected


def test_one_row_of_zeros_without_dimensions_and_without_data(agency: Any) -> None:
    answer = agency.ask("impressions", "spend", "conversions", "ctr", "cpc", "roas", since=date(2020, 1, 1), until=date(2020, 1, 31))
    assert answer.rows == [{"impressions": 0, "spend": 0, "conversions": 0, "ctr": None, "cpc": None, "roas": None}]
    assert [w.code for w in answer.warnings] == ["no_data"]
    assert agency.ask("clicks", by=("date",), since=date(2020, 1, 1), until=date(2020, 1, 31)).rows == []


def test_residual_rows_have_no_ad_and_count_for_their_campaign(agency: Any) -> None:
    only = (Filter(dimension="campaign", values=("g1-pmax",)),)
    by_campaign = agency.ask("spend", where=only).rows[0]["spend"]
    assert agency.ask("spend", by=("ad",), where=only).rows == [{"ad": None, "ad_name": None, "spend": by_campaign}]
    assert by_campaign > 0


def test_what_has_no_id_is_one_row(agency: Any) -> None:
    rows = agency.ask("impressions", by=("ad_group",)).rows
    without = agency.facts.filter((pl.col("organization") == "org") & (pl.col("ad_group") == ""))
    assert [row["impressions"] for row in rows if row["ad_group"] is None] == [without["impressions"].sum()]
    apart = agency.ask("impressions", by=("account", "ad_group")).rows
    assert [row["account"] for row in apart if row["ad_group"] is None] == ["g1", "g2", "y1"]


def test_ids_bring_their_latest_names(agency: Any) -> None:
    rows = agency.ask("clicks", by=("account", "campaign"), where=(Filter(dimension="account", values=("g1",)),)).rows
    assert [(row["account"], row["account_name"]) for row in rows] == [("g1", "g1")] * 4
    assert {row["campaign"]: row["campaign_name"] for row in rows}["g1-pmax"] == "g1-pmax"
    projects = agency.ask("clicks", by=("project",)).rows
    assert [(row["project"], row["project_name"]) for row in projects] == [("north", "Проект Север"), ("south", "South"), (None, None)]


def test_sorting_and_limits(agency: Any) -> None:
    everything = agency.ask("spend", by=("ad",), where=(Filter(dimension="currency", values=("EUR",)),)).rows
    top = agency.ask("spend", by=("ad",), where=(Filter(dimension="currency", values=("EUR",)),), order_by=("-spend",), limit=3).rows
    assert top == sorted(everything, key=lambda row: row["spend"], reverse=True)[:3]


def test_the_same_question_has_the_same_hash_and_another_value_another(agency: Any) -> None:
    first, again = agency.ask("clicks"), agency.ask("clicks")
    other = agency.ask("clicks", until=UNTIL - timedelta(days=1))
    assert first.query_hash == again.query_hash != other.query_hash
    assert first.sql == other.sql
    assert agency.ask("clicks", organization="rival").query_hash != first.query_hash


def test_as_of_answers_with_what_was_known_then(agency: Any) -> None:
    euros = (Filter(dimension="currency", values=("EUR",)),)
    now = agency.ask("spend", by=("campaign", "date"), where=euros)
    asked = {"since": SINCE, "until": UNTIL, "where": euros, "projects": None}
    then = agency.ask("spend", where=euros, as_of="2024-04-11T23:59:59Z")
    assert then.rows[0]["spend"] == _chosen(agency.before, asked)["spend"].sum()
    assert agency.ask("spend", where=euros).rows[0]["spend"] == _chosen(agency.facts, asked)["spend"].sum() != then.rows[0]["spend"]
    assert agency.ask("spend", by=("campaign", "date"), where=euros, as_of="2030-01-01T00:00:00Z").rows == now.rows
    assert agency.ask("spend", where=euros, as_of="2024-04-01T00:00:00Z").rows == [{"spend": 0}]
    assert "names_as_now" in [w.code for w in then.warnings]


def test_answers_say_how_fresh_they_are_and_what_is_not_over(agency: Any) -> None:
    answer = agency.ask("clicks", until=date(2024, 4, 12))
    assert {f.platform: f.data_through for f in answer.freshness} == dict.fromkeys(("google_ads", "meta_ads", "yandex_direct"), UNTIL)
    assert {f.observed_at.isoformat() for f in answer.freshness if f.observed_at} == {"2024-04-12T12:00:00+00:00"}
    assert [w.code for w in answer.warnings] == ["incomplete_last_day", "data_end_early", "data_end_early", "data_end_early"]
    assert answer.data_version == 1
    assert not answer.building
    assert [f.platform for f in agency.ask("clicks", projects=("north",)).freshness] == ["google_ads", "meta_ads"]


def test_a_running_build_is_said(agency: Any) -> None:
    from warehouse.builds import Builds

    builds = Builds(agency.mart.warehouse, agency.mart.home)
    plan = builds.plan(full=True)
    assert plan is not None
    try:
        answer = agency.ask("clicks")
        assert answer.building
        assert [w.code for w in answer.warnings] == ["building"]
    finally:
        builds.fail(plan, "only a test")
    assert [w.code for w in agency.ask("clicks").warnings] == ["half_built"]


def test_known_data_give_the_known_answers(agency: Any, fixtures: Path) -> None:
    window = {"organization": "kag", "since": date(2023, 8, 1), "until": date(2023, 8, 31)}
    printed = to_json(agency.ask("impressions", "clicks", "spend", "conversions", "ctr", **window))
    assert printed["rows"] == [{"impressions": 213434828, "clicks": 38165, "spend": "58705.23", "conversions": 3264, "ctr": 0.00017881336592357833}]
    by_campaign = to_json(agency.ask("spend", by=("campaign",), order_by=("spend",), **window))["rows"]
    assert [(row["campaign"], row["spend"]) for row in by_campaign] == [("916", "149.71"), ("936", "2893.37"), ("1178", "55662.15")]
