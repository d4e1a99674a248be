"""Retention: drop what superseded loads left, so that a home does not keep every earlier state for ever.

What won at the border, or was pulled after it, stays: as of any instant since the border answers as before. Earlier instants can
no longer be answered, and `earliest_as_of` says from when on they can.
"""

# ruff: noqa: S608 - table names come from the ledger and are checked, every value is bound

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client

from domain.errors import UsageError
from warehouse.failures import translated
from warehouse.forgetting import Forgetting, bury
from warehouse.slices import number, winners

_SYNC = {"mutations_sync": 2, "allow_nondeterministic_mutations": 1}
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BORDER = "parseDateTime64BestEffort({border:String}, 6, 'UTC')"


@dataclass(frozen=True)
class Pruned:
    """What retention dropped: raw rows, and slices of superseded loads."""

    rows: int
    slices: int


def prune(client: Client, border: datetime, by: str, *, dry_run: bool = False) -> Pruned:
    """Drop the rows and ledger entries of loads that were superseded at `border` (UTC-aware) already; with `dry_run` only count."""
    parameters = {"border": border.astimezone(UTC).isoformat()}
    with translated():
        reports = [str(row[0]) for row in client.query("SELECT DISTINCT report FROM raw.loads").result_rows]
        slices = number(client, f"SELECT count() FROM raw.loads ARRAY JOIN dates AS day WHERE NOT ({_kept('day', 'load_id', 'winner')})", parameters)
        rows = sum(_prune_rows(client, report, parameters, dry_run=dry_run) for report in reports if _TABLE.fullmatch(report))
        if dry_run or not slices:
            return Pruned(rows, slices)
        bury(client, Forgetting("superseded", "", border.astimezone(UTC).isoformat()), by, "done", rows)
        keep = f"arrayMap(day -> {_kept('day', 'load_id', 'winner')}, dates)"
        names = ("row_counts", "hashes", "stored", "rows_load_id")
        narrowed = ", ".join(f"{name} = arrayFilter((value, kept) -> kept, {name}, {keep})" for name in (*names, "dates"))
        client.command(f"ALTER TABLE raw.loads UPDATE {narrowed} WHERE observed_at <= {_BORDER}", parameters=parameters, settings=_SYNC)
    return Pruned(rows, slices)


def earliest_as_of(client: Client) -> datetime | None:
    """Return the instant from which on as_of can be answered; None where nothing was ever dropped."""
    rows = client.query("SELECT max(subject) FROM raw.tombstones WHERE scope = 'superseded'").result_rows
    return datetime.fromisoformat(rows[0][0]) if rows and rows[0][0] else None


def require_kept(client: Client, as_of: datetime | None) -> None:
    """Raise UsageError where retention dropped what was known at `as_of`; now (None) is always kept."""
    earliest = None if as_of is None else earliest_as_of(client)
    if as_of is not None and earliest is not None and as_of < earliest:
        raise UsageError(
            f"What was known at {as_of:%Y-%m-%d %H:%M} is no longer kept", why="Retention dropped superseded loads", fix=f"Ask as of {earliest} or later"
        )


def _kept(day: str, load: str, column: str) -> str:
    """Return the condition that a load's date is pulled after the border, or won at it."""
    won = f"SELECT organization_id, integration_id, report, account_id, date, {column} FROM ({winners(f'observed_at <= {_BORDER}')})"
    return f"observed_at > {_BORDER} OR (organization_id, integration_id, report, account_id, {day}, {load}) IN ({won})"


def _prune_rows(client: Client, report: str, parameters: dict[str, str], *, dry_run: bool) -> int:
    """Delete a raw table's rows that no kept slice refers to."""
    if not number(client, "SELECT count() FROM system.tables WHERE database = 'raw' AND name = {report:String}", {"report": report}):
        return 0
    kept = f"""SELECT organization_id, integration_id, account_id, date, rows_load FROM ({winners(f"report = '{report}' AND observed_at <= {_BORDER}")})
        UNION DISTINCT SELECT organization_id, integration_id, account_id, slice.1, slice.2 FROM raw.loads ARRAY JOIN arrayZip(dates, rows_load_id) AS slice
        WHERE report = '{report}' AND observed_at > {_BORDER}"""
    committed = f"_load_id IN (SELECT load_id FROM raw.loads WHERE report = '{report}')"
    where = f"{committed} AND (_organization_id, _integration_id, _account_id, _date, _load_id) NOT IN ({kept})"
    found = number(client, f"SELECT count() FROM raw.{report} WHERE {where}", parameters)
    if found and not dry_run:
        client.command(f"ALTER TABLE raw.{report} DELETE WHERE {where}", parameters=parameters, settings=_SYNC)
    return found
