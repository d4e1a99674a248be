"""What a connector offers: accounts, reports as data, and pages of rows with a proof of completeness."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import pyarrow as pa

from domain.platforms import Level
from domain.windows import DateWindow


class ColumnType(StrEnum):
    """The type of a raw column; each has one Arrow and one ClickHouse type."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    BOOLEAN = "boolean"

    @property
    def arrow(self) -> pa.DataType:
        """Return the Arrow type: utf8, int64, decimal128(18, 6), date32 or bool."""
        return _ARROW[self]


_ARROW: Mapping[ColumnType, pa.DataType] = {
    ColumnType.STRING: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.DECIMAL: pa.decimal128(18, 6),
    ColumnType.DATE: pa.date32(),
    ColumnType.BOOLEAN: pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """One column of a report, named in the platform's own words (dots become underscores)."""

    name: str
    type: ColumnType
    doc: str
    nullable: bool = False


@dataclass(frozen=True)
class Report:
    """One report of one platform, as data: adding an entry adds the report, its raw table and its docs.

    `key` is the natural key within an account, the date column and every breakdown included.
    A daily report has a slice per date; a snapshot (`date_column` empty) has one slice, dated the account's today.
    `source` names the platform's own resource or report type; `lookback_days` says how far back a routine pull reaches.
    `first_pull_days` bounds the first pull, its today included; None reaches as far as the installation's history does.
    `delay_days` says how many days before today the platform's answers end: 1 where they reach yesterday.
    """

    platform: str
    name: str
    level: Level
    source: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    date_column: str
    lookback_days: int
    doc: str
    retention_days: int | None = None
    first_pull_days: int | None = None
    delay_days: int = 0

    @property
    def table(self) -> str:
        """Name the raw table within the database `raw`."""
        return f"raw_{self.platform}__{self.name}"

    @property
    def schema(self) -> pa.Schema:
        """Return the Arrow schema that every page's rows have."""
        return pa.schema([pa.field(c.name, c.type.arrow, nullable=c.nullable) for c in self.columns])


@dataclass(frozen=True)
class Account:
    """An advertising account that a credential can read. `currency` is ISO 4217, `timezone` IANA."""

    platform: str
    account_id: str
    name: str
    currency: str
    timezone: str
    status: str = "active"
    parent_id: str = ""


@dataclass(frozen=True)
class Page:
    """One answer of the platform: its typed rows, its exact bytes, and on the last page the proof that nothing is missing.

    `proof` is a sentence such as `Total rows: 1143`; a pull whose last page has none is never committed. `notes` say what a person
    should know about the rows, such as a column that the platform no longer fills.
    """

    rows: pa.Table
    body: bytes
    content_type: str
    proof: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """What a connector's credential can do, in words."""

    works: bool
    message: str
    accounts: tuple[Account, ...] = ()
    missing_scopes: tuple[str, ...] = ()
    quota: Mapping[str, str] = field(default_factory=dict)


class Connector(Protocol):
    """One platform behind one credential."""

    @property
    def platform(self) -> str:
        """Name the platform."""
        ...

    @property
    def reports(self) -> Mapping[str, Report]:
        """Return the catalogue by report name."""
        ...

    def accounts(self) -> list[Account]:
        """List the accounts that carry metrics, each once, managers and disabled ones left out."""
        ...

    def pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Yield the report's pages; the last one carries the proof of completeness.

        `window` is inclusive, in the account's time zone. Raises a SourceError that names the account.
        """
        ...

    def check(self) -> CheckResult:
        """Say in words what the credential can do. Does not raise for a refused token."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class KnowsQuota(Protocol):
    """A connector whose platform says in its answers what is left of the credential's quota."""

    def quota(self) -> Mapping[str, str]:
        """Return what the newest answers said, in words by what it counts; empty before the first."""
        ...


@runtime_checkable
class KnowsLookback(Protocol):
    """A connector that derives the lookback from an account's own settings, such as its conversion windows."""

    def lookback_days(self, account: Account, report: Report) -> int:
        """Return how many days back a routine pull of the report reaches for this account.

        Raises a SourceError that names the account.
        """
        ...

    def least_lookback_days(self, report: Report) -> int:
        """Return how many days back a routine pull of the report reaches for every account; asks nobody."""
        ...
