"""Google's detail reports from the sandbox through the ledger to staging: every split adds up to what it splits."""

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
    """One account of the agency, pulled by every report, and Google's staging models over it with their grain tests."""
    sandbox = start_sandbox(TODAY)
    clock = PinnedClock(TODAY, datetime.now(UTC))
    connector = connect("google_ads", {"developer_token": "d" * 22, "access_token": "sandbox"}, sandbox.settings("google_ads"), clock)
    account = next(a for a in connector.accounts() if a.currency == "USD")
    mart.pull(connector, account, WINDOW, clock)
    connector.close()
    builds = Builds(mart.warehouse, mart.home)
    plan = builds.plan(full=True)
    assert set(mart.dbt("build", "--select", "staging.google_ads", "--exclude-resource-type", "unit_test").values()) <= {"success", "pass"}
    yield mart
    builds.fail(plan, "staging alone was built")


def sums(staged: Any, model: str, where: str = "1", by: str = "date_day, campaign_id") -> list[tuple[Any, ...]]:
    return staged.rows(
        f"SELECT {by}, sum(impressions), sum(clicks), sum(spend), sum(conversions), sum(conversions_value) "
        f"FROM staging.stg_google_ads__{model} WHERE {where} GROUP BY {by} ORDER BY {by}"
    )


def test_every_segment_adds_up_to_its_campaigns(staged: Any) -> None:
    campaigns = sums(staged, "campaign_daily")
    assert len({row[0] for row in campaigns}) == 7
    assert len({row[1] for row in campaigns}) == 6
    for segment in ("device", "network", "country"):
        assert sums(staged, "segment_daily", f"segment = '{segment}'") == campaigns, segment
    values = staged.rows("SELECT segment, groupUniqArray(segment_value) FROM staging.stg_google_ads__segment_daily GROUP BY segment ORDER BY segment")
    assert {segment: set(found) for segment, found in values} == {
        "country": {"US", "CA", "GB"},
        "device": {"mobile", "desktop", "tablet", "connected_tv"},
        "network": {"search", "content", "youtube", "mixed"},
    }


def test_ad_groups_keywords_and_terms_add_up(staged: Any) -> None:
    groups = sums(staged, "ad_group_daily", by="date_day, campaign_id, ad_group_id")
    assert groups == sums(staged, "ad_daily", by="date_day, campaign_id, ad_group_id")
    keywords = sums(staged, "keyword_daily", by="date_day, campaign_id, ad_group_id, keyword_text")
    assert keywords == sums(staged, "search_term_daily", by="date_day, campaign_id, ad_group_id, keyword_text")
    searched = {row[:3] for row in keywords}
    assert sums(staged, "keyword_daily", by="date_day, campaign_id, ad_group_id") == [row for row in groups if row[:3] in searched]
    assert staged.rows("SELECT DISTINCT match_type FROM staging.stg_google_ads__keyword_daily ORDER BY 1") == [("broad",), ("exact",), ("phrase",)]


def test_primary_actions_add_up_to_the_conversions(staged: Any) -> None:
    by = "date_day, campaign_id"
    found = staged.rows(
        f"SELECT {by}, sum(conversions), sum(conversions_value) FROM staging.stg_google_ads__conversion_action_daily WHERE is_primary GROUP BY {by} ORDER BY {by}"
    )
    assert found == [(row[0], row[1], row[5], row[6]) for row in sums(staged, "campaign_daily") if row[5]]
    assert sum(row[2] for row in found) > 0


def test_entities_have_parents_status_and_budget(staged: Any) -> None:
    campaigns = staged.rows("SELECT campaign_name, status, daily_budget, currency_code, observed_day FROM staging.stg_google_ads__campaigns ORDER BY campaign_name")
    assert campaigns[0] == ('US | Brand "Bright Oak"', "enabled", Decimal("90"), "USD", TODAY)
    orphans = """
        SELECT count() FROM staging.stg_google_ads__ads AS ads
        LEFT JOIN staging.stg_google_ads__ad_groups AS groups ON ads.ad_group_id = groups.ad_group_id AND ads.campaign_id = groups.campaign_id
        WHERE groups.ad_group_id IS NULL SETTINGS join_use_nulls = 1
    """
    assert staged.rows(orphans) == [(0,)]
