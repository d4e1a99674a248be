"""The generated agency: its size, its sameness, what the clock changes in it, and what there is to find."""

from datetime import date, timedelta

import polars as pl
import pytest

from domain.platforms import Level
from sandbox.clock import SandboxClock
from sandbox.facts import DIMENSIONS, MEASURES, SCHEMA
from sandbox.generator.source import SETTLED, GeneratorSource
from sandbox.serving import anchor
from sandbox.world import World

ANCHOR = date(2026, 11, 23)
DAY = timedelta(days=1)
SITES = ("ga4", "yandex_metrica")


@pytest.fixture(scope="module")
def source():
    return GeneratorSource(7, ANCHOR)


def ad_accounts(source):
    return [a for a in source.accounts if a.platform not in SITES]


def rows_on(source, account, day):
    return source.rows(account, day, day)


def test_it_is_as_large_and_as_mixed_as_promised(source):
    rows = {a: rows_on(source, a, ANCHOR) for a in ad_accounts(source)}
    assert len(rows) == 8
    assert {a.client for a in rows} == {"Северный дом", "Bright Oak"}
    assert {a.currency for a in rows} == {"RUB", "USD", "EUR"}
    assert {a.timezone for a in rows} == {"Europe/Moscow", "America/New_York", "Europe/Berlin"}
    assert [sum(a.platform == p for a in rows) for p in ("google_ads", "meta_ads", "yandex_direct")] == [3, 3, 2]
    assert 140_000 < sum(r.filter(pl.col("ad_id") != "").height for r in rows.values()) < 165_000
    assert {(r["date"].min(), r["date"].max()) for r in rows.values()} == {(ANCHOR - 399 * DAY, ANCHOR)}


def test_facts_are_plausible(source):
    for account in ad_accounts(source):
        rows = rows_on(source, account, ANCHOR)
        assert rows.filter((pl.col("clicks") > pl.col("impressions")) | (pl.min_horizontal("impressions", "spend", "conversions") < 0)).height == 0
        assert rows.filter(pl.struct("date", "campaign_id", "ad_group_id", "ad_id").is_duplicated()).height == 0
        assert rows["date"].is_sorted()


def test_ids_fit_the_wires(source):
    for account in ad_accounts(source):
        for column in ("campaign_id", "ad_group_id", "ad_id"):
            assert all(int(i) < 2**63 for i in rows_on(source, account, ANCHOR)[column].unique() if i)


def test_the_same_seed_gives_the_same_facts(source):
    again = GeneratorSource(7, ANCHOR)
    other = GeneratorSource(8, ANCHOR)
    for account in ad_accounts(source):
        assert rows_on(again, account, ANCHOR).equals(rows_on(source, account, ANCHOR))
        assert not rows_on(other, account, ANCHOR).equals(rows_on(source, account, ANCHOR))


@pytest.mark.parametrize("days", [1, 5, 40])
def test_moving_the_clock_on_changes_only_recent_days(source, days):
    later = ANCHOR + days * DAY
    for account in ad_accounts(source):
        old, new = rows_on(source, account, ANCHOR), rows_on(source, account, later)
        settled = pl.col("date") <= ANCHOR - SETTLED * DAY
        assert old.filter(settled).equals(new.filter(settled))
        assert new["date"].max() == later
        assert not old.equals(new.filter(pl.col("date") <= ANCHOR))


def test_today_is_partial_and_conversions_come_late(source):
    account = source.accounts[0]

    def as_seen_on(seen, since):
        return rows_on(source, account, seen).filter(pl.col("date").is_between(since, ANCHOR)).select(pl.col("clicks", "conversions").sum()).row(0)

    seen = [ANCHOR + n * DAY for n in (0, 1, 3, 8, 15, SETTLED, SETTLED + 8)]
    clicks = [as_seen_on(day, ANCHOR)[0] for day in seen]
    assert clicks[0] < 0.6 * clicks[-1]
    assert len(set(clicks[2:])) == 1
    conversions = [as_seen_on(day, ANCHOR - 9 * DAY)[1] for day in seen]
    assert conversions == sorted(conversions)
    assert conversions[2] < conversions[-1]
    assert conversions[-2] == conversions[-1]


def test_directs_clicks_fall_when_fraud_is_found(source):
    account = next(a for a in source.accounts if a.platform == "yandex_direct")
    day = pl.col("date") == ANCHOR
    first, final = (rows_on(source, account, ANCHOR + n * DAY).filter(day)["clicks"].sum() for n in (1, 2))
    assert final < first


