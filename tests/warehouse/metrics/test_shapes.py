"""Periods, comparisons, tops, totals and conversion equal what plain arithmetic over the same rows gives, for any question."""

import sys
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import UsageError
from domain.questions import Baseline, Comparison, Filter, Grain, Operator

SINCE, UNTIL = date(2024, 2, 20), date(2024, 4, 10)
MEASURES = ("clicks", "impressions", "conversions", "spend")
METRICS = ("spend", "clicks", "ctr", "cpa")


def roubles(currency: str, day: date) -> Decimal:
    """Return the rate that the fixture loaded."""
    rate: Decimal = next(m for name, m in sys.modules.items() if name.endswith("conftest") and hasattr(m, "roubles")).roubles(currency, day)
    return rate


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    since = SINCE + timedelta(days=draw(st.integers(0, 30)))
    by = draw(st.lists(st.sampled_from(("platform", "account", "currency", "campaign")), max_size=2, unique=True))
    converted = draw(st.booleans()) or "currency" not in by
    entities = [name for name in by if converted or name != "currency"]
    return {
        "metrics": draw(st.permutations(METRICS)),
        "by": by,
        "since": since,
        "until": since + timedelta(days=draw(st.integers(0, 19))),
        "grain": draw(st.sampled_from((None, *Grain))),
        "top": draw(st.sampled_from((None, 1, 2, 3))) if entities else None,
        "totals": draw(st.booleans()),
        "currency": "RUB" if converted else None,
        "baseline": draw(st.sampled_from((None, Baseline.PREVIOUS, Baseline.YEAR_WEEKDAY, Baseline.CUSTOM))),
    }


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=questions())
def test_any_shape_is_what_plain_arithmetic_gives(agency: Any, asked: dict[str, Any]) -> None:
    asked = dict(asked)
    baseline = asked.pop("baseline")
    compare = None
    if baseline is Baseline.CUSTOM:
        compare = Comparison(baseline=baseline, since=asked["since"] - timedelta(days=9), until=asked["until"] - timedelta(days=12) + timedelta(days=20))
    elif baseline is not None:
        compare = Comparison(baseline=baseline)
    by = [*(["date"] if asked["grain"] else []), *asked["by"]]
    metrics = asked.pop("metrics")
    answer = agency.ask(*metrics, **asked, compare=compare)
    expected = _expected(agency, asked, by, metrics[0], compare)
    got = {
        (row.get("row_type", "row"), *(None if row.get("row_type") == "total" and n not in _apart(asked) else row[n] for n in by)): row for row in answer.rows
    }
    assert len(got) == len(answer.rows)
    assert set(got) == set(expected)
    for key, (now, before) in expected.items():
        for metric in metrics:
            _same(got[key][metric], _metric(now, metric), metric)
            if compare:
                _same(got[key][f"{metric}_previous"], _metric(before, metric), metric)
    kinds = [row.get("row_type", "row") for row in answer.rows]
    assert kinds == sorted(kinds, key=lambda kind: kind == "total"), "totals stand last"


def _apart(asked: dict[str, Any]) -> set[str]:
    return {"currency"} & set(asked["by"]) if asked["currency"] is None else set()


def _expected(agency: Any, asked: dict[str, Any], by: list[str], rank: str, compare: Comparison | None) -> dict[tuple[Any, ...], Any]:
    """Sum the facts row by row; only then fold the rest and add totals."""
    cells: dict[tuple[Any, ...], Any] = defaultdict(_nothing)
    for place, (since, until, shift) in enumerate(_windows(asked, compare)):
        for row in _org_rows(agency):
            if since <= row["date"] <= until:
                bucket = _start(row["date"] + timedelta(days=shift), asked["grain"])
                key = tuple(bucket if name == "date" else row[name] for name in by)
                rate = roubles(row["currency"], row["date"]) if asked["currency"] else Decimal(1)
                for measure in MEASURES:
                    cells[key][place][measure] += row[measure] * (rate if measure == "spend" else 1)
    if not by and not cells:
        cells[()] = _nothing()
    apart = _apart(asked)
    rows = {("row", *key): cell for key, cell in cells.items()}
    if asked["top"]:
        rows = _folded(cells, by, apart, rank, asked["top"])
    if asked["totals"] and set(by) - apart:
        rows |= _added(rows, lambda key: ("total", *(value if name in apart else None for name, value in zip(by, key[1:], strict=True))))
    return rows


