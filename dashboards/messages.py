"""Errors and empty states, said in the reader's words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboards import session
from dashboards.language import Language
from domain.errors import AuthenticationRequired, MrmError


@contextmanager
def told(language: Language) -> Iterator[None]:
    """Draw a block; what fails in it is told where it stands, and a session that ended leads back to the login."""
    try:
        yield
    except AuthenticationRequired:
        session.forget(expired=True)
        st.rerun()
    except MrmError as error:
        tell(language, error)


def tell(language: Language, error: MrmError) -> None:
    """Draw an error: what, what to do, and the request's id to pass on."""
    what, fix = language.error(error)
    lines = [f"**{plain(what)}**", plain(fix)]
    request_id = getattr(error, "request_id", "")
    if request_id:
        lines.append(f":small[{plain(language.say('error.request', request_id=request_id))}]")
    st.error("  \n".join(line for line in lines if line), icon=":material/error:")


def tell_fault(error: Exception) -> bool:
    """Draw an unforeseen fault without its inside, which goes to the log; returns True: it is told."""
    logging.getLogger("dashboards").error("A screen failed", exc_info=error)
    language = session.language()
    st.error(f"**{language.say('error.unforeseen')}**  \n{language.say('error.unforeseen.fix')}", icon=":material/error:")
    return True


def nothing(language: Language, key: str, icon: str = ":material/inbox:") -> None:
    """Draw an empty state: what is missing, and what to do."""
    with st.container(border=True):
        st.markdown(f"{icon} **{language.say(key)}**")
        st.caption(language.say(f"{key}.fix"))


def plain(text: str) -> str:
    """Escape text that outsiders wrote, so that Markdown draws it as it is."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|~$:" else c for c in text)
