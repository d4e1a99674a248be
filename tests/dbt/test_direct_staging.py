"""Direct's detail reports from the sandbox through the ledger to staging, and an imported channel beside it in the fact."""

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
    """One login of the agency, pulled by every report, and an imported file; staging and the fact over them with their tests."""
    sandbox = start_sandbox(TODAY)
    clock = PinnedClock(TODAY, datetime.now(UTC))
    connector = connect("yandex_direct", {"token": "sandbox"}, sandbox.settings("yandex_direct"), clock)
    account = connector.accounts()[0]
    mart.pull(connector, account, WINDOW, clock)
    connector.close()
    channel = {"platform": "vk_ads", "currency": "RUB", "vat_included": True}
    rows = [{**channel, "date": date(2026, 11, day), "campaign_id": "c", "campaign_name": "VK", "spend": Decimal("10.5"), "clicks": 3} for day in (1, 2)]
    mart.load("raw_imports__campaign_daily", "shop", rows, (date(2026, 11, 1), date(2026, 11, 3)))
    mart.load("raw_imports__accounts", "shop", [{**channel, "account_id": "shop", "account_name": "Shop", "timezone": "Europe/Moscow"}], (TODAY, TODAY))
    builds = Builds(mart.warehouse, mart.home)
    plan = builds.plan(full=True)
    chosen = ("staging.yandex_direct", "staging.imports", "+fct_ad_performance_daily", "+dim_account", "levels_reconcile")
    options = ("--full-refresh", "--indirect-selection", "cautious", "--exclude-resource-type", "unit_test")
    statuses = mart.dbt("build", *options, "--select", *chosen)
    assert set(statuses.values()) <= {"success", "pass", "warn"}
    assert statuses["levels_reconcile"] == "pass"
    yield mart
    builds.fail(plan, "a part alone was built")


def sums(staged: Any, model: str, where: str = "1", by: str = "date_day, campaign_id") -> list[tuple[Any, ...]]:
    return staged.rows(
        f"SELECT {by}, sum(impressions), sum(clicks), sum(spend), sum(conversions), sum(conversions_value) "
        f"FROM staging.stg_yandex_direct__{model} WHERE {where} GROUP BY {by} ORDER BY {by}"
    )


def test_every_segment_adds_up_to_its_campaigns(staged: Any) -> None:
    campaigns = sums(staged, "campaign_daily")
    for segment in ("device", "region", "network"):
        assert [row[:4] for row in sums(staged, "segment_daily", f"segment = '{segment}'")] == [row[:4] for row in campaigns], segment
    values = staged.rows("SELECT segment, groupUniqArray(segment_value) FROM staging.stg_yandex_direct__segment_daily GROUP BY segment")
    found = {segment: set(names) for segment, names in values}
    assert found["device"] == {"mobile", "desktop", "tablet"}
    assert found["network"] == {"search", "ad_network"}
    assert "Москва" in found["region"]


def test_ad_groups_keywords_and_queries_add_up(staged: Any) -> None:
    by = "date_day, campaign_id, ad_group_id"
    groups = {row[:3]: row[3:5] for row in sums(staged, "ad_group_daily", by=by)}
    assert groups == {row[:3]: row[3:5] for row in sums(staged, "ad_daily", by=by)}
    keywords = {row[:3]: row[3:5] for row in sums(staged, "keyword_daily", by=by)}
    assert keywords == groups
    queries = {row[:3]: row[3:5] for row in sums(staged, "search_term_daily", by=by)}
    assert queries == {row[:3]: row[3:5] for row in sums(staged, "keyword_daily", "match_type = 'keyword'", by=by)}


def test_goals_add_up_to_the_conversions_and_are_primary_where_the_campaign_works_for_them(staged: Any) -> None:
    found = staged.rows(
        "SELECT date_day, campaign_id, sum(conversions) FROM staging.stg_yandex_direct__conversion_action_daily WHERE is_primary GROUP BY ALL ORDER BY ALL"
    )
    assert found == [(row[0], row[1], row[5]) for row in sums(staged, "campaign_daily") if row[5]]
    models = staged.rows("SELECT DISTINCT attribution_model, conversion_action_id FROM staging.stg_yandex_direct__conversion_action_daily ORDER BY 2")
    assert models == [("LC", "312450011"), ("LC", "312450012")]


def test_entities_have_parents_state_and_budget(staged: Any) -> None:
    rows = staged.rows("SELECT campaign_name, status, daily_budget, currency_code FROM staging.stg_yandex_direct__campaigns ORDER BY campaign_name")
    assert rows[0] == ("Мастер кампаний: весь ассортимент", "on", Decimal(8300), "RUB")
    assert ("Поиск — Диваны", "on", Decimal(10400), "RUB") in rows
    orphans = """
        SELECT count() FROM staging.stg_yandex_direct__ads AS ads
        LEFT ANTI JOIN staging.stg_yandex_direct__ad_groups AS groups ON ads.ad_group_id = groups.ad_group_id AND ads.campaign_id = groups.campaign_id
    """
    assert staged.rows(orphans) == [(0,)]


def test_an_imported_channel_stands_in_the_fact_under_its_own_name(staged: Any) -> None:
    fact = staged.rows(
        "SELECT platform, account_id, date_day, campaign_id, spend, clicks, currency_code, vat_included "
        "FROM marts.fct_ad_performance_daily WHERE account_id = 'shop' ORDER BY date_day"
    )
    assert fact == [("vk_ads", "shop", date(2026, 11, day), "c", Decimal("10.5"), 3, "RUB", True) for day in (1, 2)]
    assert staged.rows("SELECT platform, account_name, timezone FROM marts.dim_account WHERE account_id = 'shop'") == [("vk_ads", "Shop", "Europe/Moscow")]
    covered = staged.rows("SELECT platform, level, count() FROM intermediate.int_ads__covered_days WHERE account_id = 'shop' GROUP BY ALL")
    assert covered == [("vk_ads", "campaign", 3)]
