"""Carrying out one statement: blocks straight from the engine, documents through a pipe, inserts piece by piece, the rest as it is."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import replace

from warehouse.embedded.engine import Handle, Outcome
from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.native import framer, rows_of
from warehouse.embedded.parameters import Parameters
from warehouse.embedded.statements import Statement, with_outfile
from warehouse.embedded.streams import Answer
from warehouse.embedded.waiting import writable

_PIPE = 1 << 20
_F_SETPIPE_SZ = 1031
_INSERT_PIECE = 1 << 20
_SELECTS = {b"SELECT", b"WITH", b"FROM"}
_CONCATENATE = {"native", "tabseparated", "tsv", "csv", "rowbinary", "jsoneachrow", "jsoncompacteachrow"}
_ENDINGS = (b"TOTALS", b"EXTREMES", b"OUTPUT_FORMAT_JSON_ARRAY_OF_ROWS")
"""Words that give a document an end of its own, so that its blocks do not simply follow each other."""


def streams(statement: Statement, format_: str, parameters: Parameters, *, plain: bool) -> bool:
    """Tell whether a statement's answer is the same block by block as in one document.

    `plain` says that the handle has no settings but the request's: a session may have set what changes a document's end.
    """
    if statement.keyword not in _SELECTS or format_.lower() not in _CONCATENATE:
        return False
    if format_ == "Native":
        return True
    given = {name.upper().encode() for name in parameters.settings}
    return plain and not given.intersection(_ENDINGS) and not any(token.word in _ENDINGS for token in statement.tokens)


def blocks(handle: Handle, statement: Statement, format_: str, parameters: Parameters, answer: Answer, frame: Callable[[bytes], bytes]) -> Outcome:
    """Run a SELECT and pass its blocks on as they are made. Raises QueryFailed, Disconnected."""
    size = 0
    stream = handle.stream(statement.text, format_, parameters.bound)
    try:
        for block in stream:
            size += len(block)
            answer.write(frame(block))
    finally:
        stream.close()
    return replace(progress_outcome(handle), result_bytes=size)


def document(handle: Handle, statement: Statement, parameters: Parameters, answer: Answer, pool: Executor) -> Outcome:
    """Run a statement whose answer the engine itself writes, as one document, into a pipe. Raises QueryFailed, Disconnected."""
    reader, writer = _pipe()
    path = f"/dev/fd/{writer}"
    sql, _ = with_outfile(statement, path, parameters.default_format)
    future = pool.submit(_run_and_close, lambda: handle.run(sql, parameters.default_format, parameters.bound), writer)
    try:
        while data := os.read(reader, _PIPE):
            answer.write(data)
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


def framed_table(handle: Handle, statement: Statement, parameters: Parameters, answer: Answer) -> Outcome:
    """Run SHOW, DESCRIBE and their like in Native for a later protocol: the engine streams no blocks of these, and they are small."""
    frame = framer(parameters.protocol, dict)
    outcome = other(handle, statement, parameters)
    if not outcome.body or rows_of(outcome.body) == outcome.result_rows:
        answer.write(frame(outcome.body) if outcome.body else b"")
        return replace(outcome, body=b"")
    text = statement.text[: statement.format_at] if statement.format else statement.text
    table = other(handle, replace(statement, text=text + b"\nFORMAT TabSeparatedWithNamesAndTypes"), parameters).body.decode(errors="surrogateescape")
    bound = {"answer": table.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")}
    for block in handle.stream("SELECT * FROM format(TabSeparatedWithNamesAndTypes, {answer:String})", "Native", bound):
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


def other(handle: Handle, statement: Statement, parameters: Parameters) -> Outcome:
    """Run any other statement; its answer, if any, is small. Raises QueryFailed."""
    return handle.run(statement.text, parameters.default_format, parameters.bound)


def insert(handle: Handle, statement: Statement, data: Iterator[bytes], parameters: Parameters) -> Outcome:
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
    return insertion.finish()


def insert_from_input(handle: Handle, statement: Statement, body: tuple[bytes, Iterator[bytes]], parameters: Parameters, pool: Executor) -> Outcome:
    """Run INSERT … SELECT … FROM input(structure) FORMAT x: input() becomes a file() over a pipe that the data go through."""
    text, data = body
    reader, writer = _pipe()
    os.set_blocking(writer, False)
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
        if writable(writer, seconds=0.05):
            with suppress(BlockingIOError):
                view = view[os.write(writer, view) :]


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
        time.sleep(0.02)
    future.exception()


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    with suppress(OSError):  # the size is a Linux courtesy
        fcntl.fcntl(writer, _F_SETPIPE_SZ, _PIPE)
    return reader, writer
