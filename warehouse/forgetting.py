"""Forget an organization, an integration or a visitor: every row of theirs in every table goes, physically, and a tombstone stays.

Rows are deleted by mutations that have ended when the call returns (what they rewrote is removed from disk within minutes, as
ClickHouse does after every merge). The tombstone stands first: a load of a forgotten organization or integration can no longer
commit, a forgotten visitor's rows are dropped before they are hashed, and a forgetting that died half way is run again as a whole.
"""

# ruff: noqa: S608 - names come from system tables and are checked, every value is bound

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from domain.errors import UsageError
from warehouse.failures import translated
from warehouse.slices import number

VISITOR_COLUMNS = ("client_id", "clientID", "ClientID", "user_pseudo_id", "userPseudoId")
"""How platforms name a visitor; a raw table with one of these columns holds visitors."""
_SYNC = {"mutations_sync": 2, "allow_nondeterministic_mutations": 1}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_KEPT = frozenset({"raw.tombstones"})


@dataclass(frozen=True)
class Forgetting:
    """Whom to forget. `subject`: the organization itself, an integration of it, or a visitor's id."""

    scope: str
    organization_id: str
    subject: str

    @property
    def parameters(self) -> dict[str, str]:
        """Return the values that the statements bind."""
        return {"organization": self.organization_id, "subject": self.subject}


@dataclass(frozen=True)
class Doomed:
    """What would go: rows of one table."""

    table: str
    rows: int
    where: str


def doomed_rows(client: Client, what: Forgetting) -> list[Doomed]:
    """List the tables and how many rows of each would go, tables without any left out. Deletes nothing."""
    with translated():
        found = [Doomed(table, number(client, f"SELECT count() FROM {table} WHERE {where}", what.parameters), where) for table, where in _targets(client, what)]
    return [doomed for doomed in found if doomed.rows]


def forget_rows(client: Client, what: Forgetting, by: str) -> list[Doomed]:
    """Write the tombstone, delete the rows and return what went; a second call finds nothing. `by` names who asked."""
    with translated():
        bury(client, what, by, "begun")
        doomed = doomed_rows(client, what)
        if what.scope == "visitor":
            _amend_ledger(client, what, doomed)
        for one in doomed:
            client.command(f"ALTER TABLE {one.table} DELETE WHERE {one.where}", parameters=what.parameters, settings=_SYNC)
        left = doomed_rows(client, what)
        if left:
            raise UsageError(f"{len(left)} tables got new rows of {what.subject} meanwhile", fix="Stop its syncs, then run the same command again")
        bury(client, what, by, "done", rows=sum(one.rows for one in doomed))
    return doomed


def bury(client: Client, what: Forgetting, by: str, event: str, rows: int = 0) -> None:
    """Append a tombstone: whom, when, by whom, and how many rows went."""
    client.command(
        """INSERT INTO raw.tombstones SELECT {id:String}, {scope:String}, {organization:String}, {subject:String}, {event:String}, now64(6, 'UTC'), {by:String},
            {rows:UInt64}""",
        parameters={**what.parameters, "id": secrets.token_hex(8), "scope": what.scope, "event": event, "by": by, "rows": rows},
    )


def forgotten_visitors(client: Client, organization_id: str) -> frozenset[str]:
    """Return the visitors that the organization forgot: their rows are never stored again."""
    rows = client.query(
        "SELECT DISTINCT subject FROM raw.tombstones WHERE scope = 'visitor' AND organization_id = {organization:String}",
        parameters={"organization": organization_id},
    ).result_rows
    return frozenset(str(row[0]) for row in rows)


def visitor_slices(client: Client, what: Forgetting) -> list[tuple[str, str, str, str]]:
    """Return (integration, raw table, account, load) of every load that may have delivered a visitor: their bytes must go, too."""
    found: set[tuple[str, str, str, str]] = set()
    for table, where in _targets(client, what):
        if not table.startswith("raw."):
            continue
        rows = client.query(
            f"""SELECT DISTINCT integration_id, report, account_id, load_id FROM raw.loads ARRAY JOIN dates AS day
            WHERE organization_id = {{organization:String}} AND report = {{report:String}} AND (integration_id, account_id, day) IN (
                SELECT _integration_id, _account_id, _date FROM {table} WHERE {where})""",
            parameters={**what.parameters, "report": table.removeprefix("raw.")},
        ).result_rows
        found |= {(str(i), str(r), str(a), str(load)) for i, r, a, load in rows}
    return sorted(found)


