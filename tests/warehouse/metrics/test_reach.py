"""People reached: one row of the source stands for itself, and more than one are never added up."""

from datetime import date
from typing import Any

import pytest

from domain.questions import Baseline, Comparison, Filter, Operator

DAY = date(2024, 3, 5)
META = (Filter(dimension="account", values=("m1",)),)


def _told(agency: Any, level: str, column: str = "reach") -> list[Any]:
    where = f"organization_id = 'org' AND account_id = 'm1' AND level = '{level}' AND date_day = '{DAY}'"
    return [row[0] for row in agency.mart.rows(f"SELECT {column} FROM marts.mart_reach WHERE {where} ORDER BY campaign_id, ad_group_id, ad_id")]


def test_a_days_reach_is_what_meta_told_at_the_level_that_was_asked(agency: Any) -> None:
    [account] = _told(agency, "account")
    campaigns = _told(agency, "campaign")
    assert len(campaigns) > 1
    assert agency.ask("reach", since=DAY, until=DAY, where=META).rows == [{"reach": account}]
    by_campaign = agency.ask("reach", "frequency", by=("campaign",), since=DAY, until=DAY, where=META).rows
    assert [row["reach"] for row in by_campaign] == campaigns
    impressions = _told(agency, "campaign", "impressions")
    assert [row["frequency"] for row in by_campaign] == [shown / people if people else None for shown, people in zip(impressions, campaigns, strict=True)]
    named = (Filter(dimension="campaign", values=(by_campaign[0]["campaign"],)),)
    assert agency.ask("reach", since=DAY, until=DAY, where=named).rows == [{"reach": campaigns[0]}]
    levels = agency.ask("reached_impressions", by=("reach_level",), since=DAY, until=DAY, where=META).rows
    assert [row["reach_level"] for row in levels] == ["account", "ad", "campaign"]


@pytest.mark.parametrize("by", [("campaign", "ad"), ("ad", "campaign"), ("ad",)])
def test_the_finest_level_that_is_named_is_read_in_whatever_order_it_is_named(agency: Any, by: tuple[str, ...]) -> None:
    ads = _told(agency, "ad")
    assert len(ads) > len(_told(agency, "campaign"))
    assert sorted(row["reach"] for row in agency.ask("reach", by=by, since=DAY, until=DAY, where=META).rows) == sorted(ads)
    everywhere = [Filter(dimension=name, values=("nowhere",), operator=Operator.NOT_IN) for name in by]
    assert agency.ask("reached_impressions", since=DAY, until=DAY, where=(*META, *everywhere)).rows == [
        {"reached_impressions": sum(_told(agency, "ad", "impressions"))}
    ]


def test_as_of_now_the_view_is_the_mart(agency: Any) -> None:
    known = "as_of = '2030-01-01 00:00:00', organization_id = 'org', since = '2024-03-01', until = '2024-03-31'"
    table = agency.mart.rows("SELECT * FROM marts.mart_reach WHERE organization_id = 'org' AND date_day BETWEEN '2024-03-01' AND '2024-03-31' ORDER BY ALL")
    assert {row[4] for row in table} == {"account", "campaign", "ad"}
    assert agency.mart.rows(f"SELECT * FROM marts.mart_reach__as_of({known}) ORDER BY ALL") == table


def test_people_of_several_days_or_campaigns_are_not_added_up_and_impressions_are(agency: Any) -> None:
    several = agency.ask("reach", "frequency", "reached_impressions", since=DAY, until=date(2024, 3, 6), where=META)
    assert (several.rows[0]["reach"], several.rows[0]["frequency"]) == (None, None)
    assert several.rows[0]["reached_impressions"] > 0
    assert "non_additive" in [warning.code for warning in several.warnings]
    total = agency.ask("reach", by=("campaign",), since=DAY, until=DAY, where=META, totals=True).rows[-1]
    assert (total["row_type"], total["reach"]) == ("total", None)


def test_a_day_is_compared_with_another_and_asked_as_it_was_known(agency: Any) -> None:
    compared = agency.ask("reach", since=DAY, until=DAY, where=META, compare=Comparison(baseline=Baseline.PREVIOUS)).rows[0]
    assert compared["reach_previous"] == agency.ask("reach", since=date(2024, 3, 4), until=date(2024, 3, 4), where=META).rows[0]["reach"]
    assert agency.ask("reach", since=DAY, until=DAY, where=META, as_of="2030-01-01T00:00:00Z").rows == [{"reach": compared["reach"]}]
    assert agency.ask("reach", since=DAY, until=DAY, where=META, as_of="2024-04-11T11:59:59Z").rows == [{"reach": None}]
