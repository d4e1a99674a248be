"""Logging in."""

from collections.abc import Callable

import streamlit as st

from dashboards import messages, session
from dashboards.language import Language
from domain.errors import AuthenticationRequired, MrmError


def show(language: Language, choose_language: Callable[[Language], None]) -> None:
    """Draw the login form; success draws the page that the address names."""
    _, middle, _ = st.columns([1, 1.4, 1])
    with middle:
        st.title(language.say("login.title"), anchor=False)
        st.markdown(language.say("login.lead"))
        if st.session_state.get("expired"):
            st.info(language.say("login.expired"), icon=":material/schedule:")
        with st.form("login", border=True):
            email = st.text_input(language.say("login.email"), autocomplete="username")
            password = st.text_input(language.say("login.password"), type="password", autocomplete="current-password")
            sent = st.form_submit_button(language.say("login.submit"), type="primary", width="stretch")
        st.caption(language.say("login.hint"))
        if sent:
            _try(language, email.strip(), password)
        choose_language(language)


def _try(language: Language, email: str, password: str) -> None:
    if not email or not password:
        st.warning(language.say("login.empty"))
        return
    try:
        session.log_in(email, password)
    except AuthenticationRequired:
        st.error(language.say("login.wrong"), icon=":material/error:")
    except MrmError as error:
        messages.tell(language, error)
    else:
        st.rerun()
