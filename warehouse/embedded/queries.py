"""Carrying out one statement: rows through a pipe, inserts piece by piece, everything else as it is."""

import fcntl
import math
import os
import select
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import replace

from warehouse.embedded.engine import Handle, Outcome
from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.http import Connection, Disconnected, Response
from warehouse.embedded.native import framer, rows_of
from warehouse.embedded.parameters import Parameters, header_json
from warehouse.embedded.statements import Statement, with_outfile
from warehouse.embedded.streams import Answer

_PIPE = 1 << 20
_F_SETPIPE_SZ = 1031
_INSERT_PIECE = 1 << 20
HOLD = 0.25
"""Seconds for which a small answer waits for its end, so that an error can still become a status."""


class Watch:
    """What a connection's thread does while the engine works: move the answer on, report progress, notice a client that went."""

    def __init__(self, connection: Connection, response: Response, parameters: Parameters) -> None:
        self._connection = connection
        self._response = response
        self._interval = parameters.progress_interval if parameters.progress else None
        self._started = time.monotonic()

    def until_end(self, handle: Handle, reader: int, answer: Answer | None, watch_client: bool) -> None:
        """Pass on what comes out of the pipe until its end. Raises Disconnected when the client goes and is watched."""
        poller = select.poll()
        poller.register(reader, select.POLLIN | select.POLLHUP)
        client = self._connection.socket.fileno()
        if watch_client:
            poller.register(client, select.POLLIN | select.POLLHUP)
        report_at = time.monotonic() + self._interval if self._interval else math.inf
        start_at = math.inf
        while True:
            due = min(start_at, math.inf if self._response.head_sent else report_at)
            for descriptor, _ in poller.poll(None if due == math.inf else max(0.0, due - time.monotonic()) * 1000):
                if descriptor == client:
                    if self._connection.gone():
                        raise Disconnected
                    poller.unregister(client)
                    continue
                data = os.read(reader, _PIPE)
                if not data:
                    return
                if answer is not None:
                    answer.write(data)
            now = time.monotonic()
            if answer is not None and answer.waits:
                start_at = min(start_at, now + HOLD)
                if now >= start_at:
                    answer.start()
                    start_at = math.inf
            if self._interval and now >= report_at and not self._response.head_sent:
                report_at = now + self._interval
                self._response.progress(self._counts(handle, now))

    def _counts(self, handle: Handle, now: float) -> str:
        known = handle.progress
        names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "total_rows_to_read", "result_rows", "result_bytes")
        return header_json({**{name: known.get(name, 0) for name in names}, "elapsed_ns": int((now - self._started) * 1e9)})


def rows(handle: Handle, statement: Statement, parameters: Parameters, answer: Answer, watch: Watch, pool: Executor) -> Outcome:
    """Run a statement whose answer the engine itself writes, as one document, into a pipe. Raises QueryFailed, Disconnected."""
    reader, writer = _pipe()
    path = f"/dev/fd/{writer}"
    sql, _ = with_outfile(statement, path, parameters.default_format)
    future = pool.submit(_run_and_close, lambda: handle.run(sql, parameters.default_format, parameters.bound), writer)
    try:
        return _pass_on(handle, future, reader, answer, watch)
    except QueryFailed as error:
        clause = f" INTO OUTFILE '{path}' APPEND"
        error.message = error.message.replace(clause, "").replace(clause.lstrip() + " ", "")
        raise


def blocks(
    handle: Handle, statement: Statement, parameters: Parameters, answer: Answer, watch: Watch, pool: Executor, frame: Callable[[bytes], bytes]
) -> Outcome:
    """Run a SELECT in Native, block by block: each is on its way as soon as it is made. Raises QueryFailed, Disconnected."""
    reader, writer = _pipe()

    def work() -> Outcome:
        counts = [0, 0]
        stream = handle.stream(statement.text, parameters.bound)
        try:
            for block in stream:
                counts[1] += len(block)
                _write_whole(writer, frame(block))
        except BrokenPipeError:
            raise QueryFailed.named("QUERY_WAS_CANCELLED", "The client went away") from None
        finally:
            stream.close()
        return replace(progress_outcome(handle), result_bytes=counts[1])

    return _pass_on(handle, pool.submit(_run_and_close, work, writer), reader, answer, watch)


