"""Carrying out one statement: rows through a pipe, inserts piece by piece, everything else as it is."""

import fcntl
import os
import select
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress

from warehouse.embedded.engine import Handle, Outcome
from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.http import Connection, Disconnected, Response
from warehouse.embedded.parameters import Parameters, header_json
from warehouse.embedded.statements import Statement, with_outfile
from warehouse.embedded.streams import Answer

_PIPE = 1 << 20
_F_SETPIPE_SZ = 1031
_INSERT_PIECE = 1 << 20


class Watch:
    """What a connection's thread does while the engine works: move the answer on, report progress, notice a client that went."""

    def __init__(self, connection: Connection, response: Response, parameters: Parameters) -> None:
        self._connection = connection
        self._response = response
        self._progress = parameters.progress
        self._interval = parameters.progress_interval
        self._started = time.monotonic()

    def until_end(self, reader: int, sink: Callable[[bytes], None], watch_client: bool) -> None:
        """Pass on what comes out of the pipe until its end. Raises Disconnected when the client goes and is watched."""
        poller = select.poll()
        poller.register(reader, select.POLLIN | select.POLLHUP)
        client = self._connection.socket.fileno()
        if watch_client:
            poller.register(client, select.POLLIN | select.POLLHUP)
        due = time.monotonic() + self._interval
        while True:
            waiting = self._progress and not self._response.head_sent
            events = poller.poll(max(0.0, due - time.monotonic()) * 1000 if waiting else None)
            for descriptor, _ in events:
                if descriptor == client:
                    if self._connection.gone():
                        raise Disconnected
                    poller.unregister(client)
                elif data := os.read(reader, _PIPE):
                    sink(data)
                else:
                    return
            if waiting and time.monotonic() >= due and not self._response.head_sent:
                due = time.monotonic() + self._interval
                self._response.progress(header_json({"elapsed_ns": int((time.monotonic() - self._started) * 1e9)}))


def rows(handle: Handle, statement: Statement, parameters: Parameters, answer: Answer, watch: Watch, pool: Executor) -> Outcome:
    """Run a statement whose answer the engine writes, as one document, into a pipe. Raises QueryFailed, Disconnected."""
    reader, writer = _pipe()
    path = f"/dev/fd/{writer}"
    sql, _ = with_outfile(statement, path, parameters.default_format)
    future = pool.submit(_run_and_close, lambda: handle.run(sql, parameters.default_format, parameters.bound), writer)
    try:
        watch.until_end(reader, answer.write, watch_client=True)
    except BaseException:
        os.close(reader)
        _stop(handle, future)
        raise
    os.close(reader)
    try:
        return future.result()
    except QueryFailed as error:
        clause = f" INTO OUTFILE '{path}' APPEND"
        error.message = error.message.replace(clause, "").replace(clause.lstrip() + " ", "")
        raise


def other(handle: Handle, statement: Statement, parameters: Parameters, watch: Watch, pool: Executor) -> Outcome:
    """Run any other statement. A client that goes does not stop it, as with ClickHouse. Raises QueryFailed."""
    return _in_pool(lambda: handle.run(statement.text, parameters.default_format, parameters.bound), watch, pool)


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
    return _in_pool(insertion.finish, watch, pool)


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
    view = memoryview(piece)
    while view and not future.done():
        _, ready, _ = select.select([], [writer], [], 0.05)
        if ready:
            view = view[os.write(writer, view[:4096]) :]


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


def _in_pool(work: Callable[[], Outcome], watch: Watch, pool: Executor) -> Outcome:
    reader, writer = os.pipe()
    future = pool.submit(_run_and_close, work, writer)
    try:
        watch.until_end(reader, lambda _: None, watch_client=False)
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
