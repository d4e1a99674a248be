"""Reach over several builds: what is planned does not show, what is restated replaces its own month, what was a view becomes a table."""

from datetime import UTC, date, datetime
from typing import Any

from warehouse.builds import Builds

APRIL, MAY = (date(2025, 4, 30), date(2025, 4, 30)), (date(2025, 5, 1), date(2025, 5, 1))
SECOND = datetime(2025, 6, 2, 12, tzinfo=UTC)
MART = ("+mart_reach",)
READ = "SELECT platform, level, date_day, impressions, reach FROM marts.mart_reach ORDER BY date_day, level"


def _meta(mart: Any, day: tuple[date, date], people: int, **more: Any) -> None:
    for report, ids in (("account_daily", {}), ("campaign_daily", {"campaign_id": "c"})):
        mart.load(f"raw_meta_ads__{report}", "m", [{"date_start": day[0], "impressions": 100, "reach": people, **ids}], day, **more)


def _parts(mart: Any) -> dict[int, list[str]]:
    found = mart.rows("SELECT partition, groupArray(name) FROM system.parts WHERE active AND database = 'marts' AND table = 'mart_reach' GROUP BY 1")
    return {int(partition.strip("()").split(",")[1]): names for partition, names in found}


def test_people_of_a_planned_build_show_once_it_is_built_and_only_their_month_is_rewritten(mart: Any) -> None:
    with mart.warehouse.client() as client:
        client.command("CREATE DATABASE IF NOT EXISTS marts")
        client.command("CREATE VIEW marts.mart_reach AS SELECT 1 AS reach")
    _meta(mart, APRIL, 50)
    _meta(mart, MAY, 40)
    mart.build(*MART)
    before = [("meta_ads", level, day, 100, people) for day, people in ((APRIL[0], 50), (MAY[0], 40)) for level in ("account", "campaign")]
    assert mart.rows(READ) == before
    parts = _parts(mart)
    assert set(parts) == {202504, 202505}

    _meta(mart, MAY, 60, at=SECOND)
    builds = Builds(mart.warehouse, mart.home)
    plan = builds.plan()
    assert plan is not None
    assert mart.rows("SELECT DISTINCT people FROM intermediate.int_ads__reach_daily WHERE date_day = '2025-05-01'") == [(60,)]
    assert mart.rows(READ) == before
    builds.fail(plan, "stopped before its models ran")

    mart.build(*MART)
    assert mart.rows(READ) == [*before[:2], *(("meta_ads", level, MAY[0], 100, 60) for level in ("account", "campaign"))]
    assert _parts(mart)[202504] == parts[202504]
    assert _parts(mart)[202505] != parts[202505]

    mart.load("raw_meta_ads__account_daily", "m", [], MAY, at=datetime(2025, 6, 3, 12, tzinfo=UTC))
    mart.load("raw_meta_ads__campaign_daily", "m", [], MAY, at=datetime(2025, 6, 3, 12, tzinfo=UTC))
    mart.build(*MART)
    assert mart.rows(READ) == before[:2]
