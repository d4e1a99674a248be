"""Numbers on the wire. Money is a decimal string with its currency beside it; counts and ratios are JSON numbers."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.documents import Document
from domain.facts import Fact
from domain.questions import AnswerColumn, Caveat, Compared, Freshness

Cell = int | float | str | None
Comparison = Literal["previous", "year", "none"]
Language = Literal["ru", "en"]


class MetricsAnswer(BaseModel):
    """Rows with their provenance: the data version, how fresh, what to know, and the very query."""

    columns: list[AnswerColumn]
    rows: list[dict[str, Cell]]
    data_version: int
    building: bool
    freshness: list[Freshness]
    warnings: list[Caveat]
    sql: str
    query_hash: str
    comparison: Compared | None = None
    """The two windows of a comparison."""
    currency: str | None = None
    """The currency that money was converted into."""


class MetricDescription(BaseModel):
    """A metric of the catalogue."""

    name: str
    labels: dict[str, str]
    """By language: ru, en."""
    formula: str
    unit: str
    additivity: str
    good_direction: str
    descriptions: dict[str, str] = {}
    synonyms: dict[str, list[str]] = {}
    facts: list[str] = []
    """The facts that it comes from."""


class DimensionDescription(BaseModel):
    """A dimension by which metrics can be asked."""

    name: str
    labels: dict[str, str]
    synonyms: dict[str, list[str]] = {}
    facts: list[str] = []
    """The facts that have it."""


class MetricsCatalogue(BaseModel):
    """Everything that can be asked."""

    metrics: list[MetricDescription]
    dimensions: list[DimensionDescription]


class KpiValue(BaseModel):
    """One value of a KPI: in `currency` for money and ratios of money, else over everything."""

    currency: str = ""
    value: Cell
    previous: Cell = None
    change: Cell = None
    change_ratio: float | None = None
    """(value - previous) / previous; null where there is no previous value or it is zero."""


class Kpi(BaseModel):
    """A headline metric with one value per currency where money is in it."""

    metric: str
    labels: dict[str, str]
    unit: str
    good_direction: str
    values: list[KpiValue]


class Dashboard(BaseModel):
    """The overview of a project: KPIs against the compared period, the trend, and the platforms, all of one data version."""

    project_id: str
    today: date
    """The installation's date: numbers of this day are not complete."""
    since: date
    until: date
    compared_since: date | None = None
    compared_until: date | None = None
    currencies: list[str]
    kpis: list[Kpi]
    daily: list[dict[str, Cell]]
    """Rows by date: what needs no currency."""
    daily_money: list[dict[str, Cell]]
    """Rows by date and currency: money, and ratios of money."""
    platforms: list[dict[str, Cell]]
    """Rows by platform and currency."""
    previous_platforms: list[dict[str, Cell]]
    data_version: int
    building: bool
    freshness: list[Freshness]
    warnings: list[Caveat]


class Insight(BaseModel):
    """One finding of a report, its numbers printed from the proved facts."""

    kind: str
    title: str
    text: str
    importance: float
    facts: list[Fact]


class Insights(BaseModel):
    """The findings of the newest report; empty before the first one."""

    artifact_id: str | None = None
    version: int | None = None
    since: date | None = None
    until: date | None = None
    written_at: datetime | None = None
    language: str = ""
    worded_by: str = ""
    data_version: int = 0
    items: list[Insight] = []


class NewReport(BaseModel):
    """Which report to write; by default over the last 28 complete days."""

    model_config = ConfigDict(extra="forbid")
    since: date | None = None
    until: date | None = None
    language: Language = "ru"


class WrittenReport(BaseModel):
    """A report was written and kept as a version of an artifact."""

    artifact_id: str
    version: int
    reused: bool = False
    """Nothing had moved on since this version was written, so no new one was."""
    document: Document