def _targets(client: Client, what: Forgetting) -> Sequence[tuple[str, str]]:
    """Return every stored table that may hold rows of the subject, with the condition that finds them."""
    rows = client.query(
        """SELECT concat(c.database, '.', c.table), groupArray(c.name) FROM system.columns AS c
        INNER JOIN system.tables AS t ON c.database = t.database AND c.table = t.name
        WHERE c.database IN ('raw', 'staging', 'intermediate', 'marts') AND t.engine LIKE '%MergeTree%' GROUP BY 1 ORDER BY 1"""
    ).result_rows
    targets = []
    for table, columns in rows:
        where = _condition(what, str(table), set(columns))
        if where and table not in _KEPT and _NAME.fullmatch(table):
            targets.append((str(table), where))
    return sorted(targets, key=lambda target: target[0] in ("raw.loads", "marts.dim_account_project"))  # what others look up goes last


def _condition(what: Forgetting, table: str, columns: set[str]) -> str:
    organization = next((name for name in ("_organization_id", "organization_id") if name in columns), "")
    if what.scope == "visitor":
        visitor = next((name for name in VISITOR_COLUMNS if name in columns), "")
        return f"{organization} = {{organization:String}} AND `{visitor}` = {{subject:String}}" if visitor and organization else ""
    if what.scope == "organization":
        if organization:
            return f"{organization} = {{organization:String}}"
        return f"project_id IN ({_PROJECTS})" if table == "marts.campaign_metrics" else ""
    integration = next((name for name in ("_integration_id", "integration_id") if name in columns), "")
    if organization and integration:
        return f"{organization} = {{organization:String}} AND {integration} = {{subject:String}}"
    if table == "marts.campaign_metrics":
        return f"project_id IN ({_PROJECTS}) AND (platform, `dimensions.value`[1]) IN ({_ACCOUNTS})"
    if organization and {"platform", "account_id"} <= columns:
        return f"{organization} = {{organization:String}} AND (platform, account_id) IN ({_ACCOUNTS})"
    return ""


_PROJECTS = "SELECT project_id FROM marts.dim_account_project WHERE organization_id = {organization:String}"
_ACCOUNTS = "SELECT platform, account_id FROM raw.loads WHERE organization_id = {organization:String} AND integration_id = {subject:String}"


def _amend_ledger(client: Client, what: Forgetting, doomed: Sequence[Doomed]) -> None:
    """Take a visitor's rows off the ledger's counts; the slices' hashes become unknown, so that the next pull stores them anew."""
    for one in doomed:
        if not one.table.startswith("raw."):
            continue
        removed = _removed(client, what, one)
        if not removed:
            continue
        client.command(
            """ALTER TABLE raw.loads UPDATE
                row_counts = arrayMap(
                    (d, r, n) -> n - {counts:Array(UInt64)}[indexOf({places:Array(String)}, concat(r, ' ', toString(d)))], dates, rows_load_id, row_counts
                ),
                hashes = arrayMap((d, r, h) -> if(has({places:Array(String)}, concat(r, ' ', toString(d))), '', h), dates, rows_load_id, hashes)
            WHERE organization_id = {organization:String} AND report = {report:String}""",
            parameters={**what.parameters, "report": one.table.removeprefix("raw."), "places": list(removed), "counts": list(removed.values())},
            settings=_SYNC,
        )


def _removed(client: Client, what: Forgetting, one: Doomed) -> Mapping[str, int]:
    """Count the rows to be deleted per place, a load and a date."""
    rows = client.query(
        f"SELECT concat(_load_id, ' ', toString(_date)), count() FROM {one.table} WHERE {one.where} GROUP BY 1", parameters=what.parameters
    ).result_rows
    return {str(place): int(count) for place, count in rows}
