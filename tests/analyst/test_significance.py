"""Planted changes are found, noise is left alone; both rates are printed."""

from datetime import timedelta

import pytest

from analyst.changes import find_changes
from analyst.door import Inquiry
from analyst.panel import Panel
from analyst.significance import FALSE_DISCOVERY_RATE, discoveries, judge
from domain.windows import DateWindow

PLANTS = {
    "spend rises": ("spend", 1.6),
    "spend falls": ("spend", 0.5),
    "conversion rate falls": ("cvr", 0.5),
    "clicks dearer": ("cpc", 1.45),
    "CTR falls": ("ctr", 0.6),
}


def changes(kit, rows):
    inquiry = Inquiry(kit.door(rows), kit.scope)
    panel = Panel(inquiry, DateWindow(kit.since, kit.until))
    return find_changes(panel, panel.currencies()).changes


def account(kit, seed, *, days, planted=(), carry=0.3, noise=0.15):
    campaigns = kit.usual()
    for campaign in campaigns:
        campaign.carry, campaign.noise = carry, noise
    return kit.generate(campaigns, seed=seed, days=days, planted=planted)


def test_accounts_of_noise_alone_find_nothing(kit):
    reports = [(seed, days) for seed in range(10) for days in (56, 126)]
    found = [changes(kit, account(kit, seed, days=days, carry=(seed % 3) * 0.3, noise=0.15 + 0.1 * (seed % 2))) for seed, days in reports]
    print(f"noise: {sum(map(bool, found))} of {len(found)} reports find anything")
    assert sum(map(bool, found)) <= FALSE_DISCOVERY_RATE * len(found)


def test_planted_changes_are_found(kit):
    hits = 0
    names = [campaign.name for campaign in kit.usual()]
    cases = [(kind, name) for kind in PLANTS for name in names]
    for seed, (kind, name) in enumerate(cases):
        parameter, factor = PLANTS[kind]
        found = changes(kit, account(kit, 500 + seed, days=126, planted=(kit.planted(name, parameter, factor, kit.since),)))
        platform = next(c.platform for c in kit.usual() if c.name == name)
        hits += any(change.entity.name == name or change.entity.key[1:2] == (platform,) or change.entity.level == "total" for change in found)
    print(f"planted: recall {hits} of {len(cases)}")
    assert hits / len(cases) >= 0.85


def test_a_shift_of_the_last_ten_days_is_found(kit):
    rows = account(kit, 7, days=224, planted=(kit.planted("Generic search", "spend", 2.2, kit.until - timedelta(days=9)),))
    assert any(change.metric == "spend" for change in changes(kit, rows))


def test_one_wild_day_makes_no_finding(kit):
    rows = account(kit, 8, days=126)
    wild = [{**r, "spend": r["spend"] * 15} if r["date"] == kit.until - timedelta(days=5) and r["campaign_name"] == "Generic search" else r for r in rows]
    assert [change for change in changes(kit, wild) if change.metric == "spend"] == []


def test_conversions_that_stop_while_spend_goes_on_are_found(kit):
    rows = account(kit, 9, days=126, planted=(kit.planted("Generic search", "cvr", 0.0, kit.since),))
    found = [change for change in changes(kit, rows) if change.entity.name == "Generic search"]
    assert [change.metric for change in found] == ["conversions"]


def test_too_few_days_are_not_judged():
    days = {m: [100.0] * 10 for m in ("spend", "impressions", "clicks", "conversions", "conversions_value")}
    assert judge(days, "spend", 5) is None


@pytest.mark.parametrize(("values", "kept"), [([0.001, 0.5, 0.9], [True, False, False]), ([0.04, 0.045], [True, True]), ([], []), ([0.5], [False])])
def test_benjamini_hochberg(values, kept):
    assert discoveries(values, 0.05) == kept
