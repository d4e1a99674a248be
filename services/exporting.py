"""What PostgreSQL knows and ClickHouse needs, brought in as loads through the ledger."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from domain.catalogue import Column, ColumnType, Report
from domain.clock import Clock
from domain.platforms import Level
from domain.windows import DateWindow
from services.assignments import export_assignments
from store.database import Store
from store.people import People
from store.projects import export_budgets
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
BUDGETS = Report(
    platform="mrm",
    name="project_budgets",
    level=Level.ACCOUNT,
    source="projects",
    columns=(
        Column("project_id", ColumnType.STRING, "The project"),
        Column("project_name", ColumnType.STRING, "Its name"),
        Column("budget", ColumnType.DECIMAL, "What it may spend between its dates, in its currency"),
        Column("currency", ColumnType.STRING, "ISO 4217"),
        Column("start_date", ColumnType.DATE, "First date, inclusive"),
        Column("end_date", ColumnType.DATE, "Last date, inclusive"),
    ),
    key=("project_id",),
    date_column="",
    lookback_days=1,
    doc="What each project may spend and when; projects without a budget or dates are absent.",
)
STORE_REPORTS = (ASSIGNMENTS, BUDGETS)
"""What the store tells the warehouse."""

NOBODY = "-"


def load_assignments(store: Store, ledger: Ledger, clock: Clock) -> int:
    """Load every organization's assignments as they stand now; one without any gets an empty slice. Return the rows."""
    return _load(store, ledger, clock, ASSIGNMENTS, export_assignments(store))


def load_budgets(store: Store, ledger: Ledger, clock: Clock) -> int:
    """Load every organization's budgets as they stand now; one without any gets an empty slice. Return the rows."""
    with store.system() as transaction:
        budgets = export_budgets(transaction)
    return _load(store, ledger, clock, BUDGETS, budgets)


def _load(store: Store, ledger: Ledger, clock: Clock, report: Report, found: Iterable[Any]) -> int:
    rows = defaultdict(list)
    for row in found:
        rows[row.organization_id].append(row)
    with store.system() as transaction:
        organizations = [o.id for o in People(transaction).organizations()]
    today = clock.today("UTC")
    for organization_id in organizations:
        columns = {c.name: pa.array([getattr(r, c.name) for r in rows[organization_id]], c.type.arrow) for c in report.columns}
        with ledger.open(LoadKey(organization_id, NOBODY, NOBODY), report, DateWindow(today, today), clock.now(), timezone="UTC") as load:
            load.write(pa.table(columns, report.schema))
            load.commit(f"{len(rows[organization_id])} rows in one transaction")
    return sum(map(len, rows.values()))
