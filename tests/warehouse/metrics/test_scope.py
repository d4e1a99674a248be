"""Whose numbers are read: always the scope's, whatever the question says."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from domain.questions import Filter, Operator, Question, Scope
from warehouse.metrics.catalogue import Catalogue
from warehouse.metrics.compiler import Compiler, _insist_on_scope

WINDOW = {"since": date(2024, 2, 20), "until": date(2024, 4, 10)}
NASTY = (
    "it's",
    "a\\b",
    "\\'",
    "{p0:String}",
    "{organization:String}",
    "100%",
    "%s",
    "%(x)s",
    "'; DROP TABLE marts.builds; --",
    "tab\tnew\nline",
    "Бренд",
    '"',
    "`",
    "",
    "\\N",
)


def test_another_organization_sees_only_its_own(agency: Any) -> None:
    assert agency.ask("impressions", organization="nobody").rows == [{"impressions": 0}]
    ours = agency.facts.filter(agency.facts["organization"] == "org")["impressions"].sum()
    theirs = agency.facts.filter(agency.facts["organization"] == "rival")["impressions"].sum()
    assert agency.ask("impressions").rows == [{"impressions": ours}]
    assert agency.ask("impressions", organization="rival").rows == [{"impressions": theirs}]
    assert agency.ask("impressions", organization="' OR 1 = 1 --").rows == [{"impressions": 0}]


def test_a_project_sees_its_accounts_only_while_they_are_its(agency: Any) -> None:
    rows = agency.ask("impressions", by=("account", "date"), projects=("north",)).rows
    meta = [row["date"] for row in rows if row["account"] == "m1"]
    assert (min(meta), max(meta)) >= (date(2024, 3, 1), date(2024, 3, 1))
    assert max(meta) <= date(2024, 3, 20)
    assert {row["account"] for row in rows} == {"g1", "m1"}


@pytest.mark.parametrize("projects", [(), ("nothing",), ("theirs",), ("north' OR '1'='1",)])
def test_a_scope_without_accounts_sees_nothing(agency: Any, projects: tuple[str, ...]) -> None:
    assert agency.ask("impressions", projects=projects).rows == [{"impressions": 0}]
    assert agency.ask("impressions", by=("project", "campaign"), projects=projects).rows == []


def test_a_filter_cannot_widen_the_scope(agency: Any) -> None:
    south = (Filter(dimension="project", operator=Operator.IN, values=("south", "South", "north")),)
    inside = agency.ask("impressions", projects=("north",)).rows
    assert agency.ask("impressions", projects=("north",), where=south).rows == inside
    by_project = agency.ask("impressions", by=("project",), projects=("north",), where=south).rows
    assert [row["project"] for row in by_project] == ["north"]


def test_an_as_of_answer_keeps_the_scope(agency: Any) -> None:
    seen = agency.ask("impressions", projects=("north",), as_of="2030-01-01T00:00:00Z")
    assert seen.rows == agency.ask("impressions", projects=("north",)).rows
    assert agency.ask("impressions", organization="nobody", as_of="2030-01-01T00:00:00Z").rows == [{"impressions": 0}]


@pytest.mark.parametrize("value", NASTY)
def test_a_value_is_only_ever_a_value(agency: Any, value: str) -> None:
    for dimension in ("campaign", "account", "currency", "project", "ad"):
        where = tuple(Filter(dimension=dimension, operator=operator, values=(value,)) for operator in Operator if not operator.is_bound)
        answer = agency.ask("impressions", where=where)
        assert value not in answer.sql or value in ("", "{p0:String}", "`", '"', "%s")
    expected = agency.facts.filter((agency.facts["organization"] == "org") & (agency.facts["campaign_name"] == value))
    named = {row["campaign"] for row in agency.ask("impressions", by=("campaign",), where=(Filter(dimension="campaign", values=(value,)),)).rows if value}
    assert named <= set(expected["campaign"]) or not value


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20))
def test_any_text_can_be_filtered_by(agency: Any, value: str) -> None:
    answer = agency.ask("impressions", where=(Filter(dimension="ad", operator=Operator.IN, values=(value, "g1-a1")),))
    known = agency.ask("impressions", where=(Filter(dimension="ad", values=("g1-a1",)),))
    assert answer.rows[0]["impressions"] >= known.rows[0]["impressions"] > 0


def test_every_stored_relation_is_read_with_its_organization(catalogue: Catalogue) -> None:
    question = Question(
        metrics=("spend", "ctr"),
        by=("project", "account", "campaign", "ad_group", "ad", "currency", "date"),
        where=tuple(Filter(dimension=name, operator=Operator.CONTAINS, values=("x",)) for name in ("project", "campaign", "account", "platform")),
        **WINDOW,
    )
    sql = Compiler(catalogue, Scope(organization_id="org", project_ids=("p",)), question).answer().sql
    tree = parse_one(sql, dialect="clickhouse")
    tables = list(tree.find_all(exp.Table))
    assert len(tables) == 10
    for table in tables:
        where = table.find_ancestor(exp.Select).args["where"].sql(dialect="clickhouse")
        assert f"{table.alias}.organization_id = {{organization: String}}" in where


def test_a_query_that_lost_its_scope_is_not_handed_out() -> None:
    with pytest.raises(AssertionError, match="without its organization"):
        _insist_on_scope(parse_one("SELECT sum(f.spend) FROM marts.fct_ad_performance_daily AS f WHERE f.date_day = 1", dialect="clickhouse"))


def test_the_answers_client_cannot_write(agency: Any) -> None:
    from clickhouse_connect.driver.exceptions import DatabaseError

    with agency.mart.warehouse.client(readonly=True) as client, pytest.raises(DatabaseError):
        client.command("CREATE TABLE marts.intruder (x Int8) ENGINE = Memory")
