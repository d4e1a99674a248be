"""Read the current slices of a load's window, and write the one row that commits it."""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.summary import QuerySummary

from domain.errors import DataQualityError, LoadExpired
from warehouse.leases import COMMITTABLE, SLACK, LoadLease
from warehouse.slices import ACCOUNT_WINNERS, number


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
"""As in `raw.loads`: how the server reads the row that is proposed to it."""
_STRUCTURE = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items()).replace("'", "\\'")
_IN_THE_LEDGER = """SELECT count() FROM raw.loads WHERE organization_id = {organization_id:String} AND integration_id = {integration_id:String}
    AND report = {report:String} AND account_id = {account_id:String} AND load_id = {load_id:String}"""
"""By the whole key of the ledger's order: the cost does not grow with the loads of others."""
_FORGOTTEN_SINCE = """SELECT count() FROM raw.tombstones WHERE scope = 'visitor' AND organization_id = {organization_id:String} AND event = 'begun'
    AND noted_at >= (SELECT min(noted_at) FROM raw.load_leases WHERE load_id = {load_id:String})"""
"""The organization's visitors that were forgotten since a load's lease began: it may hold their rows, or have read slices that did."""


def current_slices(
    client: Client, organization_id: str, integration_id: str, reports: Sequence[str], account_id: str, since: date, until: date
) -> dict[str, dict[date, CurrentSlice]]:
    """Return the winners of some reports (raw tables) of one account in a window, by report and date; dates never pulled are absent."""
    rows = client.query(
        ACCOUNT_WINNERS,
        parameters={
            "organization_id": organization_id,
            "integration_id": integration_id,
            "reports": list(reports),
            "account_id": account_id,
            "since": since,
            "until": until,
        },
    ).result_rows
    slices: dict[str, dict[date, CurrentSlice]] = {report: {} for report in reports}
    for report, day, won in rows:
        slices[report][day] = CurrentSlice(won[0], int(won[1]), won[2], won[3])
    return slices


def record(client: Client, lease: LoadLease, proposal: Proposal, stored_rows: int, passing: Callable[[str], None], *, has_visitors: bool = False) -> None:
    """Commit: ONE server statement writes the row while the lease is valid and the raw table holds exactly `stored_rows` of the load.

    That statement is the only writer of `raw.loads`; a second try of it writes nothing. A lease that is short for it is renewed
    first. A load whose rows name visitors (`has_visitors`) commits only where none of the organization's was forgotten since it began;
    a forgetting that passes within that very statement is found by the next build, which counts.
    Raises LoadExpired, and DataQualityError where an insert that was answered well lost rows; nothing is committed then.
    """
    parameters = {
        "load_id": proposal.load_id,
        "organization_id": proposal.organization_id,
        "integration_id": proposal.integration_id,
        "report": proposal.report,
        "account_id": proposal.account_id,
        "since": proposal.since,
        "until": proposal.until,
        "stored_rows": stored_rows,
    }
    if lease.short and not lease.renew(2 * SLACK):
        raise expired(proposal.load_id)
    kept = f"({_FORGOTTEN_SINCE}) = 0" if has_visitors else "true"
    written = _insert(client, proposal, parameters, kept)
    passing("recorded")
    if written or _committed(client, parameters):
        return
    if not lease.renew(2 * SLACK):
        raise expired(proposal.load_id)
    if has_visitors and number(client, _FORGOTTEN_SINCE, parameters):
        raise LoadExpired(f"A visitor was forgotten while the load {proposal.load_id} was under way", why="It may hold that visitor's rows", fix="Sync again")
    _require_stored(client, proposal, stored_rows, parameters)
    _insert(client, proposal, parameters, kept)
    if not _committed(client, parameters):
        raise expired(proposal.load_id)


def _insert(client: Client, proposal: Proposal, parameters: dict[str, object], kept: str) -> bool:
    """Ask the server for the commit, where `kept` (SQL) holds too; True where it says that it wrote the row, which False does not rule out."""
    answer = client.command(
        f"""INSERT INTO raw.loads ({_COLUMNS}, committed_at) SELECT {_COLUMNS}, now64(6, 'UTC') FROM input('{_STRUCTURE}')
        WHERE (SELECT {COMMITTABLE} FROM raw.load_leases WHERE load_id = {{load_id:String}})
            AND ({_IN_THE_LEDGER}) = 0 AND ({_stored(proposal.report)}) = {{stored_rows:UInt64}}
            AND (SELECT count() FROM raw.tombstones WHERE organization_id = {{organization_id:String}}
                AND (scope = 'organization' OR scope = 'integration' AND subject = {{integration_id:String}})) = 0
            AND {kept}
        FORMAT JSONEachRow""",
        parameters=parameters,
        data=json.dumps(asdict(proposal), default=_as_text, ensure_ascii=False).encode(),
        settings={"max_execution_time": int(SLACK.total_seconds() / 2)},
    )
    return isinstance(answer, QuerySummary) and answer.written_rows == 1


def _as_text(value: date | datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value.isoformat()


def _stored(report: str) -> str:
    return f"""SELECT count() FROM raw.`{report.replace("`", "")}`
        WHERE _organization_id = {{organization_id:String}} AND _integration_id = {{integration_id:String}}
            AND _account_id = {{account_id:String}} AND _date BETWEEN {{since:Date}} AND {{until:Date}} AND _load_id = {{load_id:String}}"""


def _require_stored(client: Client, proposal: Proposal, expected: int, parameters: dict[str, object]) -> None:
    """Count the rows that the server has of a load: an insert that was answered well and lost rows must not be committed."""
    found = number(client, _stored(proposal.report), parameters)
    if found != expected:
        raise DataQualityError(
            f"{proposal.platform} {proposal.report}, account {proposal.account_id}: the server has {found} of {expected} rows of this load",
            why="An insert was answered as done and was not, perhaps for want of disk space",
            fix="Run ./run doctor, then sync again; nothing of this load was committed",
        )


def _committed(client: Client, parameters: dict[str, object]) -> bool:
    """Tell whether a load's commit row stands."""
    return number(client, _IN_THE_LEDGER, parameters) > 0


def expired(load_id: str) -> LoadExpired:
    """Return the error of a load whose lease is over."""
    return LoadExpired(f"The load {load_id} lost its lease and may not commit", why="It was silent for too long, and may have been swept", fix="Sync again")
