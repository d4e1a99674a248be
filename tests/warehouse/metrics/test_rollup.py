"""Sums that the ad fact keeps by campaign and day: read where they suffice, and equal to the rows that they stand for."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from domain.questions import Baseline, Comparison, Filter, Grain, Operator, Question, Scope
from warehouse.metrics.catalogue import Catalogue
from warehouse.metrics.compiler import Compiled, Compiler

ORGANIZATION = "rolled"
WINDOW = {"since": "2024-02-25", "until": "2024-03-31"}
MEASURES = ("impressions", "clicks", "spend", "conversions", "conversions_value")
KEPT = ("date", "platform", "currency", "account", "campaign")
QUESTIONS = {
    "filtered": {"by": ("platform", "currency"), "where": (Filter(dimension="campaign", operator=Operator.CONTAINS, values=("c1",)),)},
    "by_project": {"by": ("project", "currency"), "grain": Grain.WEEK},
    "compared": {"by": ("campaign", "currency"), "compare": Comparison(baseline=Baseline.PREVIOUS), "top": 2, "totals": True},
    "converted": {"by": ("platform",), "currency": "EUR", "grain": Grain.MONTH},
    "converted_in_one_row": {"currency": "RUB"},
    "converted_by_project": {"by": ("project", "campaign"), "currency": "RUB", "totals": True},
}


@pytest.fixture(scope="module")
def rolled(agency: Any) -> Iterator[Any]:
    """Forty thousand ad days in one organization: enough that the sums of its campaigns are fewer granules."""
    columns = (
        "organization_id, integration_id, platform, account_id, campaign_id, ad_group_id, ad_id, date_day, level_of_row, "
        "impressions, clicks, spend, conversions, conversions_value, currency_code, vat_included"
    )
    agency.mart.rows(
        f"""INSERT INTO marts.fct_ad_performance_daily ({columns})
        SELECT {{organization:String}}, 'i', ['google_ads', 'meta_ads'][1 + ad % 2], concat('a', toString(ad % 4)), concat('c', toString(ad % 8)), 'g',
            toString(ad), toDate('2024-01-15') + number % 80, 'ad', number % 97, number % 13, toDecimal64(number % 101, 6) / 7,
            toDecimal64(number % 5, 6) / 3, toDecimal64(number % 211, 6), ['EUR', 'USD'][1 + ad % 2], false
        FROM (SELECT number, intDiv(number, 80) AS ad FROM numbers(40000))""",
        organization=ORGANIZATION,
    )
    agency.mart.rows("INSERT INTO marts.dim_account_project VALUES ({o:String}, 'p', 'P', '', 'google_ads', 'a0', '2024-03-02', NULL)", o=ORGANIZATION)
    yield agency
    for table in ("fct_ad_performance_daily", "dim_account_project"):
        agency.mart.rows(f"ALTER TABLE marts.{table} DELETE WHERE organization_id = {{o:String}} SETTINGS mutations_sync = 1", o=ORGANIZATION)


def _compiled(catalogue: Catalogue, metrics: tuple[str, ...] = MEASURES, **question: Any) -> Compiler:
    return Compiler(catalogue, Scope(organization_id=ORGANIZATION), Question(metrics=metrics, **{**WINDOW, **question}))


def _rows(agency: Any, compiled: Compiled, prefix: str = "", **settings: int) -> list[tuple[Any, ...]]:
    settings = {"join_use_nulls": 1, **settings}
    with agency.mart.warehouse.client() as client:
        return [tuple(row) for row in client.query(prefix + compiled.sql, parameters=dict(compiled.parameters), settings=settings).result_rows]


def _reads(agency: Any, compiled: Compiled) -> set[str]:
    """Name what of the fact a question reads: its rows, its sums."""
    explained = "\n".join(line for (line,) in _rows(agency, compiled, "EXPLAIN "))
    return {name for sign, name in (("(campaign_days)", "sums"), ("(marts.fct_ad_performance_daily)", "rows")) if sign in explained}


def _same_from_sums_and_from_rows(agency: Any, compiler: Compiler) -> list[tuple[Any, ...]]:
    for compiled in (compiler.answer(), *compiler.profiles(), *compiler.missing_rates()):
        assert _reads(agency, compiled) == {"sums"}, compiled.sql
        from_rows = _rows(agency, compiled, optimize_use_projections=0)
        assert [_unordered(row) for row in _rows(agency, compiled)] == [_unordered(row) for row in from_rows]
    return _rows(agency, compiler.answer())


def _unordered(row: tuple[Any, ...]) -> list[Any]:
    return [sorted(value) if isinstance(value, list) else value for value in row]


def test_every_question_by_what_is_kept_reads_the_sums_and_they_are_those_of_the_rows(rolled: Any, catalogue: Catalogue) -> None:
    assert catalogue.facts["ad_performance"].rollup == KEPT
    for count in range(len(KEPT) + 1):
        for by in combinations(KEPT, count):
            assert _same_from_sums_and_from_rows(rolled, _compiled(catalogue, by=by)), by


@pytest.mark.parametrize("name", QUESTIONS)
def test_filters_comparisons_projects_and_currencies_read_the_sums_too(rolled: Any, catalogue: Catalogue, name: str) -> None:
    assert _same_from_sums_and_from_rows(rolled, _compiled(catalogue, **QUESTIONS[name]))


def test_what_is_finer_than_the_sums_reads_the_rows(rolled: Any, catalogue: Catalogue) -> None:
    for by, currency in (("ad_group", None), ("ad", "EUR")):
        assert _reads(rolled, _compiled(catalogue, by=(by,), currency=currency).answer()) == {"rows"}
