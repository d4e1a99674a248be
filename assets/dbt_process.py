"""dbt's command line over the manifest that installation parsed: `python -m assets.dbt_process build …`.

Parsing 108 models takes dbt longer than a small build, and its own cache of that work is void wherever the server's port is another.
"""

import sys
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder

PARSED = Path(__file__).resolve().parent.parent / "dbt" / "target" / "partial_parse.msgpack"


def main(arguments: list[str]) -> int:
    """Run one dbt command and return dbt's exit code: 0, 1 where models or tests failed, 2 where it could not run."""
    manifest = None
    if PARSED.exists():
        manifest = Manifest.from_msgpack(PARSED.read_bytes(), decoder=extended_mashumuro_decoder)
        manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    result = dbtRunner(manifest).invoke(arguments)
    return 2 if result.exception else int(not result.success)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
