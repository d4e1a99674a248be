"""What cannot be answered is refused in one sentence that says what to do."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.errors import ConfigurationError, MixedCurrencies, UnknownName, UsageError
from domain.questions import Filter, Operator
from warehouse.metrics.catalogue import Catalogue


def test_unknown_names_offer_the_nearest(agency: Any) -> None:
    with pytest.raises(UnknownName, match="impressions"):
        agency.ask("impresions")
    with pytest.raises(UnknownName, match="campaign"):
        agency.ask("clicks", by=("campain",))
    with pytest.raises(UnknownName, match="platform"):
        agency.ask("clicks", where=(Filter(dimension="platfrom", values=("x",)),))
    with pytest.raises(UnknownName, match="google_ads"):
        agency.ask("clicks", where=(Filter(dimension="platform", values=("google",)),))
    with pytest.raises(UnknownName, match="clicks"):
        agency.ask("clicks", by=("date",), order_by=("-click",))


def test_an_imported_channel_is_filtered_by_its_name_and_a_misspelt_one_is_not(agency: Any) -> None:
    for operator in (Operator.EQUALS, Operator.IN):
        assert agency.ask("clicks", where=(Filter(dimension="platform", operator=operator, values=("vk_ads",)),)).rows == [{"clicks": 0}]
    assert agency.ask("clicks", where=(Filter(dimension="platform", operator=Operator.NOT_EQUALS, values=("vk_ads",)),)).rows[0]["clicks"] > 0
    for value, offered in (("vk_add", "vk_ads"), ("metaads", "meta_ads")):
        with pytest.raises(UnknownName, match=offered):
            agency.ask("clicks", where=(Filter(dimension="platform", values=(value,)),))
    for narrower in ({"organization": "rival"}, {"projects": ["north"]}):
        with pytest.raises(UnknownName) as refused:
            agency.ask("clicks", where=(Filter(dimension="platform", values=("vk_add",)),), **narrower)
        assert "vk_ads" not in refused.value.fix


@pytest.mark.parametrize("metric", ["spend", "conversions_value", "cpc", "cpm", "cpa", "roas"])
def test_money_over_several_currencies_is_refused(agency: Any, metric: str) -> None:
    with pytest.raises(MixedCurrencies, match=r"EUR, RUB, USD.*--by currency") as refused:
        agency.ask(metric, by=("platform", "date"))
    assert (refused.value.exit_code, refused.value.status) == (2, 422)
    assert {row["currency"] for row in agency.ask(metric, by=("currency",)).rows} == {"EUR", "USD", "RUB"}
    agency.ask(metric, where=(Filter(dimension="currency", values=("USD",)),))
    agency.ask(metric, where=(Filter(dimension="account", operator=Operator.IN, values=("g1", "m1")),))
    with pytest.raises(MixedCurrencies, match="EUR, USD"):
        agency.ask(metric, where=(Filter(dimension="platform", values=("google_ads",)),))


def test_counts_span_currencies(agency: Any) -> None:
    assert agency.ask("impressions", "clicks", "conversions", "ctr", "cvr").rows[0]["clicks"] > 0


@pytest.mark.parametrize(
    "question",
    [
        {"since": date(2024, 3, 2), "until": date(2024, 3, 1)},
        {"since": date(2000, 1, 1), "until": date(2024, 1, 1)},
        {"limit": 0},
        {"limit": -5},
        {"limit": 10_000_000},
        {"as_of": datetime(2024, 1, 1)},  # noqa: DTZ001
        {"where": (Filter(dimension="date", values=("yesterday",)),)},
        {"where": (Filter(dimension="date", operator=Operator.CONTAINS, values=("2024",)),)},
        {"where": (Filter(dimension="campaign", values=()),)},
        {"where": (Filter(dimension="campaign", values=("nul\0",)),)},
        {"where": (Filter(dimension="campaign", values=tuple(map(str, range(1001)))),)},
    ],
)
def test_impossible_questions_are_refused(agency: Any, question: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        agency.ask("clicks", **question)
    assert refused.value.fix


def test_missing_definitions_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="dbt parse"):
        Catalogue.load(tmp_path / "semantic_manifest.json")
    (tmp_path / "broken.json").write_text('{"semantic_models": []}')
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Catalogue.load(tmp_path / "broken.json")


def test_a_warehouse_without_marts_says_what_to_run(home: Any, catalogue: Catalogue) -> None:
    from domain.clock import WallClock
    from domain.questions import Question, Scope
    from warehouse.client import Warehouse, WarehouseSettings
    from warehouse.metrics.door import MetricDoor

    with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse, pytest.raises(ConfigurationError, match="not built yet"):
        MetricDoor(warehouse, WallClock(), catalogue).ask(
            Scope(organization_id="org"), Question(metrics=("spend",), since=date(2024, 1, 1), until=datetime.now(UTC).date())
        )
    Warehouse.stop(home)
