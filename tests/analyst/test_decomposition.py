"""Decompositions sum to the change, with zeros, new and ended entities."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyst.decomposition import FORMULAS, RATIOS, lmdi, rate_and_mix, ratio_change
from analyst.operations import compute, measures_of

D = Decimal
amounts = st.one_of(st.just(D(0)), st.decimals(min_value="0.01", max_value="1000000", places=2))
parts = st.fixed_dictionaries(dict.fromkeys(("spend", "impressions", "clicks", "conversions", "conversions_value"), amounts))


@given(st.sampled_from(sorted(FORMULAS)), parts, parts)
def test_lmdi_parts_sum_to_the_change(metric, now, before):
    effects = lmdi(metric, now, before)
    change = ratio_change(metric, now, before)
    if effects is not None:
        assert sum(effects.values()) == change
        assert set(effects) == {name for name, *_ in FORMULAS[metric]}
    else:
        assert change is None or any(p[d] == 0 for p in (now, before) for _, _, _, d in FORMULAS[metric]) or 0 in (*now.values(), *before.values())


def test_lmdi_gives_a_price_change_to_the_factor_that_moved():
    before = {"spend": D(1000), "clicks": D(500), "conversions": D(50)}
    dearer_clicks = lmdi("cpa", {"spend": D(1500), "clicks": D(500), "conversions": D(50)}, before)
    assert dearer_clicks == {"cpc": D(10), "cvr": D(0)}
    fewer_conversions = lmdi("cpa", {"spend": D(1000), "clicks": D(500), "conversions": D(25)}, before)
    assert fewer_conversions == {"cpc": D(0), "cvr": D(20)}


def test_lmdi_gives_a_birth_from_zero_to_the_factor_that_was_zero():
    before = {"spend": D(1000), "clicks": D(500), "conversions": D(50), "conversions_value": D(0)}
    now = {"spend": D(1000), "clicks": D(500), "conversions": D(50), "conversions_value": D(3000)}
    assert lmdi("roas", now, before) == {"cvr": D(0), "aov": D(3), "cpc": D(0)}


def test_lmdi_has_nothing_to_say_without_conversions():
    assert lmdi("cpa", {"spend": D(10), "clicks": D(5), "conversions": D(0)}, {"spend": D(10), "clicks": D(5), "conversions": D(1)}) is None


pairs = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(amounts, amounts), max_size=8)


@given(pairs, pairs)
def test_rates_and_mixes_sum_to_the_change(now, before):
    effects = rate_and_mix(now, before)
    totals = [(sum((n for n, _ in p.values()), D(0)), sum((d for _, d in p.values()), D(0))) for p in (now, before)]
    if not totals[0][1] or not totals[1][1]:
        assert effects is None
        return
    assert effects is not None
    change = totals[0][0] / totals[0][1] - totals[1][0] / totals[1][1]
    assert abs(sum((e.rate + e.mix for e in effects.values()), D(0)) - change) < D("1e-12")


def test_a_new_campaign_moves_a_ratio_by_its_share_alone():
    before = {"old": (D(100), D(10))}
    now = {"old": (D(100), D(10)), "new": (D(400), D(10))}
    effects = rate_and_mix(now, before)
    assert effects is not None
    assert effects["new"].rate == 0
    assert effects["old"].rate == 0
    assert effects["new"].mix + effects["old"].mix == D(15)


def test_spend_without_conversions_is_the_entitys_own_doing():
    effects = rate_and_mix({"good": (D(100), D(10)), "waste": (D(50), D(0))}, {"good": (D(100), D(10))})
    assert effects is not None
    assert (effects["waste"].rate, effects["waste"].mix) == (D(5), D(0))


@given(st.sampled_from(["cpa", "roas", "ctr"]), pairs, pairs)
def test_a_stored_effect_can_be_computed_again_from_its_inputs(metric, now, before):
    effects = rate_and_mix(now, before)
    if effects is None:
        return
    zero = (D(0), D(0))
    totals = [[sum((p[k] for p in period.values()), D(0)) for k in (0, 1)] for period in (now, before)]
    for name, effect in effects.items():
        own = now.get(name, zero), before.get(name, zero)
        inputs = [own[0][0], own[1][0], own[0][1], own[1][1], totals[0][0], totals[1][0], totals[0][1], totals[1][1]]
        for method in ("rate", "mix"):
            again = compute(f"decomposition:{method}:{metric}", inputs)
            assert again is not None
            assert abs(again - getattr(effect, method)) <= D("1e-14")


def test_operations_are_declared_and_nothing_else_runs():
    assert compute("diff", [D(3), D(5)]) == D(-2)
    assert compute("ratio", [D(1), D(4)]) == D("0.25")
    assert compute("ratio", [D(1), D(0)]) is None
    assert compute("share", [None, D(4)]) is None
    assert compute("rank", [D(5), D(9), D(1), D(5)]) == D(2)
    values = {"spend": D(10), "clicks": D(5), "conversions": D(2)}
    inputs = [values[m] for m in measures_of("cpa")] * 2
    assert compute("decomposition:lmdi:cpa:cpc", inputs) == 0
    for operation in ("sum", "diff:x:y", "eval", "decomposition:guess", ""):
        with pytest.raises(ValueError):
            compute(operation, [D(1), D(2), D(3)])


def test_every_ratio_has_its_formula_over_additive_measures():
    for metric, factors in FORMULAS.items():
        assert metric in RATIOS
        assert all(exponent in (1, -1) for _, exponent, _, _ in factors)
