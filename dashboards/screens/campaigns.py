"""Campaigns, and down into one: its ad groups, then its ads. The rows of a table add up to the row that was opened."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboards import messages, provenance, tables
from dashboards.drill import LEVELS, Level, closed, complete, depth, named, opened, opens, path
from dashboards.filters import Filters
from dashboards.language import Language
from platform_api.analytics.schemas import Dashboard
from platform_api.client import ApiClient

_MOST_ROWS = 1000


def show(language: Language, client: ApiClient, filters: Filters) -> None:
    """Draw the table of the level that the filters' path has reached."""
    board = filters.dashboard(client)
    st.session_state["window"] = (board.since, board.until)
    provenance.header(language, language.say("campaigns.title"), filters, board)
    level = LEVELS[depth(filters)]
    parents = _rows(client, filters, board, LEVELS[depth(filters) - 1]) if depth(filters) else tables.by_currency(board.platforms)
    _crumbs(language, filters, parents)
    rows = _rows(client, filters, board, level)
    rows = complete(rows, parents, level)
    if not rows:
        messages.nothing(language, "campaigns.empty")
        return
    _table(language, filters, board, level, rows)
    provenance.footer(language, board)


def _rows(client: ApiClient, filters: Filters, board: Dashboard, level: Level) -> list[Mapping[str, Any]]:
    """Ask for a level's rows under the path."""
    answer = client.metrics(
        filters.project, tuple(tables.MEASURES), by=level.by, since=board.since, until=board.until, where=path(filters), order_by=("-spend",), limit=_MOST_ROWS
    )
    return list(answer.rows)


def _table(language: Language, filters: Filters, board: Dashboard, level: Level, rows: Sequence[Mapping[str, Any]]) -> None:
    shown = [named(language, row, level) for row in rows]
    selectable = opens(shown, level)
    if selectable or not level.opens:
        st.caption(language.say(f"campaigns.lead.{level.name}"))
    if len(rows) >= _MOST_ROWS:
        st.info(language.say("campaigns.shown", shown=_MOST_ROWS), icon=":material/filter_list:")
    texts = {name: language.say(f"col.{name}") for name in level.columns}
    table = tables.Table(texts, tables.measures(provenance.labels(language, board)), shown)
    key = "-".join(("table", level.name, filters.project, filters.account, filters.campaign, filters.ad_group))
    chosen = tables.show(language, table, key=key, selectable=selectable)
    _totals(language, board, rows)
    if any(row["residual"] for row in shown):
        st.caption(language.say("residual.help", row=language.say(f"residual.{level.name}")))
    if chosen is not None and not shown[chosen]["residual"]:
        _go(opened(filters, rows[chosen], level))
        st.rerun()


def _totals(language: Language, board: Dashboard, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw one total for each currency, of what adds up."""
    labels = provenance.labels(language, board)
    for currency in sorted({str(row["currency"]) for row in rows}):
        total = tables.total([row for row in rows if row["currency"] == currency])
        parts = [f"{labels.get(name, name)} {language.number(value, tables.MEASURES[name], currency)}" for name, value in total.items()]
        st.markdown(f":small[**{language.say('campaigns.total')}, {currency}:** {messages.plain(' · '.join(parts))}]")


def _crumbs(language: Language, filters: Filters, parents: Sequence[Mapping[str, Any]]) -> None:
    """Draw the way back up."""
    if not depth(filters):
        return
    names = {name: str(parents[0].get(f"{name}_name") or getattr(filters, name)) if parents else getattr(filters, name) for name in ("campaign", "ad_group")}
    with st.container(horizontal=True, vertical_alignment="center", key="crumbs"):
        st.button(language.say("campaigns.all"), icon=":material/arrow_back:", on_click=_go, args=(closed(filters),))
        if filters.ad_group:
            st.button(messages.plain(names["campaign"]), type="tertiary", on_click=_go, args=(closed(filters, to=1),))
        st.markdown(f"**{messages.plain(names['ad_group' if filters.ad_group else 'campaign'])}**")


def _go(filters: Filters) -> None:
    st.session_state["filters"] = filters
