"""What a browser session holds: the client, who is logged in, the language. Nothing here outlives or leaves the session."""

from typing import cast

import streamlit as st

from dashboards.language import LANGUAGES, Language, preferred
from dashboards.remembering import COOKIE, REMEMBERED, script
from domain.errors import AuthenticationRequired, MrmError
from platform_api.auth.schemas import Me
from platform_api.client import ApiClient


def client() -> ApiClient:
    """Return the session's client: the one that the browser's cookie names, or a new one that nobody is logged in with."""
    if "client" not in st.session_state:
        known = REMEMBERED.client(str(st.context.cookies.get(COOKIE, "")))
        st.session_state["client"] = known or ApiClient(st.secrets["api_url"])
    return cast(ApiClient, st.session_state["client"])


def me() -> Me | None:
    """Say who is logged in, None for nobody; a session that the server ended counts as nobody."""
    if client().session is None:
        return None
    if "me" not in st.session_state:
        try:
            st.session_state["me"] = client().me()
        except AuthenticationRequired:
            forget(expired=True)
            return None
    return cast(Me, st.session_state["me"])


def log_in(email: str, password: str) -> None:
    """Log in; raises AuthenticationRequired for a wrong pair."""
    address = st.context.ip_address
    client().login(email, password, on_behalf_of=address if isinstance(address, str) else None)  # a script under test has no connection
    st.session_state["ticket"] = REMEMBERED.ticket(client())
    st.session_state.pop("expired", None)
    st.session_state.pop("me", None)


def remember() -> None:
    """Have the page ask for the cookie, once after a login."""
    ticket = st.session_state.pop("ticket", None)
    if ticket is not None:
        st.html(script(ticket), unsafe_allow_javascript=True)


def log_out() -> None:
    """End the session here and on the server, even when the server is gone."""
    try:
        client().logout()
    except MrmError:
        client().session = None
    forget()


def forget(*, expired: bool = False) -> None:
    """Drop who was logged in, and everything read for them; the filters stay in the link."""
    client().session = None
    st.session_state.pop("me", None)
    st.session_state["expired"] = expired


def language() -> Language:
    """Return the session's language: the link's, the one chosen, or the browser's."""
    if "language" not in st.session_state:
        asked = st.query_params.get("lang", "")
        st.session_state["language"] = asked if asked in LANGUAGES else preferred(st.context.locale)
    return Language(st.session_state["language"])
