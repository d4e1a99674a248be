"""Exact decompositions: their parts sum to the change, by construction and not by luck.

LMDI (logarithmic mean Divisia index, Ang 2005) splits the change of a product of factors; rate and mix effects split the
change of a ratio over entities. Both work in Fraction and 60-digit Decimal; results are rounded to `PLACES` decimals and
the last unit of rounding is given to the largest part, so that the printed parts sum to the rounded change exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import TypeVar

Part = TypeVar("Part")
PLACES = 18
_CONTEXT = Context(prec=60)
_UNIT = Decimal(1).scaleb(-PLACES)

FORMULAS: Mapping[str, tuple[tuple[str, int, str, str], ...]] = {
    "cpa": (("cpc", 1, "spend", "clicks"), ("cvr", -1, "conversions", "clicks")),
    "roas": (("cvr", 1, "conversions", "clicks"), ("aov", 1, "conversions_value", "conversions"), ("cpc", -1, "spend", "clicks")),
    "cpc": (("cpm", 1, "spend", "impressions"), ("ctr", -1, "clicks", "impressions")),
}
"""Metric → its factors: name, exponent, numerator, denominator. CPA = CPC / CVR; ROAS = CVR × AOV / CPC; CPC = CPM / CTR."""

RATIOS: Mapping[str, tuple[str, str]] = {
    "cpa": ("spend", "conversions"),
    "roas": ("conversions_value", "spend"),
    "cpc": ("spend", "clicks"),
    "ctr": ("clicks", "impressions"),
    "cvr": ("conversions", "clicks"),
}
"""Metric → numerator and denominator."""


@dataclass(frozen=True)
class Effect:
    """What one entity did to a ratio: through its own rate, and through its share of the denominator."""

    rate: Decimal
    mix: Decimal


def exact(value: Fraction | Decimal) -> Decimal:
    """Return the value as a Decimal of 60 significant digits, rounded to 18 places."""
    if isinstance(value, Fraction):
        value = _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))
    return value.quantize(_UNIT, ROUND_HALF_EVEN, _CONTEXT)


def ratio_change(metric: str, now: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> Decimal | None:
    """Return the metric's change in its own unit, computed from its additive parts; None where it has no value."""
    start, end = _ratio(metric, before), _ratio(metric, now)
    return None if start is None or end is None else exact(end - start)


def lmdi(metric: str, now: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> dict[str, Decimal] | None:
    """Split the change of a ratio metric over its factors; the parts sum to `ratio_change` exactly.

    `now` and `before` hold the additive measures. None where the metric has no value in a period, or a factor's base
    (clicks, impressions) is missing although the metric has a value. A factor that is zero in one period only takes the
    whole change (the limit of LMDI); several such factors share it equally.
    """
    change = ratio_change(metric, now, before)
    if change is None:
        return None
    if min(*now.values(), *before.values()) < 0:
        return None
    names = [name for name, *_ in FORMULAS[metric]]
    if change == 0 and not (_ratio(metric, now) and _ratio(metric, before)):
        return dict.fromkeys(names, Decimal(0))
    born = _zero_factors(metric, now, before)
    if born is None:
        return None
    if born:
        return closed({name: exact(Fraction(change) / len(born)) if name in born else Decimal(0) for name in names}, change)
    start, end = _wide(_ratio(metric, before)), _wide(_ratio(metric, now))
    mean = start if start == end else _CONTEXT.divide(_CONTEXT.subtract(end, start), _CONTEXT.ln(_CONTEXT.divide(end, start)))
    effects = {}
    for name, exponent, numerator, denominator in FORMULAS[metric]:
        growth = (Fraction(now[numerator]) * Fraction(before[denominator])) / (Fraction(now[denominator]) * Fraction(before[numerator]))
        effects[name] = exact(_CONTEXT.multiply(mean, exponent * _CONTEXT.ln(_wide(growth))))
    return closed(effects, change)


def rate_and_mix(now: Mapping[Part, tuple[Decimal, Decimal]], before: Mapping[Part, tuple[Decimal, Decimal]]) -> dict[Part, Effect] | None:
    """Split the change of Σn / Σd over entities; all rates and mixes together sum to the change exactly.

    Each period maps an entity to its (numerator, denominator); an entity that is new or has ended is simply absent from
    one of them. With shares w = d / D, rates r = n / d and the mean total rate R̄: mix = Δw · (r̄ − R̄), and rate is the rest
    of the entity's n₁/D₁ − n₀/D₀ − R̄ · Δw, which is w̄ · Δr where both rates exist. A new or ended entity with a rate has
    mix only; a numerator without a denominator (spend without conversions) is rate. None where a total denominator is 0.
    """
    total_now, total_before = _totals(now), _totals(before)
    if total_now[1] == 0 or total_before[1] == 0:
        return None
    end, start = total_now[0] / total_now[1], total_before[0] / total_before[1]
    middle = (end + start) / 2
    rates: dict[Part, Fraction] = {}
    mixes: dict[Part, Fraction] = {}
    for entity in {**before, **now}:
        rates[entity], mixes[entity] = _effect(now.get(entity), before.get(entity), total_now[1], total_before[1], middle)
    parts = {("rate", name): exact(value) for name, value in rates.items()} | {("mix", name): exact(value) for name, value in mixes.items()}
    whole = closed(parts, exact(end - start))
    return {name: Effect(whole["rate", name], whole["mix", name]) for name in rates}


def closed(parts: dict[Part, Decimal], change: Decimal) -> dict[Part, Decimal]:
    """Give the last unit of rounding to the largest part, so that the parts sum to the change."""
    if parts:
        largest = max(parts, key=lambda name: abs(parts[name]))
        parts[largest] += change - sum(parts.values())
    return parts


def _zero_factors(metric: str, now: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> list[str] | None:
    """Name the factors that are zero in exactly one period; None where a factor's base is missing."""
    born = []
    for name, _, numerator, denominator in FORMULAS[metric]:
        ends = [period[numerator] / period[denominator] if period[denominator] else None for period in (now, before)]
        if None in ends:
            if name == "aov":
                continue
            return None
        if (ends[0] == 0) != (ends[1] == 0):
            born.append(name)
        elif ends[0] == 0:
            return None
    return born


def _ratio(metric: str, period: Mapping[str, Decimal]) -> Fraction | None:
    numerator, denominator = RATIOS[metric]
    return Fraction(period[numerator]) / Fraction(period[denominator]) if period[denominator] else None


def _wide(value: Fraction | None) -> Decimal:
    assert value is not None
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))


def _totals(entities: Mapping[Part, tuple[Decimal, Decimal]]) -> tuple[Fraction, Fraction]:
    pairs: Sequence[tuple[Decimal, Decimal]] = list(entities.values())
    return sum((Fraction(n) for n, _ in pairs), Fraction(0)), sum((Fraction(d) for _, d in pairs), Fraction(0))


def _effect(
    now: tuple[Decimal, Decimal] | None, before: tuple[Decimal, Decimal] | None, total_now: Fraction, total_before: Fraction, middle: Fraction
) -> tuple[Fraction, Fraction]:
    """Return one entity's rate and mix effect."""
    n1, d1 = (Fraction(part) for part in now or (Decimal(0), Decimal(0)))
    n0, d0 = (Fraction(part) for part in before or (Decimal(0), Decimal(0)))
    shift = d1 / total_now - d0 / total_before
    whole = n1 / total_now - n0 / total_before - middle * shift
    known = [n / d for n, d in ((n1, d1), (n0, d0)) if d]
    mix = shift * (sum(known, Fraction(0)) / len(known) - middle) if known else Fraction(0)
    return whole - mix, mix
