"""Filters, the drill, tables, charts and remembered logins, without a browser."""

from datetime import date
from decimal import Decimal

import altair as alt

from dashboards import charts, tables
from dashboards.drill import LEVELS, closed, complete, depth, named, opened, opens, path
from dashboards.filters import Filters, read
from dashboards.language import Language
from dashboards.remembering import Remembered
from platform_api.auth.schemas import Session
from platform_api.client import ApiClient

RU = Language("ru")
ROW = {"spend": "10.00", "impressions": 100, "clicks": 5, "conversions": 1, "conversions_value": "20.00", "currency": "RUB"}


def test_filters_survive_the_address():
    for filters in (
        Filters(),
        Filters("p", "7", compare="year"),
        Filters("p", "custom", "2026-03-01", "2026-03-28", "none", "meta_ads", "act_1", "Весна & лето=1", "2"),
    ):
        assert read(filters.parameters) == filters


def test_what_does_not_fit_falls_back():
    assert read({"period": "8", "compare": "x", "since": "2026-01-01", "lang": "ru"}) == Filters()
    assert read({"period": "custom", "since": "2026-03-28", "until": "2026-03-01"}) == Filters()
    assert read({"period": "custom", "since": "soon", "until": "2026-03-01"}) == Filters()


def test_the_path_names_account_and_platform_too():
    row = {"platform": "meta_ads", "account": "act_1", "campaign": "1", "currency": "RUB"}
    inside = opened(Filters("p"), row, LEVELS[0])
    assert depth(inside) == 1
    assert [(f.dimension, f.values) for f in path(inside)] == [("platform", ("meta_ads",)), ("account", ("act_1",)), ("campaign", ("1",))]
    deeper = opened(inside, {"campaign": "1", "ad_group": "2"}, LEVELS[1])
    assert depth(deeper) == 2
    assert closed(deeper, to=1) == inside
    assert closed(deeper) == Filters("p")


def test_what_rows_miss_of_their_parent_is_a_residual_row():
    parent = {**ROW, "spend": "25.00", "clicks": 11}
    rows = complete([{**ROW, "ad": "1"}, {**ROW, "ad": "2"}], [parent], LEVELS[2])
    assert len(rows) == 3
    assert (rows[2]["spend"], rows[2]["clicks"], rows[2]["currency"]) == ("5.00", "1", "RUB")
    for name in tables.ADDITIVE:
        assert tables.total(rows)[name] == Decimal(str(parent[name]))
    assert len(complete([{**ROW, "ad": "1"}], [ROW], LEVELS[2])) == 1


def test_a_residual_row_says_so():
    assert named(RU, {**ROW, "ad": None}, LEVELS[2])["ad"] == "вне объявлений"
    assert named(RU, {**ROW, "ad": "7", "ad_name": "Весна"}, LEVELS[2])["ad"] == "Весна"
    assert named(RU, {**ROW, "ad": "7", "ad_name": None}, LEVELS[2])["ad"] == "7"


def test_a_level_of_residual_rows_alone_opens_nothing():
    residual, known = (named(RU, {**ROW, "ad_group": group}, LEVELS[1]) for group in (None, "7"))
    assert not opens([residual], LEVELS[1])
    assert opens([residual, known], LEVELS[1])
    assert not opens([named(RU, {**ROW, "ad": "1"}, LEVELS[2])], LEVELS[2])


def test_tables_sort_as_numbers_and_are_written_in_each_rows_currency():
    rows = [{**ROW, "platform": "meta_ads", "roas": 2.0}, {**ROW, "platform": "google_ads", "currency": "USD", "spend": "1234.5", "roas": None}]
    styled = tables.frame(tables.by_platform(RU, rows, {"spend": "Расход"}), RU)
    assert styled.data["spend"].tolist() == [10.0, 1234.5]
    html = styled.to_html()
    for written in ("10,00\u00a0₽", "1\u00a0234,50\u00a0$", "—", "Meta Ads"):
        assert written in html


def test_totals_of_a_table_are_per_currency():
    assert [row["currency"] for row in tables.by_currency([ROW, {**ROW, "currency": "USD"}, ROW])] == ["RUB", "USD"]
    assert tables.by_currency([ROW, ROW])[0]["spend"] == Decimal("20.00")


def test_a_trend_carries_the_exact_values_and_the_languages_words():
    rows = [{"date": date(2026, 3, d).isoformat(), "spend": f"{d}.50"} for d in (1, 2)] + [{"date": "2026-03-03", "spend": None}]
    chart = charts.trend(rows, "spend", "Расход", "money", "RUB", RU)
    assert isinstance(chart, alt.LayerChart)
    spec = chart.to_dict()
    points = next(iter(spec["datasets"].values()))
    assert [p["exact"] for p in points] == ["1,50\u00a0₽", "2,50\u00a0₽"]
    assert spec["config"]["locale"]["time"]["months"][2] == "март"


def test_a_remembered_login_needs_its_ticket_and_its_cookie():
    now = [0.0]
    remembered = Remembered(most=2, now=lambda: now[0])
    client = ApiClient("http://127.0.0.1:9", session=Session(access_token="a", expires_in=1, refresh_token="r"))
    ticket = remembered.ticket(client)
    cookie = remembered.redeem(ticket)
    assert remembered.client(cookie) is client
    assert remembered.redeem(ticket) is None
    assert remembered.client(ticket) is None
    assert remembered.client("") is None
    late = remembered.ticket(client)
    now[0] = 61.0
    assert remembered.redeem(late) is None
    client.session = None
    assert remembered.client(cookie) is None
