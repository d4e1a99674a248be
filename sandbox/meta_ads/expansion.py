"""Field expansion: `name,campaign{name,objective},ads.limit(5){id}` as a tree."""

import re
from dataclasses import dataclass, field

from sandbox.meta_ads.errors import GraphError, invalid

_NAME = re.compile(r"[A-Za-z0-9_]+")
_MODIFIER = re.compile(r"\.([a-z_]+)\(")


@dataclass
class Field:
    """One wanted field, its modifiers (`limit`, `date_preset`, …) and the fields wanted within it."""

    name: str
    modifiers: dict[str, str] = field(default_factory=dict)
    within: "list[Field]" = field(default_factory=list)


def parse(text: str) -> list[Field]:
    """Read the parameter `fields`. Raises GraphError with Graph's syntax error."""
    found, at = _list(text.strip(), 0)
    if at != len(text.strip()):
        raise _syntax(text, at)
    return found


def _list(text: str, at: int) -> tuple[list[Field], int]:
    found: list[Field] = []
    while at < len(text) and text[at] not in "}":
        if text[at] in ", \n\t":
            at += 1
            continue
        one, at = _field(text, at)
        found.append(one)
    return found, at


def _field(text: str, at: int) -> tuple[Field, int]:
    match = _NAME.match(text, at)
    if match is None:
        raise _syntax(text, at)
    one, at = Field(match[0]), match.end()
    while modifier := _MODIFIER.match(text, at):
        end = _closing(text, modifier.end())
        one.modifiers[modifier[1]] = text[modifier.end() : end]
        at = end + 1
    if text[at : at + 1] == "{":
        one.within, at = _list(text, at + 1)
        if text[at : at + 1] != "}":
            raise _syntax(text, at)
        at += 1
    return one, at


def _closing(text: str, at: int) -> int:
    depth = 1
    for place in range(at, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    raise _syntax(text, at)


def _syntax(text: str, at: int) -> GraphError:
    return GraphError(400, 2500, f'Syntax error "Expected end of string instead of "{text[at : at + 1]}"." at character {at}: {text}')


def nonexisting(name: str, type_name: str) -> GraphError:
    """Return the error for a field or edge that a node's type does not have."""
    return invalid(f"Tried accessing nonexisting field ({name}) on node type ({type_name})")