def _folded(cells: dict[tuple[Any, ...], Any], by: list[str], apart: set[str], rank: str, top: int) -> dict[tuple[Any, ...], Any]:
    def entity(key: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(value for name, value in zip(by, key, strict=True) if name != "date" and name not in apart)

    def group(key: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(value for name, value in zip(by, key, strict=True) if name in apart)

    wholes = _added(cells, lambda key: (group(key), entity(key)))
    first = set()
    for one in {key[0] for key in wholes}:
        ranked = sorted((key for key in wholes if key[0] == one), key=lambda key: (_descending(_metric(wholes[key][0], rank)), key[1]))
        first |= set(ranked[:top])

    def folded(key: tuple[Any, ...]) -> tuple[Any, ...]:
        if (group(key), entity(key)) in first:
            return ("row", *key)
        return ("other", *(value if name == "date" or name in apart else "other" for name, value in zip(by, key, strict=True)))

    return _added(cells, folded)


def _added(cells: dict[tuple[Any, ...], Any], under: Any) -> dict[tuple[Any, ...], Any]:
    sums: dict[tuple[Any, ...], Any] = defaultdict(_nothing)
    for key, cell in cells.items():
        for place in (0, 1):
            for measure in MEASURES:
                sums[under(key)][place][measure] += cell[place][measure]
    return dict(sums)


def _nothing() -> list[dict[str, Any]]:
    return [dict.fromkeys(MEASURES, Decimal(0)) for _ in range(2)]


def _windows(asked: dict[str, Any], compare: Comparison | None) -> list[tuple[date, date, int]]:
    since, until = asked["since"], asked["until"]
    if compare is None:
        return [(since, until, 0)]
    days = (until - since).days + 1
    if compare.baseline is Baseline.CUSTOM:
        assert compare.since
        assert compare.until
        return [(since, until, 0), (compare.since, compare.until, (since - compare.since).days)]
    back = days if compare.baseline is Baseline.PREVIOUS else 364
    return [(since, until, 0), (since - timedelta(days=back), until - timedelta(days=back), back)]


def _start(day: date, grain: Grain | None) -> date:
    if grain is Grain.WEEK:
        return day - timedelta(days=day.weekday())
    if grain in (None, Grain.DAY):
        return day
    month = {Grain.MONTH: day.month, Grain.QUARTER: (day.month - 1) // 3 * 3 + 1, Grain.YEAR: 1}[grain]
    return date(day.year, month, 1)


def _org_rows(agency: Any) -> list[dict[str, Any]]:
    if not hasattr(agency, "org_rows"):
        agency.org_rows = [row for row in agency.facts.unique(["organization", "account", "campaign", "ad", "date"]).to_dicts() if row["organization"] == "org"]
    return agency.org_rows


def _metric(cell: dict[str, Any], metric: str) -> Any:
    if metric == "ctr":
        return float(cell["clicks"]) / float(cell["impressions"]) if cell["impressions"] else None
    spend = Decimal(cell["spend"]).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    if metric == "cpa":
        return spend / cell["conversions"] if cell["conversions"] else None
    return spend if metric == "spend" else cell[metric]


def _descending(value: Any) -> tuple[bool, Any]:
    return (value is None, 0 if value is None else -value)


def _same(got: Any, expected: Any, metric: str) -> None:
    if expected is None or got is None:
        assert got == expected
    elif metric == "ctr":
        assert got == pytest.approx(expected, rel=1e-12)
    elif metric == "cpa":
        assert abs(expected - got) < Decimal("1e-5") if expected > 10**6 else abs(expected - got) < Decimal("1e-6")
    else:
        assert abs(got - expected) <= (Decimal("0.00001") if metric == "spend" else 0)


def test_the_rest_is_the_total_less_the_top(agency: Any) -> None:
    asked = {"by": ("campaign",), "currency": "EUR", "totals": True, "order_by": ("-spend",)}
    rows = agency.ask("spend", "conversions", "cpa", top=2, **asked).rows
    assert [row["row_type"] for row in rows] == ["row", "row", "other", "total"]
    *top, rest, total = rows
    for measure in ("spend", "conversions"):
        assert rest[measure] == total[measure] - sum(row[measure] for row in top)
    assert abs(rest["cpa"] - rest["spend"] / rest["conversions"]) < Decimal("1e-11")
    assert rest["campaign"] == rest["campaign_name"] == "other"
    everything = agency.ask("spend", **{**asked, "totals": False}).rows
    assert [row["campaign"] for row in top] == [row["campaign"] for row in everything[:2]]


def test_ranges_keep_days_and_rows(agency: Any) -> None:
    days = agency.ask("clicks", by=("date",), where=(_bound("date", ">=", "2024-03-04"), _bound("date", "<=", "2024-03-06"))).rows
    assert [row["date"] for row in days] == [date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 6)]
    everything = {row["account"]: row["clicks"] for row in agency.ask("clicks", by=("account",)).rows}
    least = sorted(everything.values())[1]
    most = agency.ask("clicks", by=("account",), where=(_bound("clicks", ">=", str(least)),), totals=True).rows
    kept = {account: clicks for account, clicks in everything.items() if clicks >= least}
    assert 0 < len(kept) < len(everything)
    assert {row["account"]: row["clicks"] for row in most if row["row_type"] == "row"} == kept
    assert most[-1]["clicks"] == sum(kept.values())


def test_what_is_left_out_and_what_is_named_make_the_whole(agency: Any) -> None:
    whole = agency.ask("clicks").rows[0]["clicks"]
    for name, values in (("campaign", ("g1-c0", "Бренд")), ("platform", ("meta_ads",)), ("project", ("north",)), ("date", ("2024-03-05",)), ("ad", ("",))):
        parts = [agency.ask("clicks", where=(Filter(dimension=name, operator=o, values=values),)).rows[0]["clicks"] for o in (Operator.IN, Operator.NOT_IN)]
        assert sum(parts) == whole
        assert all(parts)
    scoped = agency.ask("clicks", projects=("north",), where=(Filter(dimension="project", operator=Operator.NOT_EQUALS, values=("south",)),)).rows
    assert scoped == agency.ask("clicks", projects=("north",)).rows, "a filter never widens the scope"


def test_a_comparison_says_its_windows_and_leaves_a_zero_base_empty(agency: Any) -> None:
    answer = agency.ask("clicks", since=date(2024, 3, 1), until=date(2024, 3, 31), compare=Comparison(baseline=Baseline.YEAR))
    assert answer.rows[0]["clicks_previous"] == 0
    assert answer.rows[0]["clicks_change"] == answer.rows[0]["clicks"] > 0
    assert answer.rows[0]["clicks_change_ratio"] is None
    compared = answer.comparison
    assert (compared.since, compared.until, compared.days, compared.compared_days) == (date(2023, 3, 1), date(2023, 3, 31), 31, 31)
    assert (compared.days_with_data, compared.compared_days_with_data, compared.like_for_like) == (31, 0, False)
    assert "not_like_for_like" in [w.code for w in answer.warnings]
    weeks = agency.ask("clicks", since=date(2024, 3, 11), until=date(2024, 3, 17), compare=Comparison(baseline=Baseline.PREVIOUS))
    before = agency.ask("clicks", since=date(2024, 3, 4), until=date(2024, 3, 10)).rows[0]["clicks"]
    row = weeks.rows[0]
    assert (row["clicks_previous"], row["clicks_change"]) == (before, row["clicks"] - before)
    assert row["clicks_change_ratio"] == pytest.approx((row["clicks"] - before) / before)
    assert weeks.comparison.like_for_like


def test_a_leap_day_is_compared_with_the_last_of_february(agency: Any) -> None:
    compared = agency.ask("clicks", since=date(2024, 2, 29), until=date(2024, 2, 29), compare=Comparison(baseline=Baseline.YEAR)).comparison
    assert (compared.since, compared.until) == (date(2023, 2, 28), date(2023, 2, 28))


def test_a_cut_period_is_said(agency: Any) -> None:
    asked = {"since": date(2024, 3, 5), "until": date(2024, 3, 31), "grain": Grain.WEEK}
    answer = agency.ask("clicks", **asked)
    assert answer.rows[0]["date"] == date(2024, 3, 4)
    notes = [w.message for w in answer.warnings if w.code == "partial_period"]
    assert notes == ["The week from 2024-03-04 to 2024-03-10 lies only partly in the window"]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"top": 0}, "top of 0"),
        ({"top": 2, "by": ("date",)}, "top is of nothing"),
        ({"where": (Filter(dimension="clicks", operator=Operator.CONTAINS, values=("1",)),)}, "cannot be filtered"),
        ({"where": (Filter(dimension="clicks", operator=Operator.AT_LEAST, values=("many",)),)}, "no number"),
        ({"where": (Filter(dimension="platform", operator=Operator.AT_LEAST, values=("a",)),)}, "has no order"),
        ({"compare": Comparison(baseline=Baseline.CUSTOM)}, "lacks its window"),
        ({"currency": "roubles"}, "no currency"),
        ({"currency": "XXX"}, "'XXX' is no currency"),
        ({"currency": "base"}, "no base currency"),
    ],
)
def test_impossible_shapes_are_refused(agency: Any, question: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        agency.ask("clicks", **question)
    assert refused.value.fix


def _bound(dimension: str, sign: str, value: str) -> Filter:
    return Filter(dimension=dimension, operator=Operator(sign), values=(value,))
