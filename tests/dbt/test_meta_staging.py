"""Meta's detail reports from the sandbox through the ledger to staging: every split adds up to what it splits."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.registry import connect
from domain.clock import PinnedClock
from domain.windows import DateWindow
from warehouse.builds import Builds

TODAY = date(2026, 11, 23)
WINDOW = DateWindow(date(2026, 11, 15), date(2026, 11, 21))


@pytest.fixture(scope="module")
def staged(mart: Any, start_sandbox: Callable[..., Any]) -> Iterator[Any]:
    """One account of the agency, pulled by every report, and Meta's staging models over it."""
    sandbox = start_sandbox(TODAY)
    clock = PinnedClock(TODAY, datetime.now(UTC))
    connector = connect("meta_ads", {"access_token": "sandbox"}, sandbox.settings("meta_ads"), clock)
    account = next(a for a in connector.accounts() if a.currency == "RUB")
    mart.pull(connector, account, WINDOW, clock)
    connector.close()
    builds = Builds(mart.warehouse, mart.home)
    plan = builds.plan(full=True)
    assert set(mart.dbt("run", "--select", "staging.meta_ads").values()) == {"success"}
    yield mart
    builds.fail(plan, "staging alone was built")


def sums(staged: Any, model: str, where: str = "1", by: str = "date_day") -> list[tuple[Any, ...]]:
    return staged.rows(
        f"SELECT {by}, sum(impressions), sum(clicks), sum(spend), sum(conversions), sum(conversions_value) "
        f"FROM staging.stg_meta_ads__{model} WHERE {where} GROUP BY {by} ORDER BY {by}"
    )


def test_every_segment_adds_up_to_its_campaigns_and_regions_lack_what_happens_off_meta(staged: Any) -> None:
    campaigns = sums(staged, "campaign_daily", by="date_day, campaign_id")
    assert len({row[0] for row in campaigns}) == 7
    assert sum(row[5] for row in campaigns) > 0
    for segment in ("age_gender", "country", "placement", "device"):
        assert sums(staged, "segment_daily", f"segment = '{segment}'", "date_day, campaign_id") == campaigns, segment
    regions = sums(staged, "segment_daily", "segment = 'region'", "date_day, campaign_id")
    assert [row[:5] for row in regions] == [row[:5] for row in campaigns]
    assert {row[5] for row in regions} == {Decimal(0)}
    devices = staged.rows("SELECT DISTINCT segment_value FROM staging.stg_meta_ads__segment_daily WHERE segment = 'device' ORDER BY 1")
    assert devices == [("desktop",), ("mobile",), ("tablet",)]


def test_ad_sets_add_up_to_ads(staged: Any) -> None:
    assert sums(staged, "ad_group_daily", by="date_day, ad_group_id") == sums(staged, "ad_daily", by="date_day, ad_group_id")


def test_videos_are_played_less_often_than_shown_and_watched_through_less_often_than_played(staged: Any) -> None:
    [(ads, impressions, plays, thruplays)] = staged.rows(
        "SELECT uniqExact(ad_id), sum(impressions), sum(plays), sum(thruplays) FROM staging.stg_meta_ads__video_daily"
    )
    assert ads > 0
    assert 0 < thruplays < plays < impressions < sum(row[1] for row in sums(staged, "ad_daily"))
    told = "SELECT sum(action_count) FROM raw.raw_meta_ads__ad_actions_daily WHERE action_type = 'video_view' AND attribution_window = 'default'"
    assert staged.rows(told) == [(Decimal(plays),)]


def test_primary_actions_without_a_window_add_up_to_the_ads_conversions(staged: Any) -> None:
    counted = (
        "SELECT date_day, ad_id, sum(conversions), sum(conversions_value) FROM staging.stg_meta_ads__{} WHERE {} "
        "GROUP BY 1, 2 HAVING sum(conversions) > 0 ORDER BY 1, 2"
    )
    by_action = staged.rows(counted.format("conversion_action_daily", "is_primary AND attribution_window = ''"))
    assert by_action == staged.rows(counted.format("ad_daily", "1"))
    assert by_action
    primary = staged.rows("SELECT DISTINCT conversion_action_id FROM staging.stg_meta_ads__conversion_action_daily WHERE is_primary ORDER BY 1")
    assert primary == [("lead",), ("omni_purchase",)]
    windows = dict(
        staged.rows("SELECT attribution_window, sum(conversions) FROM staging.stg_meta_ads__conversion_action_daily WHERE is_primary GROUP BY 1")
    )
    assert set(windows) == {"", "1d_view", "1d_ev", "1d_click", "7d_click", "28d_click"}
    assert windows[""] == windows["7d_click"] + windows["1d_view"]
    assert windows["1d_click"] < windows["7d_click"] <= windows["28d_click"]


def test_objects_have_names_parents_states_and_budgets_in_major_units(staged: Any) -> None:
    campaigns = staged.rows("SELECT campaign_name, status, daily_budget, currency_code FROM staging.stg_meta_ads__campaigns ORDER BY campaign_name")
    assert campaigns[0] == ("Catalog | Динамический ремаркетинг", "active", Decimal("4100.000000"), "RUB")
    assert {row[1] for row in campaigns} == {"active", "paused"}
    orphans = """
        SELECT count() FROM staging.stg_meta_ads__ads AS ads
        LEFT ANTI JOIN staging.stg_meta_ads__ad_groups AS sets ON ads.ad_group_id = sets.ad_group_id AND ads.campaign_id = sets.campaign_id
    """
    assert staged.rows(orphans) == [(0,)]
    assert staged.rows("SELECT count() > 20, uniqExact(ad_id) = count() FROM staging.stg_meta_ads__ads") == [(True, True)]
