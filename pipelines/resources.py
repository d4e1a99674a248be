"""The one resource: the opened installation, made when a step first asks for it."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from services.installation import Installation


def open_installation() -> Installation:
    """Open the home named by MRM_HOME, `.mrm` by default."""
    return Installation.open(Path(os.environ.get("MRM_HOME", ".mrm")))


@dg.resource(description="The home named by MRM_HOME (default .mrm): its clock, warehouse, store and landing.")
def installation(_: dg.InitResourceContext) -> Iterator[Installation]:
    """Open the installation for a step and release its leases after it."""
    with open_installation() as opened:
        yield opened
