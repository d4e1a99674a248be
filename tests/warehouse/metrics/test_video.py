"""Hook and hold rates: ratios of sums over videos alone, and over plays whose ThruPlays are known."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from domain.questions import Filter

META = (Filter(dimension="account", values=("m1",)),)
ASKED_SINCE = date(2024, 3, 10)
"""The first day that ThruPlays were asked for."""


def _films(agency: Any, since: date, until: date) -> pl.DataFrame:
    """Return the days of videos that were played, as the raw rows have them."""
    ours = (pl.col("organization") == "org") & (pl.col("account") == "m1") & pl.col("date").is_between(since, until)
    rows = agency.facts.filter(ours & pl.col("ad").str.contains("-a[12]$")).unique(["ad", "date"])
    shown = rows.select("ad", "date", "impressions", plays=pl.col("impressions") // 3, thruplays=pl.col("impressions") // 12)
    return shown.filter(pl.col("plays") > 0)


def test_hook_rate_is_plays_per_impression_of_videos_and_pictures_do_not_dilute_it(agency: Any) -> None:
    films = _films(agency, date(2024, 3, 1), date(2024, 3, 31))
    [row] = agency.ask("hook_rate", "video_plays", "video_impressions", "impressions", since=date(2024, 3, 1), until=date(2024, 3, 31), where=META).rows
    assert (row["video_plays"], row["video_impressions"]) == (films["plays"].sum(), films["impressions"].sum())
    assert row["hook_rate"] == pytest.approx(films["plays"].sum() / films["impressions"].sum(), abs=1e-12)
    assert row["video_impressions"] < row["impressions"]
    ads = agency.ask("hook_rate", "ctr", by=("ad",), since=date(2024, 3, 1), until=date(2024, 3, 31), where=META).rows
    assert {r["ad"] for r in ads if r["hook_rate"] is not None} == {"m1-a1", "m1-a2"}
    assert {r["ad"] for r in ads if r["hook_rate"] is None} == {"m1-a0", "m1-a3", "m1-a4", "m1-a5"}


def test_hold_rate_leaves_days_out_whose_thruplays_were_not_asked_for(agency: Any) -> None:
    """Over March as a whole it is the rate of the days since the tenth, not a rate that the days before pull down."""
    known = _films(agency, ASKED_SINCE, date(2024, 3, 31))
    expected = pytest.approx(known["thruplays"].sum() / known["plays"].sum(), abs=1e-12)
    [row] = agency.ask("hold_rate", "thruplays", "video_plays", since=date(2024, 3, 1), until=date(2024, 3, 31), where=META).rows
    assert (row["hold_rate"], row["thruplays"]) == (expected, known["thruplays"].sum())
    assert row["video_plays"] > known["plays"].sum()
    unknown = agency.ask("hold_rate", "hook_rate", since=date(2024, 3, 1), until=date(2024, 3, 9), where=META).rows[0]
    assert unknown["hold_rate"] is None
    assert unknown["hook_rate"] is not None


def test_as_of_now_the_view_is_the_fact(agency: Any) -> None:
    known = "as_of = '2030-01-01 00:00:00', organization_id = 'org', since = '2024-03-01', until = '2024-03-31'"
    table = agency.mart.rows(
        "SELECT * FROM marts.fct_video_daily WHERE organization_id = 'org' AND date_day BETWEEN '2024-03-01' AND '2024-03-31' ORDER BY ALL"
    )
    assert len(table) > 20
    assert agency.mart.rows(f"SELECT * FROM marts.fct_video_daily__as_of({known}) ORDER BY ALL") == table
