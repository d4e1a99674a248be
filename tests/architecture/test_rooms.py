"""The rooms keep to the architecture: what import-linter does not see."""

import ast
import tomllib
from pathlib import Path

NAMELESS = {"utils", "util", "common", "core", "helpers", "lib", "misc"}


def rooms(repository: Path) -> list[str]:
    """List the rooms that pyproject names."""
    named: list[str] = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    return named


def test_every_room_says_its_subject(repository: Path) -> None:
    assert [room for room in rooms(repository) if not ast.get_docstring(ast.parse((repository / room / "__init__.py").read_text()))] == []


def test_no_module_has_a_name_that_says_nothing(repository: Path) -> None:
    assert [path for room in rooms(repository) for path in (repository / room).rglob("*.py") if NAMELESS & {path.stem, *path.parts}] == []


def test_no_file_names_a_registry_or_this_machine(repository: Path) -> None:
    locks = [repository / name for name in ("requirements.lock", "requirements-dev.lock")]
    assert [lock.name for lock in locks if "://" in lock.read_text() or "--index-url" in lock.read_text()] == []


def test_every_room_is_packaged_covered_and_linted(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]
    named = set(rooms(repository))
    assert set(project["hatch"]["build"]["targets"]["wheel"]["packages"]) == named
    assert set(project["coverage"]["run"]["source"]) == named
