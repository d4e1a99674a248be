"""`./run replay`: raw rows rebuilt from the bytes that landed."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import DataQualityError
from home.servers import locked
from mrm.backfilling import Since, Until
from mrm.naming import Chosen, choose
from mrm.options import DEFAULT_HOME, HomeOption, JsonOption, existing, require_dates
from mrm.wording import counted

if TYPE_CHECKING:
    from services.replaying import Replayed

OF_FILES = "A file's bytes landed without the mapping that they were read by; imported again, days that are as they were are verified, others replaced"
SHOWN = 20
"""How many loads that could not be replayed are printed; --json gives all."""


def replay(
    home: HomeOption = DEFAULT_HOME,
    integration: Chosen = None,
    since: Since = None,
    until: Until = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compare only, and change nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Rebuild raw rows from the exact answers that landed, without asking any platform.

    A load whose rows are missing or different is written again under its own id, once what landed comes to the ledger's counts
    and hashes. What was imported from files is not replayed. Exit code 7 when a load could not be replayed, or differs under --verify.

    Example: ./run replay --integration meta_ads --since 2026-01-01 --verify
    """
    from services.installation import Installation
    from services.replaying import owned_accounts, replay_integration

    opened = existing(home)
    require_dates(since, until, date.max)
    found: list[Replayed] = []
    first, last = since.date() if since else date(1970, 1, 1), until.date() if until else date(2149, 6, 6)
    with locked(opened, "demo"), Installation.open(opened.path) as installation:
        ids = choose(installation, integration or [], OF_FILES)
        files = [] if integration else [i.name for i in installation.integration_states() if i.from_files]
        for access in (i for i in installation.integrations() if i.id in ids):
            accounts = owned_accounts(installation.store, access)
            found += replay_integration(access, installation.warehouse, installation.landing, accounts, since=first, until=last, verify=verify)
    counts = Counter(r.outcome for r in found)
    bad = [r for r in found if r.outcome in ("failed", "different")]
    if as_json:
        typer.echo(json.dumps({"loads": len(found), **counts, "not_replayed": [asdict(r) for r in bad]}, ensure_ascii=False))
    else:
        typer.echo(f"{counted(len(found), 'load')}: " + (", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "nothing stored"))
        for one in bad[:SHOWN]:
            typer.echo(f"  {one.report} of {one.account_id}, load {one.load_id}, {one.rows} rows: {one.outcome} {one.why}".rstrip())
    if files:
        typer.echo(f"note: not replayed, as they come from files: {', '.join(files)}. {OF_FILES}", err=True)
    if bad:
        raise DataQualityError(
            f"{len(bad)} of {counted(len(found), 'load')} are not what landed",
            why=bad[0].why or "Raw rows are missing or different",
            fix="./run replay rebuilds what landed" if verify and counts["different"] else "Pull these dates anew: ./run backfill --since YYYY-MM-DD",
        )
