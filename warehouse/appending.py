"""Append one load's rows to its raw table in batches, inserting two of them while the next is hashed.

Rows go as INSERT … SELECT … FROM input(): the engine answers a plain INSERT as done before its part is written, so that a full
disk would lose the rows without a word.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from domain.catalogue import Report
from warehouse.client import Warehouse
from warehouse.raw import raw_structure, raw_table

BATCH_BYTES = 12 * 2**20
BATCH_ROWS = 131_072
UNDER_WAY = 2
"""Inserts at once: a server sorts and compresses one in one thread."""
_SETTINGS = {"max_partitions_per_insert_block": 0, "insert_deduplicate": 0, "async_insert": 0}
"""A window of many years is one insert; equal rows of two loads are no duplicates."""


class Appender:
    """Collect rows into batches and insert each in a thread of its own, at most UNDER_WAY at once.

    `constants` are the ledger's columns, the same for every row; `_date` comes with each batch.
    """

    def __init__(self, warehouse: Warehouse, report: Report, constants: dict[str, str]) -> None:
        self._warehouse, self._constants = warehouse, constants
        structure = raw_structure(report)
        names = ", ".join(f"`{name}`" for name in structure)
        types = ", ".join(f"`{name}` {kind}" for name, kind in structure.items())
        self._target = f"{raw_table(report)} ({names}) SELECT {names} FROM input('{types}')"  # noqa: S608 - the report's own names
        self._waiting: list[pa.Table] = []
        self._bytes = self._rows = 0
        self._threads = ThreadPoolExecutor(UNDER_WAY, thread_name_prefix="append")
        self._under_way: deque[Future[None]] = deque()

    def add(self, rows: pa.Table, dates: pa.Array) -> None:
        """Take rows and their slice dates. Raises what an earlier batch's insert raised."""
        if not len(rows):
            return
        self._waiting.append(rows.append_column("_date", dates))
        self._bytes += rows.nbytes
        self._rows += len(rows)
        if self._bytes >= BATCH_BYTES or self._rows >= BATCH_ROWS:
            self._send()

    def finish(self) -> None:
        """Insert what is left and wait until the server has everything."""
        if self._waiting:
            self._send()
        while self._under_way:
            self._under_way.popleft().result()

    def close(self) -> None:
        """End the threads; inserts under way are waited for, their failure no longer matters."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._waiting.clear()

    def _send(self) -> None:
        body = self._stream(pa.concat_tables(self._waiting))
        self._waiting, self._bytes, self._rows = [], 0, 0
        if len(self._under_way) == UNDER_WAY:
            self._under_way.popleft().result()
        self._under_way.append(self._threads.submit(self._insert, body))

    def _stream(self, batch: pa.Table) -> pa.Buffer:
        """Write a batch as an Arrow stream into a buffer of its size, so that no rows need be kept beside it."""
        columns = [*(_constant(value, len(batch)) for value in self._constants.values()), *batch.columns]
        table = pa.table(columns, names=[*self._constants, *batch.column_names])
        size = pa.MockOutputStream()
        _write(table, size)
        body = pa.allocate_buffer(size.size())
        _write(table, pa.FixedSizeBufferWriter(body))
        return body

    def _insert(self, body: pa.Buffer) -> None:
        with self._warehouse.client() as client:
            client.raw_insert(self._target, None, body, dict(_SETTINGS), "ArrowStream")


def _write(table: pa.Table, sink: pa.NativeFile) -> None:
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(unify_dictionaries=True)) as stream:
        stream.write_table(table)


def _constant(value: str, count: int) -> pa.Array:
    """Return a column of one value, dictionary-encoded: a byte a row on the wire."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), count), pa.array([value]))