def test_there_is_something_to_find(source):
    google = rows_on(source, source.accounts[0], ANCHOR).filter(pl.col("campaign_name") == "Поиск | Кухни на заказ")

    def cpa(since, until):
        part = google.filter(pl.col("date").is_between(ANCHOR - since * DAY, ANCHOR - until * DAY))
        return part["spend"].sum() / part["conversions"].sum()

    assert cpa(19, 6) > 1.6 * cpa(47, 34)
    names = set(rows_on(source, source.accounts[0], ANCHOR)["campaign_name"])
    before = set(rows_on(source, source.accounts[0], ANCHOR - 30 * DAY)["campaign_name"])
    assert names - before == {"Поиск | Матрасы (новая)"}


def test_a_campaign_without_ads_has_rows_at_its_own_level(source):
    rows = rows_on(source, source.accounts[0], ANCHOR).filter(pl.col("campaign_name").str.contains("Performance Max"))
    assert rows.height == 400
    assert set(rows["ad_id"]) == set(rows["ad_group_id"]) == {""}


def test_an_agency_remembers_its_anchor(tmp_path):
    assert anchor(tmp_path, 7, ANCHOR) == ANCHOR
    assert anchor(tmp_path, 7, ANCHOR + 9 * DAY) == ANCHOR
    assert anchor(tmp_path, 8, ANCHOR + 9 * DAY) == ANCHOR + 9 * DAY


def test_views_are_kept_per_moment(source):
    clock = SandboxClock(ANCHOR)
    world = World(source, clock)
    account = source.accounts[0]
    first = world.facts(account)
    assert world.facts(account) is first
    clock.move(ANCHOR + DAY)
    assert world.facts(account) is not first
    clock.move(ANCHOR)
    assert world.facts(account) is first


def test_before_the_anchor_the_future_is_unknown(source):
    account = source.accounts[0]
    assert rows_on(source, account, ANCHOR - 100 * DAY)["date"].max() == ANCHOR - 100 * DAY
    assert rows_on(source, account, ANCHOR - 500 * DAY).height == 0


@pytest.mark.parametrize("dimensions", [("device",), ("country",), ("conversion_action",), ("keyword",), ("search_term",), ("country", "conversion_action")])
@pytest.mark.parametrize("number", [0, 4, 6])
def test_every_split_of_a_row_adds_up_to_it_exactly(source, number, dimensions):
    account = source.accounts[number]
    rows = rows_on(source, account, ANCHOR).filter(pl.col("date") > ANCHOR - 40 * DAY)
    split = source.finer(account, rows, dimensions)
    own = [c for c in SCHEMA if c not in (*DIMENSIONS, *MEASURES)]
    assert split.group_by(own, maintain_order=True).agg(pl.col(MEASURES).sum()).equals(rows.select(*own, *MEASURES))
    assert split.filter((pl.col("clicks") > pl.col("impressions")) | (pl.min_horizontal(MEASURES) < 0)).is_empty()
    assert source.finer(account, rows, dimensions).equals(split)


def test_a_split_is_asked_for_where_the_facts_are_summed(source):
    account = source.accounts[0]
    facts = World(source, SandboxClock(ANCHOR)).facts(account)
    core, fine = facts.sums(Level.ACCOUNT, ["date"]), facts.sums(Level.ACCOUNT, ["date", "device"])
    assert set(fine["device"]) == {"mobile", "desktop", "tablet"}
    assert fine.group_by("date", maintain_order=True).agg(pl.col(MEASURES).sum()).equals(core)
    assert facts.values("conversion_action") == ["Purchase", "Phone call"]
    assert set(facts.rows["device"]) == {""}


def test_a_search_term_knows_its_keyword_and_only_search_campaigns_have_them(source):
    account = source.accounts[0]
    rows = source.finer(account, rows_on(source, account, ANCHOR).filter(pl.col("date") == ANCHOR), ("search_term",))
    searched = rows.filter(pl.col("keyword") != "")
    assert all(term.startswith(word) for term, word in searched.select("search_term", "keyword").iter_rows())
    assert rows.filter((pl.col("search_term") == "") != (pl.col("keyword") == "")).is_empty()
    assert rows.filter(pl.col("campaign_name").str.starts_with("КМС"))["keyword"].unique().to_list() == [""]
