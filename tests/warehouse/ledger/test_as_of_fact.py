"""The ad fact as of an instant: now it is the table, as of yesterday it is the table as it was yesterday."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.errors import ConfigurationError
from home.directory import Home
from warehouse.as_of import AS_OF_SETTINGS, create_as_of_views
from warehouse.client import Warehouse, WarehouseSettings

YESTERDAY = datetime(2025, 6, 1, 12, tzinfo=UTC)
TODAY = YESTERDAY + timedelta(days=1)
SINCE, UNTIL = date(2025, 4, 20), date(2025, 5, 31)
FACT = "SELECT * FROM marts.fct_ad_performance_daily WHERE organization_id = 'org' ORDER BY ALL"
ARGUMENTS = "as_of = {as_of:String}, organization_id = {organization_id:String}, since = {since:Date}, until = {until:Date}"
AS_OF = f"SELECT * FROM marts.fct_ad_performance_daily__as_of({ARGUMENTS}) ORDER BY ALL"


def _meta(day, ad, clicks, spend):
    return {
        "date_start": day,
        "account_id": "m1",
        "account_name": "Ромашка",
        "account_currency": "EUR",
        "impressions": 100 * clicks,
        "clicks": clicks,
        "spend": Decimal(spend),
        "campaign_id": f"c{int(ad) % 2}",
        "campaign_name": "Поиск",
        "adset_id": f"g{ad}",
        "adset_name": "Группа",
        "ad_id": ad,
        "ad_name": f"Объявление {ad}",
    }


def _total(rows, day, report):
    mine = [row for row in rows if row["date_start"] == day]
    total = {
        "impressions": sum(r["impressions"] for r in mine),
        "clicks": sum(r["clicks"] for r in mine),
        "spend": sum(r["spend"] for r in mine) + Decimal("0.5"),
    }
    return {**_meta(day, "0", 0, "0"), **total, "campaign_id": "c9" if report == "campaign_daily" else ""}


def _pull(mart, rows, window, at, organization="org"):
    names = {report: {column.name for column in mart.tables[f"raw_meta_ads__{report}"].columns} for report in ("ad_daily", "campaign_daily", "account_daily")}
    dates = sorted({row["date_start"] for row in rows})
    for report, columns in names.items():
        level = rows if report == "ad_daily" else [_total(rows, day, report) for day in dates]
        kept = [{name: value for name, value in row.items() if name in columns} for row in level]
        mart.load(f"raw_meta_ads__{report}", "m1", kept, window, at=at, organization=organization)


@pytest.fixture(scope="module")
def mart(tmp_path_factory, builder):
    """A mart built yesterday and, after restatement, today; `before` and `after` are its tables then."""
    home = Home.open(tmp_path_factory.mktemp("as_of") / "home")
    with Warehouse.open(home, WarehouseSettings(clickhouse_url=None)) as warehouse:
        made = builder.MartBuilder(home, warehouse)
        made.tables, made.reports = builder.TABLES, builder.EVERY_REPORT
        days = [SINCE + timedelta(days=n) for n in range((UNTIL - SINCE).days + 1)]
        rows = [_meta(day, str(ad), ad + day.day, f"{ad}.25") for day in days for ad in range(4)]
        for organization in ("org", "rival"):
            _pull(made, rows, (SINCE, UNTIL), YESTERDAY, organization)
        made.build("+fct_ad_performance_daily")
        made.before = made.rows(FACT)
        restated = [
            {**row, "spend": row["spend"] + 1} if row["date_start"].month == 5 else row
            for row in rows
            if (row["date_start"], row["ad_id"]) != (UNTIL, "3") and row["date_start"] != SINCE
        ]
        _pull(made, restated, (SINCE, UNTIL), TODAY)
        made.build("+fct_ad_performance_daily")
        made.after = made.rows(FACT)
        made.manifest = home.directory("dbt") / "target" / "manifest.json"
        for _ in range(2):
            create_as_of_views(warehouse, made.reports, made.manifest, ["fct_ad_performance_daily"])
        yield made
    Warehouse.stop(home)


def _as_of(mart, instant, since=SINCE, until=UNTIL, organization="org"):
    return mart.rows(AS_OF, as_of=instant.strftime("%Y-%m-%d %H:%M:%S"), organization_id=organization, since=since, until=until)


def test_as_of_now_is_the_table(mart):
    assert len(mart.after) > 100
    assert _as_of(mart, TODAY) == mart.after


def test_a_read_only_reader_who_asks_as_the_door_does_reads_the_same(mart):
    asked = {"as_of": TODAY.strftime("%Y-%m-%d %H:%M:%S"), "organization_id": "org", "since": SINCE, "until": UNTIL}
    with mart.warehouse.client(readonly=True) as client:
        assert list(client.query(AS_OF, parameters=asked, settings=dict(AS_OF_SETTINGS)).result_rows) == mart.after


def test_as_of_yesterday_is_the_table_as_it_was_yesterday(mart):
    assert mart.before != mart.after
    assert _as_of(mart, TODAY - timedelta(seconds=1)) == mart.before


def test_before_the_first_pull_nothing_was_known(mart):
    assert _as_of(mart, YESTERDAY - timedelta(seconds=1)) == []


def test_window_and_organization_narrow_the_answer(mart):
    names = [name for (name,) in mart.rows("SELECT name FROM system.columns WHERE database = 'marts' AND table = 'fct_ad_performance_daily' ORDER BY position")]
    day = names.index("date_day")
    since, until = date(2025, 4, 29), date(2025, 5, 2)
    assert _as_of(mart, TODAY, since, until) == [row for row in mart.after if since <= row[day] <= until]
    assert _as_of(mart, TODAY, organization="nobody") == []
    assert len(_as_of(mart, TODAY, organization="rival")) == len(mart.before)


def test_only_the_window_is_read(mart):
    explained = "\n".join(
        line
        for (line,) in mart.rows(
            f"EXPLAIN indexes = 1 {AS_OF}", as_of="2025-06-02 12:00:00", organization_id="org", since=date(2025, 5, 1), until=date(2025, 5, 2)
        )
    )
    read = explained.split("ReadFromMergeTree (raw.raw_meta_ads__ad_daily)")[1].split("ReadFromMergeTree")[0]
    by_date, *_ = re.findall(r"Min-Max.*?Parts: (\d+)/(\d+)", read, re.DOTALL)
    by_key, *_ = re.findall(r"PrimaryKey.*?Parts: (\d+)/", read, re.DOTALL)
    assert 0 < int(by_date[0]) < int(by_date[1]), "April's parts are left out"
    assert 0 < int(by_key) <= 2, "and of May's those of another organization"
    assert re.search(r"_load_id\) in \d+-element set", read), "and of the rest what no winner wrote"


def test_columns_and_types_are_the_facts(mart):
    described = "DESCRIBE (SELECT * FROM {})"
    wanted = [row[:2] for row in mart.rows(described.format("marts.fct_ad_performance_daily"))]
    arguments = "as_of = '2025-06-01 00:00:00', organization_id = 'org', since = '2025-05-01', until = '2025-05-02'"
    assert [row[:2] for row in mart.rows(described.format(f"marts.fct_ad_performance_daily__as_of({arguments})"))] == wanted


def test_a_mart_that_dbt_does_not_have_is_named(mart):
    with pytest.raises(ConfigurationError, match="no model fct_nothing"):
        create_as_of_views(mart.warehouse, mart.reports, mart.manifest, ["fct_nothing"])
