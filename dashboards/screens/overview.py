"""The overview: how a project does against the compared period, day by day and platform by platform."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from dashboards import charts, messages, provenance, tables
from dashboards.filters import Filters
from dashboards.language import NOTHING, Language
from dashboards.units import shown_unit
from platform_api.analytics.schemas import Cell, Dashboard, Kpi, KpiValue
from platform_api.client import ApiClient

_DELTA_COLORS: Mapping[str, Literal["normal", "inverse"]] = {"up": "normal", "down": "inverse"}
_LONG = 13
"""Characters beyond which a row of cards writes its values smaller, all alike."""
_TREND = ("spend", "clicks", "impressions", "conversions", "ctr", "cpc", "cpa", "roas")


def show(language: Language, client: ApiClient, filters: Filters) -> None:
    """Draw the overview."""
    board = filters.dashboard(client)
    st.session_state["window"] = (board.since, board.until)
    provenance.header(language, language.say("overview.title"), filters, board)
    if not board.daily:
        messages.nothing(language, "overview.empty")
        return
    _cards(language, board)
    _trend(language, board)
    st.subheader(language.say("overview.platforms"), anchor=False)
    tables.show(language, tables.by_platform(language, board.platforms, provenance.labels(language, board)), key="platforms")
    _findings(language, client, filters)
    provenance.footer(language, board)


def _cards(language: Language, board: Dashboard) -> None:
    """Draw the cards: a row for each currency, then a row of what no currency is in."""
    for currency in board.currencies:
        rows = [row for row in board.daily_money if row["currency"] == currency]
        _row(language, language.say("overview.money", currency=currency), board.kpis, currency, rows)
    _row(language, language.say("overview.volume"), board.kpis, "", board.daily)


def _row(language: Language, heading: str, kpis: Sequence[Kpi], currency: str, daily: Sequence[Mapping[str, Any]]) -> None:
    cards = [(kpi, value) for kpi in kpis for value in kpi.values if value.currency == currency]
    longest = max((len(_written(language, kpi, value.value, currency)) for kpi, value in cards), default=0)
    st.markdown(f"##### {messages.plain(heading)}")
    with st.container(horizontal=True, key=f"cards-{'long' if longest > _LONG else 'short'}-{currency or 'all'}"):
        for kpi, value in cards:
            _card(language, kpi, value, daily)


def _card(language: Language, kpi: Kpi, value: KpiValue, daily: Sequence[Mapping[str, Any]]) -> None:
    change = language.change(value.change_ratio)
    previous = _written(language, kpi, value.previous, value.currency)
    points = [float(row[kpi.metric]) for row in daily if row.get(kpi.metric) is not None]
    st.metric(
        messages.plain(language.label(kpi.labels, kpi.metric)),
        messages.plain(_written(language, kpi, value.value, value.currency)),
        delta=change if change is not None else None,
        delta_color=_DELTA_COLORS.get(kpi.good_direction, "off"),
        delta_description=messages.plain(language.say("card.compared", value=previous)) if previous != NOTHING else None,
        chart_data=points if len(points) > 2 else None,
        border=True,
        height="stretch",
    )


def _written(language: Language, kpi: Kpi, value: Cell, currency: str) -> str:
    return language.number(value, shown_unit(kpi.metric, kpi.unit), currency)


def _trend(language: Language, board: Dashboard) -> None:
    labels = {kpi.metric: language.label(kpi.labels, kpi.metric) for kpi in board.kpis}
    units = {kpi.metric: shown_unit(kpi.metric, kpi.unit) for kpi in board.kpis}
    st.subheader(language.say("overview.trend"), anchor=False)
    metric = st.segmented_control(
        language.say("overview.metric"),
        [m for m in _TREND if m in labels],
        default=_TREND[0],
        format_func=lambda name: labels[name],
        label_visibility="collapsed",
        key="trend-metric",
        required=True,
    )
    metric = metric or _TREND[0]
    by_currency = {kpi.metric for kpi in board.kpis if any(value.currency for value in kpi.values)}
    if metric not in by_currency:
        st.altair_chart(charts.trend(board.daily, metric, labels[metric], units[metric], "", language), width="stretch")
        return
    for currency in board.currencies:
        if len(board.currencies) > 1:
            st.caption(f"{labels[metric]}, {currency}")
        rows = [row for row in board.daily_money if row["currency"] == currency]
        st.altair_chart(charts.trend(rows, metric, labels[metric], units[metric], currency, language), width="stretch", key=f"trend-{currency}")


def _findings(language: Language, client: ApiClient, filters: Filters) -> None:
    """Draw the newest report's first findings."""
    insights = client.insights(filters.project, language.code)
    if not insights.items or insights.since is None or insights.until is None:
        return
    st.subheader(language.say("overview.findings"), anchor=False)
    if insights.language != language.code:
        st.caption(language.say("overview.findings.other"))
        return
    st.caption(language.days(insights.since, insights.until))
    for insight in insights.items[:3]:
        with st.container(border=True):
            st.markdown(f"**{messages.plain(insight.title)}**")
            st.markdown(messages.plain(insight.text))
