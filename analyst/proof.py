"""The proof before publishing: every question is asked again, every derivation is carried out again."""

from collections.abc import Iterable
from decimal import Decimal

from analyst.door import DataMoved, Door, Inquiry
from analyst.ledger import measured_value
from analyst.operations import compute
from domain.errors import DataQualityError
from domain.facts import Fact
from domain.questions import Scope

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
            missing = [name for name in fact.inputs if name not in ledger]
            if not fact.operation or not fact.inputs or missing:
                raise _refusal(fact, "it has neither a question nor a derivation over facts of this report")
            value = compute(fact.operation, [ledger[name].value for name in fact.inputs])
        else:
            answer = inquiry.ask(fact.question)
            inquiry.expect(data_version)
            if (fact.query_hash, fact.scope, fact.data_version) != (answer.query_hash, scope, data_version):
                raise _refusal(fact, "its query, scope or data version is not the one that it names")
            value = measured_value(answer.rows, fact.metric, fact.filters)
            asked.add(fact.question)
        if not _same(value, fact):
            if inquiry.building:
                raise DataMoved(data_version, data_version)
            raise _refusal(fact, f"it stands as {fact.value}, and comes out as {value}")
    return len(asked)


def _same(value: Decimal | None, fact: Fact) -> bool:
    """Compare exactly. Rate and mix effects may differ by the unit of rounding that closes their sum."""
    if value is None or fact.value is None or not fact.operation.startswith(("decomposition:rate", "decomposition:mix")):
        return value == fact.value
    return abs(fact.value - value) <= ROUNDING


def _refusal(fact: Fact, why: str) -> DataQualityError:
    return DataQualityError(
        f"The report is not published: fact {fact.id} ({fact.metric}) does not hold", why=why, fix="Ask for the report again; if it stays, report it"
    )
