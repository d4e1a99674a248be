"""Everything that the catalogue offers can be asked, and adds up to the mart."""

import json
from datetime import date
from typing import Any

import pytest

from domain.errors import UsageError
from domain.questions import Baseline, Comparison, Filter, Grain, Operator, Question, Scope
from warehouse.metrics.catalogue import Catalogue
from warehouse.metrics.compiler import Compiler

WINDOW = {"since": date(2024, 3, 1), "until": date(2024, 3, 31)}
SCOPE = Scope(organization_id="org")
SETTINGS = {"join_use_nulls": 1}
NOT_LOADED = [("reach", "ad_group")]
"""What the agency has no reports of: Meta's ad sets."""


@pytest.mark.parametrize("grain", [None, *Grain])
def test_every_metric_by_every_dimension_and_grain_compiles_and_runs(agency: Any, catalogue: Catalogue, grain: Grain | None) -> None:
    with agency.mart.warehouse.client(readonly=True) as client:
        for fact in catalogue.facts.values():
            metrics = tuple(m for m in catalogue.metrics if fact in catalogue.facts_of(m))
            alone = tuple(m for m in metrics if catalogue.facts_of(m) == (fact,))
            for name, dimension in fact.dimensions.items():
                alike = {f.name for f in catalogue.facts.values() if name in f.dimensions and f.dimensions[name].shared == dimension.shared}
                usable = tuple(m for m in metrics if m in alone or (dimension.shared and {f.name for f in catalogue.facts_of(m)} <= alike))
                question = Question(metrics=usable, by=(name,), grain=grain, currency="EUR", **WINDOW)
                compiled = Compiler(catalogue, SCOPE, question).answer()
                found = client.query(compiled.sql, parameters=dict(compiled.parameters), settings=SETTINGS)
                assert list(found.column_names) == ([column.name for column in compiled.columns] if found.result_rows else [])
                assert found.result_rows or fact.name == "sessions" or (fact.name, name) in NOT_LOADED, "nothing was read"


def test_every_fact_is_stored_so_that_what_is_planned_changes_no_answer_before_it_is_built(agency: Any, catalogue: Catalogue) -> None:
    """A view would follow the pin, which moves when a build is planned, under the data version of the build before."""
    for fact in catalogue.facts.values():
        engine = "SELECT engine, partition_key FROM system.tables WHERE database = {database:String} AND name = {table:String}"
        [(stored, partitions)] = agency.mart.rows(engine, database=fact.database, table=fact.table)
        assert (fact.table, stored) == (fact.table, "MergeTree")
        assert "cityHash64(organization_id) % 16" in partitions


def test_totals_equal_the_mart(agency: Any, catalogue: Catalogue) -> None:
    for fact in catalogue.facts.values():
        additive = [m for m in fact.measures.values() if m.additive]
        sums = ", ".join(f"sum({measure.column})" for measure in additive)
        euros = "currency" in fact.dimensions
        kept = ["organization_id = 'org'", *(["currency_code = 'EUR'"] if euros else [])]
        kept += [f"toString({fact.dimensions[n].column}) = '{v}'" for n, v in fact.defaults.items()]
        found = agency.mart.rows(f"SELECT {sums} FROM {fact.database}.{fact.table} WHERE {' AND '.join(kept)}")[0]
        where = (Filter(dimension="currency", values=("EUR",)),) if euros else ()
        answer = agency.ask(*(measure.name for measure in additive), where=where, by=("platform",), totals=True)
        total = answer.rows[-1]
        assert total["row_type"] == "total"
        assert [total[measure.name] for measure in additive] == list(found)


def test_now_is_the_table_also_through_the_view(agency: Any) -> None:
    asked: dict[str, Any] = {"by": ("campaign",), "grain": Grain.WEEK, "totals": True, "currency": "RUB", "top": 3}
    now = agency.ask("spend", "clicks", "cpa", **asked)
    assert agency.ask("spend", "clicks", "cpa", **asked, as_of="2030-01-01T00:00:00Z").rows == now.rows


def test_metrics_of_two_facts_meet_over_what_they_share(agency: Any) -> None:
    rows = agency.ask("conversions", "action_conversions", by=("platform", "campaign"), grain=Grain.MONTH).rows
    assert rows
    for row in rows:
        assert row["conversions"] == (row["action_conversions"] or 0), "primary actions of the default window add up to the campaign's conversions"
    with pytest.raises(UsageError, match="conversion_action") as refused:
        agency.ask("conversions", "action_conversions", by=("conversion_action",))
    assert "ad_performance has no dimension conversion_action" in refused.value.what
    assert "conversions of ad_performance; action_conversions of conversion_actions" in refused.value.why
    assert "by date, platform, currency" in refused.value.fix


def test_the_smallest_bound_reaches_the_answer(agency: Any) -> None:
    everything = agency.ask("conversions_value", by=("currency", "ad_group"), where=(Filter(dimension="ctr", operator=Operator.AT_LEAST, values=("0.05",)),))
    assert all(row["conversions_value"] is not None for row in everything.rows)
    compared = agency.ask("ctr", by=("platform",), compare=Comparison(baseline=Baseline.PREVIOUS), since=date(2024, 3, 20), until=date(2024, 3, 29))
    assert [c.name for c in compared.columns] == ["platform", "ctr", "ctr_previous", "ctr_change", "ctr_change_ratio"]
    for row in compared.rows:
        assert row["ctr_change"] == pytest.approx(row["ctr"] - row["ctr_previous"])


def test_arrow_holds_what_json_holds(agency: Any) -> None:
    import pyarrow as pa

    from warehouse.metrics.printing import arrow_stream, to_json

    answer = agency.ask("spend", "clicks", "conversions", "ctr", by=("date", "currency"), totals=True)
    table = pa.ipc.open_stream(arrow_stream(answer)).read_all()
    assert table.num_rows == len(answer.rows)
    assert table.column("spend").to_pylist() == [row["spend"] for row in answer.rows]
    assert table.column("date").to_pylist() == [row["date"] for row in answer.rows]
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds == {
        "date": "date32[day]", "currency": "string", "spend": "decimal128(38, 12)", "clicks": "int64",
        "conversions": "decimal128(38, 12)", "ctr": "double", "row_type": "string",
    }  # fmt: skip
    assert json.loads(table.schema.metadata[b"mrm"])["sql"] == to_json(answer)["sql"]


def test_a_day_is_over_only_when_it_is_in_every_account(agency: Any) -> None:
    answer = agency.ask("clicks", since=date(2024, 4, 1), until=date(2024, 4, 12))
    assert "incomplete_last_day" in [w.code for w in answer.warnings]
    assert "incomplete_last_day" not in [w.code for w in agency.ask("clicks", since=date(2024, 4, 1), until=date(2024, 4, 11)).warnings]
