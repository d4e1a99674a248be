"""Tables: typed values that sort as numbers and are written in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from dashboards.language import Language
from dashboards.units import shown_unit

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

MEASURES: Mapping[str, str] = {
    "spend": "money",
    "impressions": "count",
    "clicks": "count",
    "ctr": "ratio",
    "cpc": "money",
    "conversions": "number",
    "cpa": "money",
    "conversions_value": "money",
    "roas": "ratio",
}
"""The measures of every table, in order, with their units."""
_SHORT = 16
"""Rows up to which a table has no scroll bar of its own."""
ADDITIVE = ("spend", "impressions", "clicks", "conversions", "conversions_value")


@dataclass(frozen=True)
class Table:
    """A table: text columns, then measures; both map the column's name to its heading.

    Each row holds both, and `currency` where it has money.
    """

    texts: Mapping[str, str]
    measures: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]


def by_platform(language: Language, rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> Table:
    """Lay out rows by platform and currency, the dearest first within a currency."""
    named = [{**row, "platform": language.platform(str(row["platform"]))} for row in rows]
    named.sort(key=lambda row: (str(row["currency"]), -_number(row.get("spend"))))
    return Table({name: language.say(f"col.{name}") for name in ("platform", "currency")}, measures(labels), named)


def measures(labels: Mapping[str, str]) -> dict[str, str]:
    """Name the measures' columns."""
    return {name: labels.get(name, name) for name in MEASURES}


def frame(table: Table, language: Language) -> "Styler":
    """Build the styled frame: measures are floats to sort by, written with their row's currency; nothing is a dash."""
    texts = [{name: str(row.get(name) or "") for name in table.texts} for row in table.rows]
    values = [{name: _float(row.get(name)) for name in table.measures} for row in table.rows]
    data = pd.DataFrame([{**t, **v} for t, v in zip(texts, values, strict=True)], columns=[*table.texts, *table.measures])
    styled = data.style
    currencies = [str(row.get("currency") or "") for row in table.rows]
    for currency in sorted(set(currencies)):
        rows = [index for index, found in enumerate(currencies) if found == currency]
        for name in table.measures:
            styled = styled.format(_writer(language, name, currency), subset=(rows, [name]))
    return styled


def show(language: Language, table: Table, *, key: str, selectable: bool = False) -> int | None:
    """Draw the table; return the index of the row that the reader selected, None for none."""
    columns = {name: st.column_config.TextColumn(heading) for name, heading in table.texts.items()}
    columns |= {name: st.column_config.NumberColumn(heading) for name, heading in table.measures.items()}
    height: int | Literal["content"] = "content" if len(table.rows) <= _SHORT else 620
    if not selectable:
        st.dataframe(frame(table, language), hide_index=True, column_config=columns, height=height, key=key)
        return None
    chosen = st.dataframe(
        frame(table, language), hide_index=True, column_config=columns, height=height, key=key, on_select="rerun", selection_mode="single-row"
    )
    selected: list[int] = chosen["selection"]["rows"]
    return selected[0] if selected else None


def _writer(language: Language, name: str, currency: str) -> Callable[[object], str]:
    unit = shown_unit(name, MEASURES[name])

    def write(value: object) -> str:
        missing = value is None or (isinstance(value, float) and pd.isna(value))
        return language.number(None if missing else value, unit, currency)

    return write


def _float(value: object) -> float | None:
    return None if value is None or value == "" else float(Decimal(str(value)))


def _number(value: object) -> float:
    return _float(value) or 0.0


def total(rows: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Add up what adds up; ratios are left out, for they do not."""
    return {name: sum((Decimal(str(row.get(name) or 0)) for row in rows), Decimal(0)) for name in ADDITIVE}


def by_currency(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Add rows up to one for each currency, of what adds up."""
    currencies = dict.fromkeys(str(row["currency"]) for row in rows)
    return [{"currency": currency, **total([row for row in rows if row["currency"] == currency])} for currency in currencies]
