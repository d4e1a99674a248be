"""What people call things on the command line: integrations and projects, by id or by name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import Conflict, MrmError, NotFound, UnknownName

if TYPE_CHECKING:
    from services.installation import Installation
    from store.records import Integration, Project

SHORTEST = 4
"""How many characters of an id name an integration at least."""
WAYS = "its id, the beginning of its id, its name, or its platform"

Chosen = Annotated[list[str] | None, typer.Option("--integration", help=f"Only this integration: {WAYS}, for all of the platform (repeatable).")]


def fitting(known: "Sequence[Integration]", word: str) -> "list[Integration]":
    """Return the integrations of that id, name or platform, else the one whose id begins so.

    Raises NotFound for none, and for a beginning that several ids have.
    """
    if found := [i for i in known if word in (i.id, i.name, i.platform)]:
        return found
    begun = [i for i in known if len(word) >= SHORTEST and i.id.startswith(word)]
    if len(begun) != 1:
        raise _unclear(known, begun, word)
    return begun


def one(known: "Sequence[Integration]", word: str) -> "Integration":
    """Return the one integration that a word names; its own id or name goes before a platform's. Raises NotFound for none and for several."""
    found = fitting(known, word)
    own = [i for i in found if word in (i.id, i.name)] or found
    if len(own) != 1:
        raise _unclear(known, own, word)
    return own[0]


def choose(installation: "Installation", wanted: list[str], of_files: str = "Nothing pulls it") -> list[str]:
    """Return the ids of the integrations that are named and pulled; all that are pulled where none is named.

    Raises NotFound for a word that fits none, and in a home without an organization; Conflict for one of which nothing is pulled:
    `of_files` says why for one that comes from files.
    """
    from services.scheduling import states_of_everyone

    installation.organization()
    pulled = [i.id for i in installation.integrations()]
    if not wanted:
        return pulled
    known = [state.integration for state in states_of_everyone(installation.store)]
    chosen: dict[str, None] = {}
    for word in wanted:
        found = fitting(known, word)
        ids = [i.id for i in found if i.id in pulled]
        if not ids and all(i.from_files for i in found):
            raise Conflict(f"{', '.join(i.name for i in found)} comes from files", why=of_files, fix="; ".join(way_on(i) for i in found))
        if not ids:
            raise Conflict(f"Nothing is pulled of {', '.join(f'{i.name} ({i.status})' for i in found)}", fix="; ".join(way_on(i) for i in found))
        chosen |= dict.fromkeys(ids)
    return list(chosen)


def way_on(integration: "Integration") -> str:
    """Say what brings new numbers of an integration that is not pulled."""
    from services.integrations import connect_command, import_again

    if integration.from_files:
        return import_again(integration)
    if integration.status == "disconnected":
        return connect_command(integration.platform, integration.name)
    return f"./run integrations resume {integration.id[:8]}"


def failures_of(integrations: "Sequence[Integration]") -> list[MrmError]:
    """Return what the last pulls of integrations failed of; platform and account stand in the words already."""
    return [MrmError(i.last_error or f"{i.name} failed") for i in integrations]


def project_named(installation: "Installation", word: str) -> "Project":
    """Return the project of that id or name. Raises UnknownName."""
    known = installation.projects()
    for project in known:
        if word in (project.id, project.name):
            return project
    raise UnknownName("project", word, [p.name for p in known])


def _unclear(known: "Sequence[Integration]", found: "Sequence[Integration]", word: str) -> NotFound:
    offer = ", ".join(f"{i.name} ({i.platform}, {i.id[:8]})" for i in (found or known)) or "none is connected"
    return NotFound(f"{'More than one' if found else 'No'} integration fits {word!r}", fix=f"Known: {offer}")
