"""Chart specifications: the points as they are, in the reader's language, drawable by vl-convert."""

import re
from decimal import Decimal
from itertools import pairwise

import pytest

from domain.documents import Series
from reports.charts import by_platform, charts, illustrated, trend
from reports.svg import draw


def series(**values):
    points = {name: [Decimal(v) if v is not None else None for v in numbers] for name, numbers in values.items()}
    return Series(kind="daily", currency="EUR", labels=["2026-10-04", "2026-10-05"], values=points)


def test_the_trend_holds_each_day_once_with_its_values():
    spec = trend(series(spend=["1.5", "2"], conversions=["3", None], previous_spend=["1", "1"]), "en")
    assert spec["data"]["values"] == [
        {"date": "2026-10-04", "spend": 1.5, "conversions": 3.0, "previous_spend": 1.0},
        {"date": "2026-10-05", "spend": 2.0, "conversions": None, "previous_spend": 1.0},
    ]
    assert spec["vconcat"][0]["title"]["text"] == "Spend, EUR"


def test_platforms_are_named_in_the_readers_language():
    points = Series(kind="platform", currency="RUB", labels=["yandex_direct"], values={"spend": [Decimal(5)], "previous_spend": [Decimal(4)]})
    rows = by_platform(points, "ru")["data"]["values"]
    assert rows == [
        {"platform": "Яндекс Директ", "period": "Этот период", "spend": 5.0},
        {"platform": "Яндекс Директ", "period": "Предыдущий период", "spend": 4.0},
    ]


@pytest.mark.parametrize(("language", "day", "number"), [("ru", "4 окт", "1\u00a0000"), ("en", "4 Oct", "1,000")])
def test_axes_follow_the_language(language, day, number):
    drawn = draw(trend(series(spend=["1000", "2000"], conversions=["3", "4"]), language), "title")
    assert day in drawn
    assert number in drawn


def test_the_first_days_label_stands_under_its_day_and_keeps_clear_of_the_next():
    days = [f"2026-10-{day}" for day in range(28, 32)] + [f"2026-11-{day:02}" for day in range(1, 25)]
    points = Series(kind="daily", currency="RUB", labels=days, values={"spend": [Decimal(100)] * 28, "conversions": [Decimal(3)] * 28})
    labels = re.findall(r'<text text-anchor="(\w+)" transform="translate\(([\d.]+),[^>]*>\d+ (?:окт|ноя)<', draw(trend(points, "ru"), "title"))
    assert len(labels) > 6
    assert {anchor for anchor, _ in labels} == {"middle"}
    places = [float(place) for _, place in labels]
    assert min(right - left for left, right in pairwise(places)) > 50


def test_the_drawing_takes_the_pages_colours_and_escapes_its_texts():
    points = Series(kind="platform", currency="RUB", labels=["<script>alert(1)</script>"], values={"spend": [Decimal(5)]})
    drawn = draw(by_platform(points, "en"), 'a "title" <b>')
    assert "<script" not in drawn
    assert 'aria-label="a &#34;title&#34; &lt;b&gt;"' in drawn
    assert "var(--first)" in drawn
    assert "#2f6fed" not in drawn


def test_two_charts_on_a_page_share_no_ids():
    spec = trend(series(spend=["1", "2"], conversions=["3", "4"]), "en")
    first, second = (set(re.findall(r'\bid="([^"]+)"', draw(spec, "a"))) for _ in range(2))
    assert not first & second


def test_titles_name_the_currency_only_where_there_are_several(document):
    one = document()
    assert [chart.title for chart in illustrated(one).charts] == ["Spend and conversions by day", "Spend by platform"]
    two = [*one.series, one.series[0].model_copy(update={"currency": "USD"})]
    assert [chart.title for chart in charts(two, "en")][-1] == "Spend and conversions by day, USD"


def test_no_points_no_chart():
    assert charts([Series(kind="daily", currency="RUB", labels=[], values={})], "en") == []
