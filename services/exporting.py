"""What PostgreSQL knows and ClickHouse needs, brought in as loads through the ledger."""

from collections import defaultdict
from datetime import datetime
from itertools import chain

import pyarrow as pa

from domain.catalogue import Column, ColumnType, Report
from domain.clock import Clock
from domain.platforms import Level
from domain.windows import DateWindow
from services.assignments import export_assignments
from store.database import Store
from store.people import People
from warehouse.ledger import Ledger, LoadKey

ASSIGNMENTS = Report(
    platform="mrm",
    name="account_assignments",
    level=Level.ACCOUNT,
    source="account_assignments",
    columns=(
        Column("project_id", ColumnType.STRING, "The project that the account works for"),
        Column("project_name", ColumnType.STRING, "Its name"),
        Column("client_name", ColumnType.STRING, "The project's client, empty where none is named"),
        Column("platform", ColumnType.STRING, "The account's platform"),
        Column("account_id", ColumnType.STRING, "The account, as its platform names it"),
        Column("since", ColumnType.DATE, "First date, inclusive"),
        Column("until", ColumnType.DATE, "Last date, inclusive; null: still", nullable=True),
    ),
    key=("platform", "account_id", "since"),
    date_column="",
    lookback_days=1,
    doc="Which account works for which project, and when: as assigned in the store.",
)
"""A snapshot: one slice per organization and day, under no integration and no single account."""

NOBODY = "-"


def load_assignments(store: Store, ledger: Ledger, clock: Clock) -> int:
    """Load every organization's assignments as they stand now; one without any gets an empty slice. Return the rows."""
    rows = defaultdict(list)
    for row in export_assignments(store):
        rows[row.organization_id].append(row)
    with store.system() as transaction:
        organizations = [o.id for o in People(transaction).organizations()]
    for organization_id in organizations:
        table = pa.table({c.name: pa.array([getattr(r, c.name) for r in rows[organization_id]], c.type.arrow) for c in ASSIGNMENTS.columns}, ASSIGNMENTS.schema)
        _commit(ledger, organization_id, table, clock.now(), DateWindow(clock.today("UTC"), clock.today("UTC")))
    return sum(1 for _ in chain.from_iterable(rows.values()))


def _commit(ledger: Ledger, organization_id: str, table: pa.Table, observed_at: datetime, window: DateWindow) -> None:
    with ledger.open(LoadKey(organization_id, NOBODY, NOBODY), ASSIGNMENTS, window, observed_at, timezone="UTC") as load:
        load.write(table)
        load.commit(f"{table.num_rows} rows in one transaction")
