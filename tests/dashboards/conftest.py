"""The served agency of the API's tests, with the dashboards under /app, a logged-in script run, and a browser."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_api.app import create_app

_SPEC = importlib.util.spec_from_file_location("served_agency", Path(__file__).parents[1] / "platform_api" / "conftest.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_SERVED = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _SERVED
_SPEC.loader.exec_module(_SERVED)
agency, dependencies, log, PASSWORD = _SERVED.agency, _SERVED.dependencies, _SERVED.log, _SERVED.PASSWORD
SCRIPT = Path(__file__).resolve().parents[2] / "dashboards" / "script.py"
_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def site(dependencies: Any) -> Iterator[str]:
    """API and dashboards in one process; the URL without a path."""
    from dashboards.mount import build

    with _SERVED._served(lambda url: create_app(dependencies, {"/app": build(url)})) as url:
        yield url


@pytest.fixture
def run_script(site: str) -> Callable[..., Any]:
    """Run the script for a person (nobody by default) with query parameters, as the browser would."""
    from streamlit.testing.v1 import AppTest

    from platform_api.client import ApiClient

    def run(email: str = "", **parameters: str) -> Any:
        test = AppTest.from_file(str(SCRIPT), default_timeout=120)
        test.secrets["api_url"] = site
        for name, value in parameters.items():
            test.query_params[name] = value
        if email:
            client = ApiClient(site)
            client.login(email, PASSWORD)
            test.session_state["client"] = client
        return test.run()

    return run


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium, for one module: its driver's event loop must not run under other modules' tests."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine: .ci/run installs one")  # house: browser tests need a browser, and say so
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        yield browser
        browser.close()
