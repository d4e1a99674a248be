"""A part of a log: a line of columns and rows in tab-separated text with backslash escapes."""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from connectors.rows import drift, typed
from domain.catalogue import Account, Report
from domain.errors import IncompleteAnswer

PIECE = 1 << 20
"""Bytes of rows that are parsed at a time."""


@dataclass
class Tsv:
    """Parse one part as its bytes arrive. `fields` maps the report's columns to Metrica's field names."""

    report: Report
    account: Account
    fields: Mapping[str, str]
    attribution: str
    rows: int = 0
    size: int = 0
    _columns: list[str] = field(default_factory=list)

    def pieces(self, chunks: Iterable[bytes]) -> Iterator[tuple[pa.Table, bytes]]:
        """Yield typed rows with the exact bytes that they were read from. Raises IncompleteAnswer for a part that ends within a row."""
        pending = b""
        for chunk in chunks:
            self.size += len(chunk)
            pending += chunk
            if len(pending) < PIECE:
                continue
            heading, rest = self._heading(pending)
            cut = rest.rfind(b"\n") + 1
            if not self._columns or not cut:
                continue
            yield self._table(rest[:cut]), heading + rest[:cut]
            pending = rest[cut:]
        heading, rest = self._heading(pending)
        if not self._columns or (rest and not rest.endswith(b"\n")):
            raise self._incomplete("the part breaks off within a row")
        yield self._table(rest), heading + rest

    def _heading(self, text: bytes) -> tuple[bytes, bytes]:
        """Take the line of columns off the first piece, and match it with the fields that were asked for."""
        if self._columns:
            return b"", text
        line, newline, rest = text.partition(b"\n")
        if not newline:
            return b"", text
        names = {field.lower(): column for column, field in self.fields.items()}
        columns = [names.get(name.lower(), name) for name in line.decode().rstrip("\r").split("\t")]
        if len(set(columns)) != len(columns):
            raise drift(self.report, self.account, ", ".join(columns), "stands twice in the heading")
        self._columns = columns
        return line + b"\n", rest

    def _table(self, text: bytes) -> pa.Table:
        known = {c.name: c.type.arrow for c in self.report.columns if c.name in self._columns}
        table = self._parse(text, known) if text.strip() else pa.table({name: pa.array([], kind) for name, kind in known.items()})
        self.rows += table.num_rows
        columns = {name: _unescaped(table.column(name)) for name in known}
        return typed(self.report, self.account, {**columns, "attribution": pa.repeat(self.attribution, table.num_rows)}, table.num_rows)

    def _parse(self, text: bytes, known: dict[str, pa.DataType]) -> pa.Table:
        try:
            return csv.read_csv(
                io.BytesIO(text),
                read_options=csv.ReadOptions(column_names=self._columns, use_threads=False, block_size=2 * PIECE),
                parse_options=csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, escape_char=False, ignore_empty_lines=True),
                convert_options=csv.ConvertOptions(
                    column_types={name: known.get(name, pa.string()) for name in self._columns}, strings_can_be_null=False, include_columns=list(known)
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


_ESCAPES = (("\\'", "'"), ("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r"), ("\\b", "\b"), ("\\f", "\f"), ("\\0", "\0"))
_MARK = "\ue000"
"""A private character that stands for an escaped backslash while the other escapes are undone."""


def _unescaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Undo TSV's escapes where there are any."""
    if not pa.types.is_string(column.type) or not pc.any(pc.match_substring(column, "\\")).as_py():
        return column
    column = pc.replace_substring(column, "\\\\", _MARK)
    for escaped, plain in _ESCAPES:
        column = pc.replace_substring(column, escaped, plain)
    return pc.replace_substring(column, _MARK, "\\")
