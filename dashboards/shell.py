"""The frame around the screens: title, navigation, who is logged in, the language, the filters."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from dashboards import filters, messages, session
from dashboards.filters import Filters
from dashboards.language import LANGUAGES, Language
from dashboards.screens import campaigns, login, overview, report
from platform_api.auth.schemas import Me
from platform_api.client import ApiClient

STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 2.6rem 2.5rem 3rem; max-width: 1240px; }
[class*="st-key-cards-"] { display: grid !important; grid-template-columns: repeat(auto-fit, minmax(152px, 1fr)); gap: 0.75rem; }
[class*="st-key-cards-long"] { grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); }
[class*="st-key-cards-"] > div { width: 100% !important; min-width: 0; }
[data-testid="stMetric"] [data-testid="stMarkdownContainer"], [data-testid="stMetric"] p { white-space: normal; overflow-wrap: anywhere; }
[class*="st-key-cards-long"] [data-testid="stMetricValue"] { font-size: 1.04rem; }
[data-testid="stMetricDeltaDescription"] { flex-basis: 100%; }
[data-testid="stMetricDeltaDescription"] [data-testid="stCaptionContainer"] { white-space: normal; }
div:has(> [data-testid="stMetricDelta"]) { flex-wrap: wrap; row-gap: 0.15rem; }
h5 { padding-bottom: 0.2rem !important; }
[data-testid="stMainMenu"] { display: none; }
iframe { border: 1px solid #E1E3DF !important; border-radius: 10px; background: #fff; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 3.2rem 0.9rem 3rem; }
  .st-key-filters [data-testid="stSelectbox"], .st-key-filters [data-testid="stDateInput"] { width: 100% !important; }
}
</style>"""
Screen = Callable[[Language, ApiClient, Filters, Me], None]


def run() -> None:
    """Draw the page that the address names, or the login in its place."""
    st.set_page_config(page_title="MRM", page_icon=Path(__file__).with_name("icon.png"), layout="wide", initial_sidebar_state="auto")
    filters.current()
    language = session.language()
    st.html(STYLE)
    _speak(language)
    session.remember()
    person = session.me() if session.client().session else None
    pages = [_page(language, person, name, icon, screen) for name, icon, screen in _SCREENS]
    pages.append(_home(pages[0]))
    chosen = st.navigation(pages, position="sidebar" if person else "hidden")
    with messages.told(language):
        chosen.run()
    with st.sidebar:
        if person is not None:
            _foot(language, person)


def _without_person(screen: Callable[[Language, ApiClient, Filters], None]) -> Screen:
    return lambda language, client, chosen, _person: screen(language, client, chosen)


_SCREENS: tuple[tuple[str, str, Screen], ...] = (
    ("overview", ":material/space_dashboard:", _without_person(overview.show)),
    ("campaigns", ":material/account_tree:", _without_person(campaigns.show)),
    ("report", ":material/description:", report.show),
)


def _page(language: Language, person: Me | None, name: str, icon: str, screen: Screen) -> "st.Page":
    return st.Page(_body(language, person, screen), title=language.say(f"nav.{name}"), url_path=name, icon=icon)


def _home(first: "st.Page") -> "st.Page":
    """Lead the bare address to the first page: Streamlit's default page answers under the empty path alone, and a link has a name."""
    return st.Page(lambda: st.switch_page(first, query_params=st.query_params.to_dict()), title=first.title, url_path="home", default=True, visibility="hidden")


def _body(language: Language, person: Me | None, screen: Screen) -> Callable[[], None]:
    return partial(login.show, language, _choose_language) if person is None else partial(_draw, language, person, screen)


def _draw(language: Language, person: Me, screen: Screen) -> None:
    projects = list(session.client().projects())
    if not projects:
        messages.nothing(language, "projects.none", icon=":material/folder_off:")
        return
    screen(language, session.client(), filters.show(language, projects), person)


def _foot(language: Language, person: Me) -> None:
    """Draw the foot of the sidebar: the organization, the person, the language, the way out."""
    st.markdown(f"**{messages.plain(person.organization_name)}**")
    st.caption(messages.plain(language.say("account", name=person.name or person.email, role=language.say(f"role.{person.role}"))))
    _choose_language(language)
    st.button(language.say("logout"), icon=":material/logout:", type="tertiary", on_click=session.log_out)


def _choose_language(language: Language) -> None:
    def changed() -> None:
        st.session_state["language"] = st.session_state["language-choice"]
        for name in filters.WIDGETS:
            st.session_state.pop(f"filter-{name}", None)

    st.segmented_control(
        language.say("language"),
        LANGUAGES,
        default=language.code,
        format_func=lambda code: language.say(f"language.{code}"),
        key="language-choice",
        on_change=changed,
        label_visibility="collapsed",
        required=True,
    )


def _speak(language: Language) -> None:
    """Tell the browser which language the page is in, for screen readers and hyphenation."""
    st.html(f"<script>document.documentElement.lang = {language.code!r};</script>", unsafe_allow_javascript=True)
