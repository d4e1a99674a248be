"""The proof before publishing: every question is asked again, every derivation is carried out again."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from analyst.door import DataMoved, Door, Inquiry, campaign_name, matches
from analyst.ledger import measured_value, unit_of
from analyst.operations import compute
from domain.errors import DataQualityError
from domain.facts import Fact
from domain.questions import Question, Scope

ROUNDING = Decimal("1e-14")


def prove(door: Door, scope: Scope, facts: Iterable[Fact], data_version: int) -> int:
    """Ask every question of the facts again and derive every derived fact again; return how many questions were asked.

    Raises DataMoved where the door now answers from another data version or a build runs, DataQualityError for the first fact that does
    not come out as it stands.
    """
    inquiry = Inquiry(door, scope)
    ledger = {fact.id: fact for fact in facts}
    asked = set()
    for fact in ledger.values():
        if fact.question is None:
            value = _derived_again(fact, ledger)
        else:
            value = _measured_again(fact, fact.question, inquiry, data_version)
            asked.add(fact.question)
        if fact.data_version != data_version or fact.scope != scope or fact.currency != _currency(fact):
            raise _refusal(fact, "its scope, data version or currency is not the one that it names")
        if not _same(value, fact):
            if inquiry.building:
                raise DataMoved(data_version, data_version)
            raise _refusal(fact, f"it stands as {fact.value}, and comes out as {value}")
    return len(asked)


def _measured_again(fact: Fact, question: Question, inquiry: Inquiry, data_version: int) -> Decimal | None:
    answer = inquiry.ask(question)
    inquiry.expect(data_version)
    names = {campaign_name(row) for row in answer.rows if matches(row, fact.filters)} if "campaign_name" in fact.filters else set()
    if set(fact.filters) - {"campaign_name"} != set(question.by) or (names and names != {fact.filters["campaign_name"]}):
        raise _refusal(fact, "it does not name a row of its answer")
    if (fact.query_hash, fact.since, fact.until, fact.unit) != (answer.query_hash, question.since, question.until, unit_of(fact.metric)):
        raise _refusal(fact, "its query, period or unit is not the one that it names")
    return measured_value(answer.rows, fact.metric, fact.filters)


def _derived_again(fact: Fact, ledger: Mapping[str, Fact]) -> Decimal | None:
    if not fact.inputs or any(name not in ledger for name in fact.inputs):
        raise _refusal(fact, "it has neither a question nor a derivation over facts of this report")
    inputs = [ledger[name] for name in fact.inputs]
    if not any((fact.filters, fact.since, fact.until) == (each.filters, each.since, each.until) for each in inputs):
        raise _refusal(fact, "it is about something else than its inputs")
    try:
        return compute(fact.operation, [each.value for each in inputs])
    except (ValueError, KeyError) as error:
        raise _refusal(fact, f"its operation is not a declared one: {error}") from error


def _currency(fact: Fact) -> str:
    return fact.filters.get("currency", "") if fact.unit == "money" else ""


def _same(value: Decimal | None, fact: Fact) -> bool:
    """Compare exactly. Rate and mix effects may differ by the unit of rounding that closes their sum."""
    if value is None or fact.value is None or not fact.operation.startswith(("decomposition:rate", "decomposition:mix")):
        return value == fact.value
    return abs(fact.value - value) <= ROUNDING


def _refusal(fact: Fact, why: str) -> DataQualityError:
    return DataQualityError(
        f"The report is not published: fact {fact.id} ({fact.metric}) does not hold", why=why, fix="Ask for the report again; if it stays, report it"
    )
