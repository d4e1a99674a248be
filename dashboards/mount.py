"""The dashboards as an ASGI application, to be mounted into the API's process or served alone."""

from importlib import import_module
from pathlib import Path

import streamlit as st

from dashboards import messages
from dashboards.remembering import route


def build(api_url: str) -> "st.App":
    """Build the application over an API; mount it under a path, and run its `lifespan()` with the process.

    The screens are imported now, so that the first reader does not wait for it.
    """
    import_module("dashboards.shell")
    return st.App(Path(__file__).with_name("script.py"), secrets={"api_url": api_url}, routes=[route()], on_script_error=messages.tell_fault)
