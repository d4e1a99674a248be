"""Direct's TSV: a title line, a line of columns, rows, and `Total rows: N`, which proves that nothing is missing."""

import io
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from pyarrow import csv

from connectors.rows import drift, empty, typed
from connectors.yandex_direct.goals import FIELDS, Parts, columns_of, long_rows
from connectors.yandex_direct.reports import INCLUDE_VAT, requested_fields, split_by_goals
from domain.catalogue import Account, ColumnType, Report
from domain.errors import IncompleteAnswer

PIECE = 1 << 20
"""Bytes of rows that are parsed at a time."""

UNDEFINED = "--"

_log = logging.getLogger(__name__)
_TOTAL = re.compile(rb"(?<![^\n])Total rows: (\d+)\s*\Z")


def ends(body: bytes) -> bool:
    """Tell whether these bytes end a report: their last line is its total."""
    return _TOTAL.search(body) is not None


@dataclass
class Tsv:
    """Parse one report as its bytes arrive. `total` is Direct's own count, known after the last piece.

    `goals` are those that were asked for; each must have its column.
    """

    report: Report
    account: Account
    include_vat: str
    goals: Sequence[str] = ()
    rows: int = 0
    total: int | None = None
    notes: tuple[str, ...] = ()
    """What a person should know: columns that the answer lacks, which are NULL."""
    _columns: list[str] = field(default_factory=list)
    _parts: Parts = field(default_factory=dict)

    def pieces(self, chunks: Iterable[bytes]) -> Iterator[tuple[pa.Table, bytes]]:
        """Yield typed rows with the exact bytes that they were read from, heading and total line included.

        Raises IncompleteAnswer unless the report ends with its total and the total equals the rows.
        """
        pending = b""
        for chunk in chunks:
            pending += chunk
            if len(pending) < PIECE:
                continue
            heading, rest = self._heading(pending)
            cut = rest.rfind(b"\n", 0, rest.rfind(b"\n")) + 1
            if not self._columns or not cut:
                continue
            yield self._table(rest[:cut]), heading + rest[:cut]
            pending = rest[cut:]
        heading, rest = self._heading(pending)
        found = _TOTAL.search(rest) if self._columns else None
        if found is None:
            raise self._incomplete("the report breaks off before its line `Total rows`")
        rows, self.total = rest[: found.start()], int(found[1])
        if rows and not rows.endswith(b"\n"):
            raise self._incomplete("the report breaks off within a row")
        yield self._table(rows), heading + rest
        if self.total != self.rows:
            raise self._incomplete(f"Direct counts {self.total} rows, {self.rows} arrived")

    def _heading(self, text: bytes) -> tuple[bytes, bytes]:
        """Take title and column lines off the first piece; later pieces have none."""
        if self._columns:
            return b"", text
        title, newline, after = text.partition(b"\n")
        columns, second, rest = after.partition(b"\n")
        if not newline or not second:
            return b"", text
        self._columns = columns.decode().rstrip("\r").split("\t")
        if len(set(self._columns)) != len(self._columns):
            raise drift(self.report, self.account, ", ".join(self._columns), "stands twice in the heading")
        self._find_goals()
        expected = [name for name in requested_fields(self.report) if not (split_by_goals(self.report) and name in FIELDS)]
        missing = [name for name in expected if name not in self._columns]
        if missing:
            _log.warning("%s %s: Direct's answer lacks the columns %s", self.account.account_id, self.report.name, ", ".join(missing))
            self.notes = (f"{self.report.name}: Direct no longer fills {', '.join(missing)}, which stay NULL",)
        return title + b"\n" + columns + b"\n", rest

    def _find_goals(self) -> None:
        if not split_by_goals(self.report):
            return
        self._parts = columns_of(self._columns)
        answered = {goal for goal, _ in self._parts}
        if missing := [goal for goal in self.goals if goal not in answered]:
            raise drift(self.report, self.account, ", ".join(f"Conversions_{goal}_<model>" for goal in missing), "is missing from the answer")

    def _table(self, text: bytes) -> pa.Table:
        """Read rows without any quoting: Direct quotes nothing, and names carry quotes of their own."""
        known = {c.name: c.type.arrow for c in self.report.columns if c.name in self._columns}
        known |= dict.fromkeys((name for part in self._parts.values() for name in part.values()), ColumnType.DECIMAL.arrow)
        table = self._parse(text, known) if text.strip() else pa.table({name: pa.array([], kind) for name, kind in known.items()})
        self.rows += table.num_rows
        if split_by_goals(self.report):
            if not self._parts:
                return empty(self.report)
            table = long_rows(table, self._parts, [c.name for c in self.report.columns if c.name in self._columns])
        columns = {name: table.column(name) for name in table.column_names}
        for name in self._names & columns.keys():
            columns[name] = columns[name].fill_null(UNDEFINED)
        return typed(self.report, self.account, {**columns, INCLUDE_VAT: pa.repeat(self.include_vat, table.num_rows)}, table.num_rows)

    @property
    def _names(self) -> set[str]:
        """Name the columns whose text may be `--` itself: names that people give, which are never undefined."""
        return {c.name for c in self.report.columns if c.type is ColumnType.STRING and not c.nullable and c.name not in self.report.key}

    def _parse(self, text: bytes, known: dict[str, pa.DataType]) -> pa.Table:
        types = {name: known.get(name, pa.string()) for name in self._columns}
        try:
            return csv.read_csv(
                io.BytesIO(text),
                read_options=csv.ReadOptions(column_names=self._columns, use_threads=False, block_size=2 * PIECE),
                parse_options=csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, escape_char=False, ignore_empty_lines=True),
                convert_options=csv.ConvertOptions(
                    column_types=types, null_values=[UNDEFINED], strings_can_be_null=True, quoted_strings_can_be_null=True, include_columns=list(known)
                ),
            )
        except pa.ArrowInvalid as error:
            raise drift(self.report, self.account, "(see why)", f"does not read: {str(error)[:300]}") from error

    def _incomplete(self, why: str) -> IncompleteAnswer:
        return IncompleteAnswer(
            f"{self.report.name} is incomplete",
            platform=self.report.platform,
            account_id=self.account.account_id,
            why=why,
            fix="Nothing of it was kept; sync again",
        )