def framed_table(handle: Handle, statement: Statement, parameters: Parameters, answer: Answer, watch: Watch, pool: Executor) -> Outcome:
    """Run SHOW, DESCRIBE and their like in Native for a later protocol: the engine streams no blocks of these, and they are small."""
    frame = framer(parameters.protocol, dict)
    outcome = other(handle, statement, parameters, watch, pool)
    if not outcome.body or rows_of(outcome.body) == outcome.result_rows:
        answer.write(frame(outcome.body) if outcome.body else b"")
        return replace(outcome, body=b"")
    text = statement.text[: statement.format_at] if statement.format else statement.text
    whole = replace(statement, text=text + b"\nFORMAT TabSeparatedWithNamesAndTypes")
    table = other(handle, whole, parameters, watch, pool).body.decode(errors="surrogateescape")
    bound = {"answer": table.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")}
    for block in handle.stream("SELECT * FROM format(TabSeparatedWithNamesAndTypes, {answer:String})", bound):
        answer.write(frame(block))
    return replace(outcome, body=b"")


def progress_outcome(handle: Handle) -> Outcome:
    """Tell what the handle's query has come to so far."""
    known = handle.progress
    return Outcome(
        read_rows=known.get("read_rows", 0),
        read_bytes=known.get("read_bytes", 0),
        written_rows=known.get("written_rows", 0),
        written_bytes=known.get("written_bytes", 0),
        total_rows=known.get("total_rows_to_read", 0),
        elapsed=known.get("elapsed_ns", 0) / 1e9,
    )


def _pass_on(handle: Handle, future: "Future[Outcome]", reader: int, answer: Answer, watch: Watch) -> Outcome:
    try:
        watch.until_end(handle, reader, answer, watch_client=True)
    except BaseException:
        os.close(reader)
        _stop(handle, future)
        raise
    os.close(reader)
    return future.result()


def _write_whole(writer: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(writer, view) :]


def other(handle: Handle, statement: Statement, parameters: Parameters, watch: Watch, pool: Executor) -> Outcome:
    """Run any other statement. A client that goes does not stop it, as with ClickHouse. Raises QueryFailed."""
    return _in_pool(handle, lambda: handle.run(statement.text, parameters.default_format, parameters.bound), watch, pool)


def insert(handle: Handle, statement: Statement, data: Iterator[bytes], parameters: Parameters, watch: Watch, pool: Executor) -> Outcome:
    """Run an INSERT with the data that follow it; a client that goes before their end, or broken data, commit nothing.

    Raises QueryFailed, Disconnected.
    """
    if parameters.bound:
        handle.bind(parameters.bound)
    insertion = handle.insert(statement.text, statement.format)
    try:
        for piece in _gathered(data):
            insertion.append(piece)
    except BaseException:
        with suppress(QueryFailed):
            insertion.cancel()
        raise
    return _in_pool(handle, insertion.finish, watch, pool)


def insert_from_input(
    handle: Handle, statement: Statement, body: tuple[bytes, Iterator[bytes]], parameters: Parameters, watch: Watch, pool: Executor
) -> Outcome:
    """Run INSERT … SELECT … FROM input(structure) FORMAT x: input() becomes a file() over a pipe that the data go through."""
    text, data = body
    reader, writer = _pipe()
    assert statement.input_at is not None
    start, stop = statement.input_at
    arguments = text[text.index(b"(", start) + 1 : stop - 1]
    source = b"file('/dev/fd/%d', '%b', %b)" % (reader, statement.format.encode(), arguments)
    sql = statement.text[:start] + source + statement.text[stop:]
    future = pool.submit(_run_and_close, lambda: handle.run(sql, parameters.default_format, parameters.bound), reader)
    try:
        for piece in data:
            _write_all(writer, piece, future)
    except BaseException:
        _stop(handle, future, before_wait=lambda: os.close(writer))
        raise
    os.close(writer)
    return future.result()


def _write_all(writer: int, piece: bytes, future: "Future[Outcome]") -> None:
    os.set_blocking(writer, False)
    view = memoryview(piece)
    while view and not future.done():
        try:
            view = view[os.write(writer, view) :]
        except BlockingIOError:
            select.select([], [writer], [], 0.05)
        except BrokenPipeError:
            return  # the engine stopped reading: its outcome says whether it had everything


def _gathered(data: Iterator[bytes]) -> Iterator[bytes]:
    """Join small pieces, so that the engine is asked once a megabyte."""
    held: list[bytes] = []
    size = 0
    for piece in data:
        held.append(piece)
        size += len(piece)
        if size >= _INSERT_PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _in_pool(handle: Handle, work: Callable[[], Outcome], watch: Watch, pool: Executor) -> Outcome:
    reader, writer = os.pipe()
    future = pool.submit(_run_and_close, work, writer)
    try:
        watch.until_end(handle, reader, None, watch_client=False)
    except Disconnected:
        future.exception()
        raise
    finally:
        os.close(reader)
    return future.result()


def _run_and_close(work: Callable[[], Outcome], descriptor: int) -> Outcome:
    try:
        return work()
    finally:
        os.close(descriptor)


def _stop(handle: Handle, future: "Future[Outcome]", before_wait: Callable[[], None] = lambda: None) -> None:
    """Kill what the handle runs and wait for its end; a query that has not begun yet is killed when it has."""
    while not future.done():
        handle.kill()
        before_wait()
        before_wait = lambda: None  # noqa: E731 only the first time
        select.select([], [], [], 0.02)
    future.exception()


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    with suppress(OSError):  # the size is a Linux courtesy
        fcntl.fcntl(writer, _F_SETPIPE_SZ, _PIPE)
    return reader, writer
