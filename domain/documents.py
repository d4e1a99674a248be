"""The document model: one JSON that every renderer (HTML now; PDF, XLSX, … later) prints."""

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from domain.facts import Fact, Finding


class Kpi(BaseModel):
    """One headline number and its change against the compared period, as fact ids."""

    metric: str
    label: str
    fact_id: str
    previous_fact_id: str = ""
    change_fact_id: str = ""
    good_direction: str = "neutral"
    """up, down or neutral: which way is good."""


class Table(BaseModel):
    """A table whose cells are printed text, money already formatted with its currency."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    numeric: list[bool]


class Chart(BaseModel):
    """A Vega-Lite specification with its data inside."""

    title: str
    spec: dict[str, Any]


class Series(BaseModel):
    """Points for a chart in one currency; `reports.charts` turns them into a specification."""

    kind: str
    """`daily` (labels are ISO dates) or `platform` (labels are platform codes)."""
    currency: str
    labels: list[str]
    values: dict[str, list[Decimal | None]]
    """Per metric one value per label; metrics prefixed `previous_` hold the compared period."""


class Document(BaseModel):
    """A report: what was asked, the proved facts, the findings over them, tables and charts."""

    title: str
    client: str
    language: str
    since: date
    until: date
    compared_since: date
    compared_until: date
    currency_notes: list[str] = []
    summary: str = ""
    kpis: list[Kpi]
    findings: list[Finding]
    facts: list[Fact]
    tables: list[Table] = []
    charts: list[Chart] = []
    series: list[Series] = []
    worded_by: str = "template"
    """`template`, or the model's name."""
    asked_wording: str = "template"
    """Who was asked to word it; a model that failed leaves `template` in `worded_by`."""
    notes: list[str] = []
    data_version: int = 0
