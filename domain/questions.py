"""A question to the metric door, and its answer: what the CLI, the API, dashboards, reports and the analyst all speak."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

Value = int | float | Decimal | str | date | None


class Operator(StrEnum):
    """How a filter compares."""

    EQUALS = "="
    IN = "in"
    CONTAINS = "contains"


class Filter(BaseModel):
    """Keep the rows whose dimension matches one of the values."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dimension: str
    operator: Operator = Operator.EQUALS
    values: tuple[str, ...]


class Scope(BaseModel):
    """Whose numbers may be read. The server sets it; it is never part of a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    organization_id: str
    project_ids: tuple[str, ...] | None = None
    """None: every account of the organization; a tuple: only accounts assigned to these projects."""


class Question(BaseModel):
    """Which metrics, by which dimensions, over which dates (both inclusive)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    metrics: tuple[str, ...] = Field(min_length=1)
    by: tuple[str, ...] = ()
    since: date
    until: date
    where: tuple[Filter, ...] = ()
    as_of: datetime | None = None
    """UTC-aware: answer as the numbers were known then."""
    order_by: tuple[str, ...] = ()
    """Names of metrics or dimensions; a leading '-' sorts downwards."""
    limit: int | None = None


class AnswerColumn(BaseModel):
    """One column of an answer."""

    name: str
    kind: str
    """`dimension` or `metric`."""
    unit: str = ""
    """For metrics: count, number, money or ratio."""


class Caveat(BaseModel):
    """Something that a reader of the numbers must know."""

    code: str
    message: str


class Freshness(BaseModel):
    """How far a platform's data reach: the last complete date with committed slices, and the last commit."""

    platform: str
    data_through: date | None
    observed_at: datetime | None


class Answer(BaseModel):
    """Rows with their provenance. Values are typed; `platform_api` and the CLI print money as strings."""

    columns: list[AnswerColumn]
    rows: list[dict[str, Value]]
    data_version: int
    building: bool = False
    freshness: list[Freshness]
    warnings: list[Caveat]
    sql: str
    query_hash: str
