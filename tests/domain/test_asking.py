"""From texts to questions, the same for the command line and the API."""

from datetime import UTC, date, datetime

import pytest

from domain.asking import as_of, comparison, filters, grain, names, printed, question
from domain.errors import UsageError
from domain.questions import Baseline, Comparison, Filter, Grain, Operator

WINDOW = {"since": date(2026, 3, 1), "until": date(2026, 3, 31)}


def test_names_are_split() -> None:
    assert names(" spend, clicks,,ctr ") == ("spend", "clicks", "ctr")


@pytest.mark.parametrize(
    ("text", "operator", "value"),
    [
        ("campaign=a=b|c", Operator.EQUALS, "a=b|c"),
        ("campaign!=x", Operator.NOT_EQUALS, "x"),
        ("campaign~10%", Operator.CONTAINS, "10%"),
        ("campaign!~бренд", Operator.NOT_CONTAINS, "бренд"),
        ("campaign>=7", Operator.AT_LEAST, "7"),
        ("campaign<=7", Operator.AT_MOST, "7"),
        ("campaign=", Operator.EQUALS, ""),
        ("campaign==x", Operator.EQUALS, "=x"),
    ],
)
def test_a_filter_is_read_by_its_sign_and_printed_the_same(text: str, operator: Operator, value: str) -> None:
    found = filters([text])
    assert found == (Filter(dimension="campaign", operator=operator, values=(value,)),)
    assert printed(found[0]) == [text]


def test_a_dimension_given_twice_means_any_of_its_values() -> None:
    assert filters(["platform=x", "platform=y", "platform!=z", "campaign=1|2"], split="|") == (
        Filter(dimension="platform", operator=Operator.IN, values=("x", "y")),
        Filter(dimension="platform", operator=Operator.NOT_EQUALS, values=("z",)),
        Filter(dimension="campaign", operator=Operator.IN, values=("1", "2")),
    )
    several = Filter(dimension="platform", operator=Operator.NOT_IN, values=("x", "y"))
    assert filters(printed(several)) == (several,)


@pytest.mark.parametrize("text", ["campaign", "=x", "Camp aign=x", ""])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        filters([text])


def test_a_date_as_of_means_its_end() -> None:
    assert as_of(None) is None
    assert as_of("") is None
    assert as_of("2026-03-01") == datetime(2026, 3, 1, 23, 59, 59, 999999, UTC)
    assert as_of("2026-03-01T12:00:00+03:00") == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert as_of("2026-03-01T12:00") == datetime(2026, 3, 1, 12, tzinfo=UTC)
    with pytest.raises(UsageError):
        as_of("yesterday")


def test_comparisons_and_grains_are_read() -> None:
    assert comparison("none") is comparison("") is None
    assert comparison("year_weekday") == Comparison(baseline=Baseline.YEAR_WEEKDAY)
    assert comparison("2026-01-01..2026-01-31") == Comparison(baseline=Baseline.CUSTOM, since=date(2026, 1, 1), until=date(2026, 1, 31))
    assert grain("week") is Grain.WEEK
    for read, wrong in ((comparison, "custom"), (comparison, "2026-02-01..2026-01-01"), (comparison, "x..y"), (grain, "hour")):
        with pytest.raises(UsageError):
            read(wrong)


def test_a_question_without_metrics_or_with_a_window_turned_round_is_refused() -> None:
    with pytest.raises(UsageError, match="No metric"):
        question(metrics=" , ", **WINDOW)
    with pytest.raises(UsageError, match="after its end"):
        question(metrics="spend", since=WINDOW["until"], until=WINDOW["since"])
