"""What the commands take for an integration or a project: the same words everywhere, and what is known where none fits."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from domain.errors import AuthorizationExpired, Conflict, NotFound, PartialResult, UnknownName
from home.directory import Home
from mrm.cli import app
from mrm.naming import choose, failures_of, one
from mrm.wording import counted
from services.actors import Actor, system_actor
from services.integrations import all_integration_access, connect_integration, list_integrations, stop_integration
from services.organizations import create_organization, create_user
from services.projects import create_project
from services.scheduling import settle
from store.database import Store
from store.records import Integration


@pytest.fixture
def actor(store: Store) -> Actor:
    """The system, acting for a fresh organization."""
    return system_actor(create_organization(store, "Agency", create_user(store, "a@b.c", "a long password", "A").id).id)


@pytest.fixture
def run(home: Home, shared_database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command in the test's home."""
    monkeypatch.setenv("MRM_DATABASE_URL", shared_database)
    return lambda *command: CliRunner().invoke(app, [*command, "--home", str(home.path)])


def connected(store: Store, actor: Actor, *named: tuple[str, str]) -> list[Integration]:
    return [connect_integration(store, actor, platform=p, name=n, credentials={"token": n}, settings={}) for p, n in named]


def opened(store: Store, actor: Actor) -> Any:
    """The parts of an installation that say what is known."""
    return SimpleNamespace(
        store=store, actor=actor, organization=lambda: None, projects=list, integrations=lambda: all_integration_access(store),
        integration_states=lambda: list_integrations(store, actor),
    )  # fmt: skip


def test_every_command_takes_an_id_its_beginning_a_name_or_a_platform(store: Store, actor: Actor) -> None:
    meta, other, direct = connected(store, actor, ("meta_ads", "Client"), ("meta_ads", "Other"), ("yandex_direct", "Client"))
    installation = opened(store, actor)
    asked = {word: set(choose(installation, [word])) for word in (meta.id, meta.id[:8], "Other", "meta_ads", "Client", "yandex_direct")}
    assert asked == {
        meta.id: {meta.id}, meta.id[:8]: {meta.id}, "Other": {other.id}, "meta_ads": {meta.id, other.id},
        "Client": {meta.id, direct.id}, "yandex_direct": {direct.id},
    }  # fmt: skip
    assert choose(installation, []) == choose(installation, ["meta_ads", meta.id, "Client"]) == [meta.id, other.id, direct.id]
    assert one(installation.integration_states(), "yandex_direct") == direct
    with pytest.raises(NotFound) as several:
        one(installation.integration_states(), "meta_ads")
    assert several.value.what == "More than one integration fits 'meta_ads'"
    assert several.value.fix == f"Known: Client (meta_ads, {meta.id[:8]}), Other (meta_ads, {other.id[:8]})"


def test_an_own_name_goes_before_a_platforms_where_one_is_wanted(store: Store, actor: Actor) -> None:
    plain, _ = connected(store, actor, ("ga4", "ga4"), ("ga4", "Shop"))
    assert one(opened(store, actor).integration_states(), "ga4") == plain


@pytest.mark.parametrize("command", [
    ("integrations", "pause", "nope"), ("disconnect", "nope"), ("gaps", "--integration", "nope"), ("sync", "--integration", "nope"),
    ("replay", "--integration", "nope"), ("backfill", "--since", "2026-01-01", "--integration", "nope"),
])  # fmt: skip
def test_an_unknown_integration_is_answered_with_the_known_ones(command: tuple[str, ...], run: Callable[..., Result], store: Store, actor: Actor) -> None:
    [client] = connected(store, actor, ("ga4", "Client"))
    done = run(*command)
    assert isinstance(done.exception, NotFound)
    assert (done.exception.what, done.exception.fix) == ("No integration fits 'nope'", f"Known: Client (ga4, {client.id[:8]})")


def test_a_paused_integration_is_named_with_the_command_that_resumes_it(store: Store, actor: Actor) -> None:
    paused, gone = connected(store, actor, ("ga4", "The client"), ("meta_ads", "Other"))
    stop_integration(store, actor, paused.id, disconnect=False)
    stop_integration(store, actor, gone.id, disconnect=True)
    with pytest.raises(Conflict) as refused:
        choose(opened(store, actor), ["ga4"])
    assert (refused.value.what, refused.value.fix) == ("Nothing is pulled of The client (paused)", f"./run integrations resume {paused.id[:8]}")
    with pytest.raises(Conflict) as refused:
        choose(opened(store, actor), [gone.id])
    assert refused.value.fix == "./run connect meta_ads --name Other --app FILE.json"


@pytest.mark.parametrize("command", [("sync",), ("gaps",), ("replay",), ("integrations", "list")])
def test_a_home_without_an_organization_says_so(command: tuple[str, ...], run: Callable[..., Result], store: Store) -> None:
    done = run(*command)
    assert isinstance(done.exception, NotFound)
    assert str(done.exception) == "This home has no organization yet. Run ./run demo, or ./run connect to connect an account."


def test_a_report_of_an_unknown_project_is_refused(run: Callable[..., Result], store: Store, actor: Actor) -> None:
    create_project(store, actor, name="Laufkraft", client_name="Laufkraft")
    for command in (["report"], ["query", "--metrics", "spend", "--since", "2026-01-01", "--until", "2026-01-02"]):
        done = run(*command, "--project", "nope")
        assert isinstance(done.exception, UnknownName)
        assert (done.exception.what, done.exception.fix, done.exception.exit_code) == ("There is no project 'nope'", "Known: Laufkraft", 2)


def test_a_failure_names_its_platform_once(store: Store, actor: Actor) -> None:
    [client] = connected(store, actor, ("meta_ads", "Client"))
    refused = AuthorizationExpired("the token was refused", platform="meta_ads", fix="Connect Meta again: ./run connect meta_ads")
    settle(store, actor.organization_id, client.id, datetime(2026, 3, 10, tzinfo=UTC), [refused])
    failing = failures_of(list_integrations(store, actor))
    assert PartialResult("1 of 1 integration failed in part", failing).why == (
        "meta_ads: the token was refused. Connect Meta again: ./run connect meta_ads --name Client --app FILE.json (or --credentials FILE.json)."
    )


def test_one_thing_is_not_several() -> None:
    assert [counted(n, "integration") for n in (0, 1, 2)] == ["0 integrations", "1 integration", "2 integrations"]
