"""Facts and findings: every number that the analyst says, with the query that gave it."""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.questions import Question, Scope


class Fact(BaseModel):
    """One proved number. Measured facts carry their question; derived ones the operation and its fact ids."""

    model_config = ConfigDict(frozen=True)
    id: str
    metric: str
    value: Decimal | None
    unit: str
    """count, number, money, ratio, percent or points."""
    currency: str = ""
    since: date
    until: date
    filters: dict[str, str] = {}
    question: Question | None = None
    scope: Scope | None = None
    operation: str = ""
    """diff, ratio, share, rank or decomposition:<method>; empty for a measured fact."""
    inputs: tuple[str, ...] = ()
    query_hash: str = ""
    data_version: int = 0
    row_count: int = 0


class Finding(BaseModel):
    """One thing worth saying: its text holds slots such as `{{f12|money}}`, never digits."""

    model_config = ConfigDict(frozen=True)
    kind: str
    title: str
    text: str
    fact_ids: tuple[str, ...]
    importance: float = 0.0
    """Between 0 and 1, for ordering: the part of the spend that the change touches."""
    worded_by: str = "template"
    """`template`, or the model's name."""
