"""`./run connect` by consent: the browser's answer on loopback, the code pasted, what is kept, and one owner per account."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from domain.errors import AuthorizationExpired, ConfigurationError, UsageError
from mrm.consenting import Listener, application, pasted
from services.actors import system_actor
from services.integrations import integration_access
from services.renewing import renewing
from store.database import Store
from store.people import People

APP = {"client_id": "app", "client_secret": "very-secret-client"}


@pytest.fixture(scope="session")
def platforms(start_sandbox: Callable[..., Any]) -> Any:
    """The generated agency."""
    return start_sandbox(date(2026, 11, 23))


@pytest.fixture
def connect(platforms: Any, store: Store, shared_database: str, repository: Path, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start `./run connect yandex_direct` against the sandbox, with the test's home and database."""
    app = tmp_path / "app.json"
    app.write_text(json.dumps(APP))

    def start(name: str, *arguments: str, client_id: str = "") -> "subprocess.Popen[str]":
        settings = {
            "endpoint": platforms.state["yandex_direct"]["endpoint"],
            "token_endpoint": platforms.state["oauth"]["yandex"],
            "consent_endpoint": platforms.state["consent"]["yandex"],
        }
        command = [sys.executable, "-m", "mrm", "connect", "yandex_direct", "--name", name, "--home", str(tmp_path / "home"), "--app", str(app)]
        command += [part for key, value in settings.items() for part in ("--setting", f"{key}={value}")]
        command += ["--client-id", client_id] if client_id else []
        environment = {**os.environ, "PYTHONPATH": str(repository), "MRM_DATABASE_URL": shared_database}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*command, *arguments], cwd=repository, env=environment, text=True, **pipes)  # type: ignore[call-overload, no-any-return]

    return start


def page(process: "subprocess.Popen[str]") -> str:
    """Read the consent page from what the command prints."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http\S+/authorize\?\S+", line):
            return found[0]
    raise AssertionError("no page was printed")


def test_consent_on_loopback_connects_seals_and_names_what_is_seen(connect: Any, store: Store) -> None:
    process = connect("By consent")
    arrived = httpx.get(page(process), follow_redirects=True, trust_env=False)
    assert "You can close this page" in arrived.text
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "severny-dom  Северный дом  RUB  Europe/Moscow" in said
    assert "No scope is missing." in said
    assert "very-secret-client" not in said + errors
    with store.system() as transaction:
        organization = People(transaction).organizations()[0]
    actor = system_actor(organization.id)
    made = re.search(r"Connected as (\S+?)\.", said)
    assert made is not None
    access = integration_access(store, actor, made[1])
    assert access.credentials["refresh_token"].startswith("sandbox-refresh")
    _renews(store, access)

    other = connect("Another", "--paste")
    code = re.search(r"Code: (\S+?)<", httpx.get(page(other), trust_env=False).text)
    assert code is not None
    _, refused = other.communicate(f"{code[1]}\n", timeout=60)
    assert other.returncode == 2
    assert "belongs to the integration 'By consent'" in refused
    assert "An account has one owning integration" in refused


def _renews(store: Store, access: Any) -> None:
    """A pull that finds the token refused renews it, seals the new one, and pulls again."""
    tokens: list[str] = []

    def pull(current: Any) -> str:
        tokens.append(current.credentials["token"])
        if len(tokens) == 1:
            raise AuthorizationExpired("the token was refused", platform="yandex_direct")
        return "pulled"

    from domain.clock import WallClock

    assert renewing(store, access, WallClock(), pull) == "pulled"
    assert tokens[0] != tokens[1]
    assert integration_access(store, system_actor(access.organization_id), access.id).credentials["token"] == tokens[1]

    refused = AuthorizationExpired("the token was refused", platform="yandex_direct", account_id="1")

    def half(current: Any) -> SimpleNamespace:
        """The token ends on the way."""
        tokens.append(current.credentials["token"])
        ended = tokens[-1] == tokens[1]
        return SimpleNamespace(outcomes=[SimpleNamespace(error=None), SimpleNamespace(error=refused if ended else None)])

    access = integration_access(store, system_actor(access.organization_id), access.id)
    assert [outcome.error for outcome in renewing(store, access, WallClock(), half).outcomes] == [None, None]
    assert len(set(tokens)) == 3

    def one_account(current: Any) -> SimpleNamespace:
        """One account is refused, and the others are not: no token has ended."""
        tokens.append(current.credentials["token"])
        return SimpleNamespace(outcomes=[SimpleNamespace(error=refused), SimpleNamespace(error=None)])

    before = len(tokens)
    renewing(store, integration_access(store, system_actor(access.organization_id), access.id), WallClock(), one_account)
    assert len(tokens) == before + 1


def test_a_consent_without_the_scope_is_refused_by_its_name(connect: Any) -> None:
    process = connect("Narrow", client_id="narrow-app")
    httpx.get(page(process), follow_redirects=True, trust_env=False)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == ConfigurationError.exit_code
    assert "missing scopes: direct:api" in errors


def test_a_refusal_in_the_browser_is_told(connect: Any) -> None:
    process = connect("Denied", client_id="denied-app")
    httpx.get(page(process), follow_redirects=True, trust_env=False)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == AuthorizationExpired.exit_code
    assert "consent was refused" in errors
    assert "access_denied" in errors


def test_the_listener_takes_only_its_own_address() -> None:
    listener = Listener(0)
    try:
        assert httpx.get(listener.redirect_uri.replace("/oauth", "/else?code=1"), trust_env=False).status_code == 404
        with pytest.raises(AuthorizationExpired, match="nobody came back"):
            listener.wait(0.01)
        assert httpx.get(f"{listener.redirect_uri}?code=c&state=s", trust_env=False).status_code == 200
        assert listener.wait(5) == {"code": "c", "state": "s"}
    finally:
        listener.close()


def test_a_code_may_be_pasted_bare_or_with_its_address() -> None:
    assert pasted(" 4/0Ab \n") == {"code": "4/0Ab"}
    assert pasted("http://127.0.0.1:1/oauth?code=c&state=s") == {"code": "c", "state": "s"}


def test_googles_own_download_names_the_application(tmp_path: Path) -> None:
    path = tmp_path / "client_secret.json"
    path.write_text(json.dumps({"installed": {**APP, "auth_uri": "x"}, "developer_token": "d" * 22}))
    read = application(path, "", "")
    assert (read.client_id, read.client_secret, read.more) == ("app", "very-secret-client", {"developer_token": "d" * 22})
    with pytest.raises(UsageError, match="OAuth application"):
        application(None, "", "")
