"""Multipart bodies: bound parameters and the query as fields, external tables as files."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from python_multipart.multipart import MultipartParser, parse_options_header

from warehouse.embedded.engine import Handle, quote_name
from warehouse.embedded.exceptions import QueryFailed

_MEMORY = 1 << 20
_PIECE = 1 << 20


@dataclass
class Form:
    """A parsed form: fields by name, and files, spooled to disk beyond a megabyte."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[tuple[str, IO[bytes]]] = field(default_factory=list)

    def close(self) -> None:
        """Let the files go."""
        for _, file in self.files:
            file.close()


class _Collector:
    """The parser's callbacks."""

    def __init__(self, spool: Path) -> None:
        self.form = Form()
        self._spool = spool
        self._headers: dict[str, str] = {}
        self._header = (b"", b"")
        self._value = b""
        self._name = ""
        self._file: IO[bytes] | None = None

    def on_part_begin(self) -> None:
        self._headers, self._header, self._value, self._file = {}, (b"", b""), b"", None

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def on_header_end(self) -> None:
        self._headers[self._header[0].decode("latin-1").lower()] = self._header[1].decode("utf-8", errors="replace")
        self._header = (b"", b"")

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", ""))
        self._name = options.get(b"name", b"").decode("utf-8", errors="replace")
        if b"filename" in options:
            self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY, dir=str(self._spool))  # noqa: SIM115 closed with the form
            self.form.files.append((self._name, self._file))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
        else:
            self._value += data[start:end]

    def on_part_end(self) -> None:
        if self._file is not None:
            self._file.seek(0)
        else:
            self.form.fields.append((self._name, self._value.decode("utf-8", errors="surrogateescape")))


def parse(content_type: str, pieces: Iterator[bytes], spool: Path) -> Form:
    """Read a multipart body. Raises QueryFailed (BAD_ARGUMENTS) for one that is malformed or cut."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise QueryFailed.named("BAD_ARGUMENTS", "The multipart body has no boundary")
    collector = _Collector(spool)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": collector.on_part_begin,
            "on_part_data": collector.on_part_data,
            "on_part_end": collector.on_part_end,
            "on_header_field": collector.on_header_field,
            "on_header_value": collector.on_header_value,
            "on_header_end": collector.on_header_end,
            "on_headers_finished": collector.on_headers_finished,
        },
    )
    try:
        for piece in pieces:
            parser.write(piece)
        parser.finalize()
    except ValueError as error:
        collector.form.close()
        raise QueryFailed.named("BAD_ARGUMENTS", f"Malformed multipart body: {error}") from None
    return collector.form


def create_external_table(handle: Handle, name: str, file: IO[bytes], options: dict[str, str]) -> None:
    """Make a temporary table of a file, by `name_structure` or `name_types`, in `name_format` (TabSeparated by default)."""
    structure = options.get(f"{name}_structure", "")
    if not structure:
        types = options.get(f"{name}_types", "")
        if not types:
            raise QueryFailed.named(
                "BAD_ARGUMENTS",
                f"Neither structure nor types have not been provided for external table {name}. Use fields {name}_structure or {name}_types to do so",
            )
        structure = ", ".join(f"_{number} {type_}" for number, type_ in enumerate(_split_types(types), 1))
    handle.run(f"CREATE TEMPORARY TABLE {quote_name(name)} ({structure})")
    insertion = handle.insert(f"INSERT INTO {quote_name(name)}".encode(), options.get(f"{name}_format", "TabSeparated"))
    while piece := file.read(_PIECE):
        insertion.append(piece)
    insertion.finish()


def _split_types(types: str) -> list[str]:
    """Split at commas that stand outside brackets."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(types):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(types[start:place])
            start = place + 1
    return [part.strip() for part in [*parts, types[start:]]]
