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
    NOT_EQUALS = "!="
    NOT_IN = "not in"
    NOT_CONTAINS = "not contains"
    AT_LEAST = ">="
    AT_MOST = "<="

    @property
    def negated(self) -> bool:
        """Tell whether rows that match are left out."""
        return self in (Operator.NOT_EQUALS, Operator.NOT_IN, Operator.NOT_CONTAINS)

    @property
    def by_part(self) -> bool:
        """Tell whether a part of the text is enough."""
        return self in (Operator.CONTAINS, Operator.NOT_CONTAINS)

    @property
    def is_bound(self) -> bool:
        """Tell whether it is one end of a range, inclusive."""
        return self in (Operator.AT_LEAST, Operator.AT_MOST)


class Grain(StrEnum):
    """How long the periods of the dimension date are. Weeks start on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Baseline(StrEnum):
    """What a window is compared with."""

    PREVIOUS = "previous"
    """As many days, right before."""
    YEAR = "year"
    """The same dates a year earlier."""
    YEAR_WEEKDAY = "year_weekday"
    """364 days earlier, so that weekdays meet."""
    CUSTOM = "custom"
    """A window of one's own."""


class Comparison(BaseModel):
    """What to compare with; `since` and `until` (inclusive) belong to a custom window alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    baseline: Baseline
    since: date | None = None
    until: date | None = None


class Filter(BaseModel):
    """Keep the rows whose dimension matches one of the values (an id or its name), or none of them where the operator is negated.

    A range may be put on dates, which keeps days, and on metrics, which keeps rows of the answer.
    """

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
    base_currency: str = ""
    """What the question's currency `base` stands for; empty where the organization has none."""


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
    grain: Grain | None = None
    """Set: the answer is by periods of this length, whose first day stands in the dimension date."""
    compare: Comparison | None = None
    """Set: each metric also has `<metric>_previous`, `<metric>_change` and `<metric>_change_ratio`."""
    top: int | None = None
    """Keep so many entities, ranked by the first metric of `order_by` (downwards unless it says otherwise); the rest is one row, `other`."""
    totals: bool = False
    """Add a row over all rows of the answer, one for each currency that the answer keeps apart."""
    currency: str | None = None
    """Convert money into this currency (ISO 4217, or `base`) by the rate of each row's date."""


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


class Compared(BaseModel):
    """The two windows of a comparison, and on how many days of each there are data: equal counts compare like for like."""

    baseline: Baseline
    since: date
    until: date
    days: int
    compared_days: int
    days_with_data: int
    compared_days_with_data: int
    like_for_like: bool


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
    comparison: Compared | None = None
    currency: str | None = None
    """The currency that money was converted into."""
