"""Sessions and visits: of the generated agency, and of dataset files with restatement."""

from datetime import date, timedelta

import polars as pl
import pytest

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.analytics import ANALYTICS_SCHEMA, VISITS_SCHEMA
from sandbox.clock import SandboxClock
from sandbox.dataset.source import DatasetSource
from sandbox.generator.source import GeneratorSource
from sandbox.generator.web import SETTLED_AFTER
from sandbox.world import World

ANCHOR = date(2026, 11, 23)
DAY = timedelta(days=1)
KEY = ("date", "source", "medium", "campaign", "device", "country", "landing_page", "goal_id")
MEASURES = ("sessions", "users", "conversions", "conversions_value")


@pytest.fixture(scope="module")
def source():
    return GeneratorSource(7, ANCHOR)


@pytest.fixture(scope="module")
def sites(source):
    return {a.name: a for a in source.accounts if a.platform in ("ga4", "yandex_metrica")}


def analytics(source, account, day=ANCHOR):
    return source.analytics(account, day, day)


def test_every_site_has_a_year_of_plausible_sessions(source, sites):
    rows = {name: analytics(source, account) for name, account in sites.items()}
    assert set(rows) == {"Bright Oak US", "Bright Oak EU", "Северный дом"}
    for frame in rows.values():
        assert dict(frame.schema) == ANALYTICS_SCHEMA
        assert frame["date"].is_sorted()
        assert not frame.select(KEY).is_duplicated().any()
        assert frame.filter((pl.col("users") > pl.col("sessions")) | (pl.min_horizontal(MEASURES) < 0)).is_empty()
    assert 40_000 < sum(f.height for f in rows.values()) < 65_000


def test_paid_sessions_follow_the_clicks_of_the_campaign(source, sites):
    ads = next(a for a in source.accounts if a.account_id == "5509318274")
    clicks = (
        source.rows(ads, ANCHOR, ANCHOR).filter(pl.col("date") < ANCHOR).group_by("date", pl.col("campaign_name").alias("campaign")).agg(pl.col("clicks").sum())
    )
    sessions = analytics(source, sites["Bright Oak US"]).group_by("date", "campaign").agg(pl.col("sessions").sum())
    both = clicks.join(sessions, on=["date", "campaign"]).filter(pl.col("date") <= ANCHOR - SETTLED_AFTER * DAY)
    assert both.height > 1000
    assert both.filter(pl.col("sessions") > pl.col("clicks")).is_empty()
    assert 0.8 < both["sessions"].sum() / both["clicks"].sum() < 0.95


def test_moving_the_clock_on_changes_sessions_of_the_last_three_days_only(source, sites):
    account = sites["Bright Oak EU"]
    before, after = analytics(source, account, ANCHOR), analytics(source, account, ANCHOR + DAY)
    settled = ANCHOR - (SETTLED_AFTER - 1) * DAY
    assert before.filter(pl.col("date") < settled).equals(after.filter(pl.col("date") < settled))
    for day in (settled, ANCHOR):
        assert before.filter(pl.col("date") == day)["sessions"].sum() < after.filter(pl.col("date") == day)["sessions"].sum()


def test_visits_come_to_the_totals_of_the_counter(source, sites):
    account, since = sites["Северный дом"], ANCHOR - 6 * DAY
    rows = analytics(source, account).filter(pl.col("date") >= since)
    visits = source.visits(account, ANCHOR, ANCHOR, since)
    assert dict(visits.schema) == VISITS_SCHEMA
    assert visits["visit_id"].n_unique() == visits.height == rows["sessions"].sum()
    assert (visits["goals"] != "").sum() * 1_000_000 == rows["conversions"].sum()
    assert visits["revenue"].sum() == rows["conversions_value"].sum()
    by_day = visits.group_by(pl.col("date_time").dt.date().alias("date")).agg(pl.len(), pl.col("client_id").n_unique().alias("users")).sort("date")
    counted = rows.group_by("date").agg(pl.col("sessions", "users").sum()).sort("date")
    assert by_day["len"].to_list() == counted["sessions"].to_list()
    assert by_day["users"].to_list() == counted["users"].to_list()


def test_visits_keep_their_identity_while_a_day_fills_up(source, sites):
    account = sites["Северный дом"]
    first = source.visits(account, ANCHOR, ANCHOR, ANCHOR).filter(pl.col("date_time").dt.date() == ANCHOR)
    later = source.visits(account, ANCHOR + DAY, ANCHOR + DAY, ANCHOR).filter(pl.col("date_time").dt.date() == ANCHOR)
    kept = first.join(later, on=["visit_id", "client_id", "date_time"], how="semi")
    assert kept.height == first.height
    assert later.height > first.height


FILE = """platform,account_id,account_name,currency,timezone,date,source,medium,campaign,sessions,users,conversions,conversions_value,as_of
ga4,77,Shop,EUR,Europe/Berlin,2026-03-01,google,cpc,Spring,10,9,1,25.5,2026-03-01
ga4,77,Shop,EUR,Europe/Berlin,2026-03-01,(direct),(none),(direct),4,4,0,0,2026-03-01
ga4,77,Shop,EUR,Europe/Berlin,2026-03-01,google,cpc,Spring,12,11,1.5,30,2026-03-03
"""
VISITS = """account_id,visit_id,client_id,date_time,source,medium,campaign,goals,revenue
88,18446744073709551615,5,2026-03-02 10:00:00,google,cpc,Spring,"1,2",9.99
88,2,5,2026-03-01 09:00:00,,,,,0
"""


def test_a_dataset_answers_with_the_newest_as_of_that_the_clock_has_reached(tmp_path):
    path = tmp_path / "web.csv"
    path.write_text(FILE)
    world = World(DatasetSource([path]), clock := SandboxClock(date(2026, 3, 1)))
    account = world.account(Platform.GA4, "77")
    assert world.analytics(account)["sessions"].to_list() == [10, 4]
    clock.move(date(2026, 3, 3))
    restated = world.analytics(account)
    assert restated["sessions"].to_list() == [12]
    assert restated["conversions"].to_list() == [1_500_000]
    assert restated["conversions_value"].to_list() == [30_000_000]
    assert world.visits(account).is_empty()
    assert world.source.span(date(2026, 3, 3)) == (date(2026, 3, 1), date(2026, 3, 1))


def test_visits_without_analytics_make_a_counter_with_the_platforms_own_defaults(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text(VISITS)
    world = World(DatasetSource([path]), SandboxClock(date(2026, 3, 2)))
    account = world.account(Platform.YANDEX_METRICA, "88")
    assert account == SandboxAccount(Platform.YANDEX_METRICA, "88", "88", "RUB", "Europe/Moscow", "88")
    assert world.visits(account)["visit_id"].to_list() == ["2", "18446744073709551615"]
    assert world.visits(account, date(2026, 3, 2))["goals"].to_list() == ["1,2"]
    assert world.visits(account)["revenue"].to_list() == [0, 9_990_000]
