"""Where the numbers on a screen come from: the window, the freshness of each platform, the build, the warnings."""

import streamlit as st

from dashboards import filters as shared
from dashboards.filters import Filters
from dashboards.language import Language
from dashboards.messages import plain
from domain.questions import Freshness
from platform_api.analytics.schemas import Dashboard


def header(language: Language, title: str, filters: Filters, board: Dashboard) -> None:
    """Draw the title, the two windows, a badge for each platform's freshness, and the link."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        shared.link(language, filters, board.since, board.until)
    window = language.days(board.since, board.until)
    if board.compared_since and board.compared_until:
        window = language.say("overview.compared", window=window, compared=language.days(board.compared_since, board.compared_until))
    st.caption(window)
    with st.container(horizontal=True, key="freshness"):
        for freshness in board.freshness:
            _badge(language, freshness, board)
    if board.building:
        st.info(language.say("building"), icon=":material/autorenew:")


def footer(language: Language, board: Dashboard) -> None:
    """Draw what a reader must know about the numbers, and which build they are of."""
    if board.warnings:
        with st.expander(language.say("warnings"), icon=":material/info:"):
            for words in dict.fromkeys(language.caveat(warning.code, warning.message) for warning in board.warnings):
                st.markdown(f"- {plain(words)}")
    st.caption(language.say("version", version=board.data_version))


def _badge(language: Language, freshness: Freshness, board: Dashboard) -> None:
    platform = language.platform(freshness.platform)
    if freshness.data_through is None:
        st.badge(plain(language.say("fresh.none", platform=platform)), icon=":material/help:", color="gray")
        return
    text = language.say("fresh.through", platform=platform, day=language.day(freshness.data_through))
    late = (board.today - freshness.data_through).days - 1
    notes = [language.say("fresh.help")]
    if freshness.observed_at is not None:
        notes.append(language.say("fresh.checked", moment=language.moment(freshness.observed_at)))
    if late > 0:
        st.badge(plain(f"{text} · {language.say('fresh.late', days=late)}"), icon=":material/schedule:", color="orange", help="\n\n".join(notes))
    else:
        st.badge(plain(text), icon=":material/check_circle:", color="green", help="\n\n".join(notes))


def labels(language: Language, board: Dashboard) -> dict[str, str]:
    """Name the metrics in the reader's language."""
    return {kpi.metric: language.label(kpi.labels, kpi.metric) for kpi in board.kpis}
