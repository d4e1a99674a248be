"""What of a question can be answered: facts that meet over its dimensions, marts that have a history, a currency that is one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from domain.errors import UsageError
from domain.money import is_currency
from domain.questions import Question, Scope
from warehouse.as_of import require_as_of
from warehouse.metrics.catalogue import Catalogue, FactInfo


def facts_for(catalogue: Catalogue, metrics: Iterable[str], dimensions: Sequence[str]) -> list[FactInfo]:
    """Return the facts that metrics come from. Raises UnknownName, or UsageError where a dimension does not fit all of them.

    Metrics of several facts meet only over dimensions that mean the same in each.
    """
    homes = {name: catalogue.facts_of(name) for name in metrics}
    facts = list({fact.name: fact for found in homes.values() for fact in found}.values())
    for name in dimensions:
        catalogue.dimension(name)
        lacking = [fact for fact in facts if name not in fact.dimensions]
        if lacking or (len(facts) > 1 and not _meets(name, facts)):
            raise _apart(name, homes, facts, lacking)
    return facts


def _meets(dimension: str, facts: Sequence[FactInfo]) -> bool:
    """Tell whether a dimension is there in every fact and means the same in all."""
    words = {fact.dimensions[dimension].shared if dimension in fact.dimensions else "" for fact in facts}
    return len(words) == 1 and words != {""}


def _apart(dimension: str, homes: Mapping[str, tuple[FactInfo, ...]], facts: Sequence[FactInfo], lacking: Sequence[FactInfo]) -> UsageError:
    """Say which metrics do not have a dimension, or do not share it, and by what they can be asked."""
    said = "; ".join(f"{metric} of {' and '.join(fact.name for fact in found)}" for metric, found in homes.items())
    shared = [name for name in facts[0].dimensions if len(facts) == 1 or _meets(name, facts)]
    names = " and ".join(fact.name for fact in lacking or facts)
    what = f"{names} has no dimension {dimension}" if lacking else f"{dimension} is not the same thing in {names}"
    return UsageError(
        f"These metrics cannot be asked by {dimension}: {what}",
        why=f"The metrics come from these facts: {said}",
        fix=f"Ask for them apart, or by {', '.join(shared)}",
    )


def has_history(facts: Iterable[FactInfo], as_of: datetime | None) -> None:
    """Refuse as_of for a mart whose earlier states are not kept. Raises UsageError."""
    for fact in facts:
        if as_of is not None:
            require_as_of(fact.table)


def currency_of(question: Question, scope: Scope) -> str | None:
    """Return the currency to convert money into, `base` resolved. Raises UsageError where none is set, or for what is no currency."""
    if question.currency is None:
        return None
    if question.currency.lower() == "base":
        if not scope.base_currency:
            raise UsageError("The organization has no base currency", fix="Name the currency, such as EUR, or set one: ./run currency EUR")
        return scope.base_currency
    if not is_currency(question.currency.upper()):
        raise UsageError(f"{question.currency!r} is no currency", fix="Give an ISO 4217 code such as EUR, or base")
    return question.currency.upper()
