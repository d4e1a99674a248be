"""The declared operations: the only ways to derive a fact from other facts."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from analyst.decomposition import FORMULAS, exact, lmdi, rate_and_mix

OTHERS = "(others)"
THIS = "(this)"


def measures_of(metric: str) -> tuple[str, ...]:
    """Name the additive measures that a metric's factors are made of, in the order in which LMDI facts list them."""
    return tuple(sorted({name for _, _, numerator, denominator in FORMULAS[metric] for name in (numerator, denominator)}))


def compute(operation: str, values: Sequence[Decimal | None]) -> Decimal | None:
    """Carry out an operation; None where an input has no value or the result has none.

    diff: a − b. ratio and share: a / b. rank: 1 + how many of the others exceed the first.
    decomposition:additive: an entity's now − before. decomposition:lmdi:<metric>:<factor>: the measures of `measures_of`
    now, then before. decomposition:rate:<metric> and decomposition:mix:<metric>: the entity's numerator now and before,
    denominator now and before, then the same four of the total.
    Raises ValueError for an operation that is not declared.
    """
    name, _, detail = operation.partition(":")
    known = [value for value in values if value is not None]
    if len(known) != len(values):
        return None
    if name in {"diff", "ratio", "share"} and len(known) == 2:
        first, second = known
        if name == "diff":
            return first - second
        return exact(Fraction(first) / Fraction(second)) if second else None
    if name == "rank" and known:
        return Decimal(1 + sum(other > known[0] for other in known[1:]))
    if name == "decomposition":
        return _decomposed(detail, known)
    raise ValueError(f"{operation!r} over {len(values)} facts is not a declared operation")


def _decomposed(detail: str, values: Sequence[Decimal]) -> Decimal | None:
    method, _, rest = detail.partition(":")
    if method == "additive" and len(values) == 2:
        return values[0] - values[1]
    if method == "lmdi":
        metric, _, factor = rest.partition(":")
        names = measures_of(metric)
        effects = lmdi(metric, dict(zip(names, values[: len(names)], strict=True)), dict(zip(names, values[len(names) :], strict=True)))
        return effects[factor] if effects else None
    if method in {"rate", "mix"} and len(values) == 8:
        n1, n0, d1, d0, total_n1, total_n0, total_d1, total_d0 = values
        now = {OTHERS: (total_n1 - n1, total_d1 - d1), THIS: (n1, d1)}
        before = {OTHERS: (total_n0 - n0, total_d0 - d0), THIS: (n0, d0)}
        effects_of = rate_and_mix(now, before)
        return getattr(effects_of[THIS], method) if effects_of else None
    raise ValueError(f"decomposition:{detail} over {len(values)} facts is not a declared operation")
