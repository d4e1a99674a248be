"""The SQL that questions compile to, word for word; and the catalogue that it comes from."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from domain.questions import Answer, AnswerColumn, Baseline, Comparison, Filter, Grain, Operator, Question, Scope
from warehouse.metrics.catalogue import Catalogue
from warehouse.metrics.compiler import Compiler
from warehouse.metrics.documenting import in_step
from warehouse.metrics.printing import to_json

GOLDEN = Path(__file__).with_name("golden")
WINDOW = {"since": date(2024, 3, 1), "until": date(2024, 3, 31)}
WHOLE = Scope(organization_id="org")
QUESTIONS = {
    "one_row": (WHOLE, Question(metrics=("impressions", "spend", "ctr", "cpc", "cpm", "roas"), **WINDOW)),
    "by_platform_and_date": (WHOLE, Question(metrics=("clicks",), by=("platform", "date"), order_by=("-clicks",), limit=10, **WINDOW)),
    "everything": (
        Scope(organization_id="org", project_ids=("north",)),
        Question(
            metrics=("cpa", "cvr"),
            by=("project", "campaign", "currency"),
            where=(
                Filter(dimension="platform", values=("meta_ads",)),
                Filter(dimension="campaign", operator=Operator.CONTAINS, values=("Бренд'; --",)),
                Filter(dimension="project", values=("north",)),
                Filter(dimension="date", operator=Operator.IN, values=("2024-03-01", "2024-03-02")),
            ),
            as_of=datetime(2024, 4, 1, tzinfo=UTC),
            **WINDOW,
        ),
    ),
    "top_of_a_comparison": (
        WHOLE,
        Question(
            metrics=("spend", "cpa"),
            by=("platform", "campaign"),
            grain=Grain.WEEK,
            where=(
                Filter(dimension="spend", operator=Operator.AT_LEAST, values=("10",)),
                Filter(dimension="account", operator=Operator.NOT_EQUALS, values=("x",)),
            ),
            compare=Comparison(baseline=Baseline.YEAR),
            top=3,
            totals=True,
            currency="EUR",
            order_by=("-roas",),
            **WINDOW,
        ),
    ),
    "two_facts": (WHOLE, Question(metrics=("conversions", "action_conversions"), by=("platform", "date"), grain=Grain.MONTH, **WINDOW)),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_compile_to_the_golden_sql(catalogue: Catalogue, name: str) -> None:
    scope, question = QUESTIONS[name]
    compiler = Compiler(catalogue, scope, question)
    compiled = compiler.answer()
    checks = [*compiler.profiles(), *compiler.missing_rates()] if compiler.needs_profiles else []
    bound = "\n".join(f"-- {key} = {value!r}" for key, value in sorted(compiled.parameters.items()))
    text = f"-- house: what the compiler writes, word for word\n{compiled.sql}\n{bound}\n" + "".join(f"\n-- check:\n{check.sql}\n" for check in checks)
    assert text == (GOLDEN / f"{name}.sql").read_text()


def test_the_catalogue_says_what_each_metric_is(catalogue: Catalogue) -> None:
    base = ["impressions", "clicks", "spend", "conversions", "conversions_value"]
    made = ["aov", "cpa", "cpc", "cpm", "ctr", "cvr", "drr", "roas"]
    assert [name for name in catalogue.metrics if name in (*base, *made)] == [*base, *made]
    dimensions = ["date", "platform", "currency", "account", "campaign", "ad_group", "ad", "project"]
    assert list(catalogue.facts["ad_performance"].dimensions) == dimensions
    assert {m.unit for m in catalogue.metrics.values()} == {"count", "number", "money", "ratio"}
    cpm, ctr, spend = (catalogue.metric(name) for name in ("cpm", "ctr", "spend"))
    assert (cpm.formula, cpm.inputs, cpm.unit, cpm.good_direction) == ("1000 * spend / impressions", ("spend", "impressions"), "money", "down")
    assert (ctr.formula, ctr.additivity, ctr.label["ru"]) == ("clicks / impressions", "non_additive", "CTR")
    assert (spend.formula, spend.additivity, spend.label) == ("sum(spend)", "additive", {"en": "Spend", "ru": "Расход"})
    for metric in catalogue.metrics.values():
        assert set(metric.label) == set(metric.description) == set(metric.synonyms) == {"en", "ru"}
        assert all([*metric.label.values(), *metric.description.values(), *metric.synonyms.values()])
    assert catalogue.measures_of("cpm") == ("spend", "impressions")
    money = ["spend", "conversions_value", "aov", "cpa", "cpc", "cpm", "drr", "roas"]
    assert [m for m in (*base, *made) if catalogue.involves_money(m)] == money


def test_the_page_of_metrics_is_in_step(catalogue: Catalogue) -> None:
    assert in_step(catalogue), "run `python -m warehouse.metrics.documenting`"


def test_printed_answers_keep_money_exact_and_counts_whole() -> None:
    columns = [
        AnswerColumn(name="date", kind="dimension"),
        AnswerColumn(name="campaign", kind="dimension"),
        *(
            AnswerColumn(name=name, kind="metric", unit=unit)
            for name, unit in (("clicks", "count"), ("conversions", "number"), ("spend", "money"), ("ctr", "ratio"))
        ),
    ]
    rows = [
        {"date": date(2024, 3, 1), "campaign": None, "clicks": 5, "conversions": Decimal("3.000000"), "spend": Decimal("58705.230000"), "ctr": 0.25},
        {"date": date(2024, 3, 2), "campaign": "c", "clicks": 0, "conversions": Decimal("0.333333"), "spend": Decimal("0.000001"), "ctr": None},
    ]
    printed = to_json(Answer(columns=columns, rows=rows, data_version=3, freshness=[], warnings=[], sql="SELECT 1", query_hash="x"))
    assert printed["rows"] == [
        {"date": "2024-03-01", "campaign": None, "clicks": 5, "conversions": 3, "spend": "58705.23", "ctr": 0.25},
        {"date": "2024-03-02", "campaign": "c", "clicks": 0, "conversions": 0.333333, "spend": "0.000001", "ctr": None},
    ]
    assert (printed["data_version"], printed["sql"]) == (3, "SELECT 1")
    assert {"rows", "data_version", "building", "freshness", "warnings", "sql"} <= set(printed)
