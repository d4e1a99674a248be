"""Read the current slices of a load's window, and write the one row that commits it."""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime

from clickhouse_connect.driver.client import Client

from domain.errors import LoadExpired
from warehouse.leases import SLACK, VALID, LoadLease
from warehouse.slices import number, winners


@dataclass(frozen=True)
class CurrentSlice:
    """The winner of one slice: where its rows are, how many, and their hash."""

    rows_load_id: str
    row_count: int
    content_hash: str
    observed_at: datetime


@dataclass(frozen=True)
class Proposal:
    """The row that a commit writes into `raw.loads`; the fields are its columns but `committed_at`."""

    load_id: str
    organization_id: str
    integration_id: str
    platform: str
    report: str
    account_id: str
    since: date
    until: date
    observed_at: datetime
    account_today: date
    snapshot: bool
    proof: str
    dates: list[date]
    row_counts: list[int]
    hashes: list[str]
    stored: list[bool]
    rows_load_id: list[str]
    rows: int


_COLUMNS = ", ".join(Proposal.__dataclass_fields__)
_TYPES = {
    "load_id": "String",
    "organization_id": "LowCardinality(String)",
    "integration_id": "LowCardinality(String)",
    "platform": "LowCardinality(String)",
    "report": "LowCardinality(String)",
    "account_id": "String",
    "since": "Date",
    "until": "Date",
    "observed_at": "DateTime64(6, 'UTC')",
    "account_today": "Date",
    "snapshot": "Bool",
    "proof": "String",
    "dates": "Array(Date)",
    "row_counts": "Array(UInt64)",
    "hashes": "Array(String)",
    "stored": "Array(Bool)",
    "rows_load_id": "Array(String)",
    "rows": "UInt64",
}
"""As in `raw.loads`; named here so that an insert need not ask for them."""


def current_slices(
    client: Client, organization_id: str, integration_id: str, report: str, account_id: str, since: date, until: date
) -> dict[date, CurrentSlice]:
    """Return the winners of one account's report in a window, by date; dates never pulled are absent."""
    keys = """organization_id = {organization_id:String} AND integration_id = {integration_id:String} AND report = {report:String}
        AND account_id = {account_id:String} AND since <= {until:Date} AND until >= {since:Date}"""
    rows = client.query(
        f"SELECT date, rows_load, row_count, content_hash, observed_at FROM ({winners(keys, 'slice.1 BETWEEN {since:Date} AND {until:Date}')})",
        parameters={
            "organization_id": organization_id,
            "integration_id": integration_id,
            "report": report,
            "account_id": account_id,
            "since": since,
            "until": until,
        },
    ).result_rows
    return {row[0]: CurrentSlice(row[1], int(row[2]), row[3], row[4]) for row in rows}


def record(client: Client, lease: LoadLease, proposal: Proposal, passing: Callable[[str], None]) -> None:
    """Commit: lay the row down as a proposal, renew the lease, and let ONE server statement copy it while the lease is valid.

    That statement is the only writer of `raw.loads`. A second try of it writes nothing. Raises LoadExpired.
    """
    values = asdict(proposal)
    client.insert("load_proposals", [list(values.values())], column_names=list(values), database="raw", column_type_names=list(_TYPES.values()))
    passing("proposed")
    if not lease.renew("committing", SLACK):
        raise expired(proposal.load_id)
    passing("renewed")
    key = {"load_id": proposal.load_id, "organization_id": proposal.organization_id, "integration_id": proposal.integration_id}
    client.command(
        f"""INSERT INTO raw.loads ({_COLUMNS}, committed_at) SELECT {_COLUMNS}, now64(6, 'UTC') FROM raw.load_proposals
        WHERE load_id = {{load_id:String}} AND (SELECT {VALID} FROM raw.load_leases WHERE load_id = {{load_id:String}})
            AND load_id NOT IN (SELECT load_id FROM raw.loads WHERE organization_id = {{organization_id:String}} AND load_id = {{load_id:String}})
            AND (SELECT count() FROM raw.tombstones WHERE organization_id = {{organization_id:String}}
                AND (scope = 'organization' OR scope = 'integration' AND subject = {{integration_id:String}})) = 0
        LIMIT 1""",
        parameters=key,
        settings={"max_execution_time": int(SLACK.total_seconds() / 2)},
    )
    passing("recorded")
    if not committed(client, proposal.organization_id, proposal.load_id):
        raise expired(proposal.load_id)


def committed(client: Client, organization_id: str, load_id: str) -> bool:
    """Tell whether a load's commit row stands."""
    found = number(
        client,
        "SELECT count() FROM raw.loads WHERE organization_id = {organization_id:String} AND load_id = {load_id:String}",
        {"organization_id": organization_id, "load_id": load_id},
    )
    return found > 0


def expired(load_id: str) -> LoadExpired:
    """Return the error of a load whose lease is over."""
    return LoadExpired(f"The load {load_id} lost its lease and may not commit", why="It was silent for too long, and may have been swept", fix="Sync again")
