"""The dashboards as an ASGI application, to be mounted into the API's process or served alone."""

from pathlib import Path

import streamlit as st

from dashboards import messages
from dashboards.remembering import route


def build(api_url: str) -> "st.App":
    """Build the application over an API; mount it under a path, and run its `lifespan()` with the process."""
    return st.App(Path(__file__).with_name("script.py"), secrets={"api_url": api_url}, routes=[route()], on_script_error=messages.tell_fault)
