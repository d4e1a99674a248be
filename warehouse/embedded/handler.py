"""The routes of ClickHouse's HTTP interface and the life of one query request."""

import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

from warehouse.embedded import identities, multipart, queries
from warehouse.embedded.encodings import decoded
from warehouse.embedded.engine import Engine, Handle, Outcome, quote_name
from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.framing import unframed
from warehouse.embedded.http import Connection, Disconnected, Request, Response
from warehouse.embedded.native import framer, zoned_columns
from warehouse.embedded.parameters import Parameters, check_credentials, credentials, header_json, interpret, pairs_of
from warehouse.embedded.sessions import Sessions
from warehouse.embedded.statements import Kind, Statement, read
from warehouse.embedded.streams import Answer, content_type, exception_tag
from warehouse.embedded.watch import Watch

MAX_QUERY = 256 << 20
"""Bytes of statement text that are read at all; the engine's max_query_size (256 KiB) refuses long before."""
_READS = {b"SELECT", b"WITH", b"FROM", b"SHOW", b"DESC", b"DESCRIBE", b"EXPLAIN", b"EXISTS", b"SET", b"USE", b""}
_ANSWERS = {b"KILL", b"BACKUP", b"RESTORE"}
"""Statements other than those of rows that answer a table, were it an empty one."""
_GREETING = b"Ok.\n"


class Handler:
    """Answers requests over one engine for one user. Thread-safe: every connection's thread calls it."""

    def __init__(
        self, engine: Engine, sessions: Sessions, pool: Executor, spool: Path, login: tuple[str, str], stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._pool = pool
        self._spool = spool
        self._login = login
        self._stopping = stopping
        self._watch = Watch()
        self._running = identities.Running()

    def handle(self, connection: Connection, request: Request) -> None:
        """Answer one request. Raises Disconnected when the client is gone."""
        response = Response(connection, request)
        response.headers["X-ClickHouse-Server-Display-Name"] = self._engine.display_name
        if request.method == "OPTIONS":
            response.answer(204, b"")
        elif request.path in ("/ping", "/replicas_status") or (request.path == "/" and request.method in ("GET", "HEAD") and not request.query_string):
            response.headers["Content-Type"] = "text/html; charset=UTF-8" if request.path == "/ping" else "text/plain; charset=UTF-8"
            response.answer(503 if self._stopping() else 200, b"Stopping.\n" if self._stopping() else _GREETING)
        elif request.path in ("/", "/query"):
            self._query(connection, request, response)
        else:
            response.headers["Content-Type"] = "text/plain; charset=UTF-8"
            text = (
                f"There is no handle {request.path}\n\nUse / or /ping for health checks.\nSend queries from your program with POST method or GET /?query=...\n"
            )
            response.answer(404, text.encode())

    def _query(self, connection: Connection, request: Request, response: Response) -> None:
        tag = response.headers["X-ClickHouse-Exception-Tag"] = exception_tag()
        parameters = Parameters()
        answer = Answer(response, self._spool, parameters)
        try:
            pairs = pairs_of(request)
            check_credentials(credentials(request, pairs), self._login)
            parameters = interpret(request, pairs)
            if request.method == "POST" and not request.has_body_length:
                raise QueryFailed.named("HTTP_LENGTH_REQUIRED", "The Transfer-Encoding is not chunked and there is no Content-Length header for POST request")
            answer = Answer(response, self._spool, parameters)
            response.headers["X-ClickHouse-Query-Id"] = parameters.query_id
            _Run(self, connection, request, response, parameters, answer).carry_out()
        except QueryFailed as error:
            if error.name == "REQUIRED_PASSWORD":
                response.headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
            if not request.discard():
                request.keep_alive = False
            answer.fail(error, self._engine.version, tag)
        except Disconnected:
            raise
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            answer.fail(QueryFailed.named("UNKNOWN_EXCEPTION", f"{type(error).__name__}: {error}"), self._engine.version, tag)
            raise
        finally:
            answer.close()
            if parameters.close_session and parameters.session_id:
                self._sessions.close(parameters.session_id)


class _Run:
    """One query request: from body to statement to handle to answer."""

    def __init__(self, handler: Handler, connection: Connection, request: Request, response: Response, parameters: Parameters, answer: Answer) -> None:
        self._engine = handler._engine
        self._sessions = handler._sessions
        self._pool = handler._pool
        self._spool = handler._spool
        self._request = request
        self._response = response
        self._parameters = parameters
        self._answer = answer
        self._watch = handler._watch
        self._running = handler._running
        self._connection = connection
        self._format = ""

    def carry_out(self) -> None:
        """Do it. Raises QueryFailed, Disconnected."""
        parameters = self._parameters
        with ExitStack() as stack:
            body = decoded(self._request.pieces(), self._request.headers.get("content-encoding", "").lower())
            if parameters.decompress:
                body = unframed(body, verify=parameters.verify)
            form = None
            if self._request.headers.get("content-type", "").startswith("multipart/form-data"):
                form = multipart.parse(self._request.headers["content-type"], body, self._spool)
                stack.callback(form.close)
                self._take_fields(form)
                self._sort_external({name for name, _ in form.files})
                body = iter(())
            statement, text, data = self._statement(body)
            self._refuse(statement)
            stack.enter_context(self._running.claim(parameters.query_id))
            handle = self._handle(stack, statement, bool(form and form.files))
            for name, file in form.files if form else ():
                multipart.create_external_table(handle, name, file, parameters.external)
                stack.callback(handle.run, f"DROP TEMPORARY TABLE IF EXISTS {quote_name(name)}")
            if parameters.readonly and form and form.files:
                handle.apply({"readonly": str(parameters.readonly)})
            self._answer.before_start = lambda: self._describe(queries.progress_outcome(handle))
            if parameters.readonly:
                self._refuse_changes(handle, statement)
            outcome = self._execute(handle, statement, text, data)
            self._answer.before_start = lambda: self._describe(outcome)
            if outcome.body:
                self._answer.write(outcome.body)
        self._answer.finish()

    def _take_fields(self, form: multipart.Form) -> None:
        for name, value in form.fields:
            if name == "query":
                self._parameters.statement += value
            elif name.startswith("param_"):
                self._parameters.bound[name.removeprefix("param_")] = value
            elif name.endswith(("_format", "_types", "_structure")):
                self._parameters.external[name] = value
            elif name == "database":
                self._parameters.database = self._parameters.database or value

    def _sort_external(self, tables: set[str]) -> None:
        """Give back to the settings what only looks like an external table's property, such as date_time_input_format."""
        external = self._parameters.external
        for name in [name for name in external if name.rpartition("_")[0] not in tables]:
            self._parameters.settings[name] = external.pop(name)

    def _statement(self, body: Iterator[bytes]) -> tuple[Statement, bytes, Iterator[bytes]]:
        """Read as much of the body as the statement takes; return it, the text that was read, and the data that follow."""
        head = self._parameters.statement.encode(errors="surrogateescape")
        text = head + b"\n" if head else b""
        size = 0
        for piece in body:
            text += piece
            size += len(piece)
            if size > MAX_QUERY:
                raise QueryFailed.named("QUERY_IS_TOO_LARGE", f"The query is longer than {MAX_QUERY} bytes")
            statement = read(text, complete=False) if _may_be_insert(text) else None
            if statement is not None and statement.kind is Kind.INSERT:
                return statement, text, chain((text[statement.data_at :],), body)
        statement = read(text)
        assert statement is not None
        data = text[statement.data_at :] if statement.kind is Kind.INSERT else b""
        return statement, text, iter((data,) if data else ())

    def _refuse(self, statement: Statement) -> None:
        """Refuse what a server's HTTP interface refuses."""
        if not statement.tokens:
            raise QueryFailed.named("SYNTAX_ERROR", "Empty query")
        if statement.trailing:
            place = len(statement.text) + 1
            raise QueryFailed.named("SYNTAX_ERROR", f"Syntax error (Multi-statements are not allowed): failed at position {place} (end of query): ;. ")
        clause = statement.forbidden
        if clause == "OUTFILE":
            raise QueryFailed.named("INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed")
        if clause == "INFILE":
            raise QueryFailed.named("UNKNOWN_TYPE_OF_QUERY", "Query has infile and was send directly to server")
        if self._parameters.get and statement.keyword not in _READS:
            raise QueryFailed.named(
                "READONLY",
                "default: Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. Use method POST for modifying queries.",
            )

    def _refuse_changes(self, handle: Handle, statement: Statement) -> None:
        """Refuse what the engine's readonly mode lets through: KILL, BACKUP, writes to files, and at level 1 settings in the query."""
        changes = statement.kind is Kind.INSERT or handle.changes(statement.text)
        if statement.keyword not in (b"SET", b"USE") and changes:
            raise QueryFailed.named("READONLY", "default: Cannot execute query in readonly mode.")
        if self._parameters.readonly == 1 and statement.has_settings:
            raise QueryFailed.named("READONLY", "Cannot modify settings in readonly mode.")

    def _handle(self, stack: ExitStack, statement: Statement, has_tables: bool) -> Handle:
        """Take the session's handle, or a fresh one. A readonly request always gets a fresh one: `SET readonly` cannot be undone."""
        parameters = self._parameters
        settings = {name: value for name, value in parameters.settings.items() if name != "readonly"}
        if parameters.session_id:
            session = stack.enter_context(self._sessions.use(parameters.session_id, timeout=parameters.session_timeout, check=parameters.session_check))
            if not parameters.readonly and (session.handle is not None or _leaves_something(statement)):
                return session.prepare(parameters.query_id, settings, parameters.database, statement.keyword)
        if parameters.get and not parameters.readonly:
            parameters.readonly = 2
        if parameters.readonly and not has_tables:
            settings["readonly"] = str(parameters.readonly)
        handle = self._engine.handle(carrier=parameters.query_id, database=parameters.database, settings=settings)
        stack.callback(handle.close)
        for role in parameters.roles:
            handle.run(f"SET ROLE {quote_name(role)}")
        return handle

    def _execute(self, handle: Handle, statement: Statement, text: bytes, data: Iterator[bytes]) -> Outcome:
        parameters = self._parameters
        if statement.kind is Kind.INSERT and statement.input_at:
            return queries.insert_from_input(handle, statement, (text, data), parameters, self._pool)
        if statement.kind is Kind.INSERT:
            return queries.insert(handle, statement, data, parameters)
        statement = identities.translate(statement, parameters.query_id)
        with self._watch.over(self._connection, self._response, handle, parameters, stop_when_gone=statement.kind is Kind.ROWS):
            if statement.kind is Kind.ROWS:
                return self._rows(handle, statement)
            outcome = queries.other(handle, statement, parameters)
        if outcome.body or statement.keyword in _ANSWERS:
            self._format = statement.format or parameters.default_format
        return outcome

    def _rows(self, handle: Handle, statement: Statement) -> Outcome:
        parameters = self._parameters
        self._format = statement.format or parameters.default_format
        native = self._format == "Native"
        if queries.streams(statement, self._format, parameters, plain=not parameters.session_id):
            frame = framer(parameters.protocol, lambda: self._zones(statement)) if native else bytes
            return queries.blocks(handle, statement, self._format, parameters, self._answer, frame)
        if native and parameters.protocol:
            return queries.framed_table(handle, statement, parameters, self._answer)
        return queries.document(handle, statement, parameters, self._answer, self._pool)

    def _zones(self, statement: Statement) -> dict[str, str]:
        """Ask which columns of a SELECT are DateTime in a zone of their own, on a handle beside the one that runs it."""
        parameters = self._parameters
        text = statement.text[: statement.format_at] if statement.format else statement.text
        settings = {**parameters.settings, "readonly": "2", "log_queries": "0"}
        handle = self._engine.handle(carrier=parameters.query_id, database=parameters.database, settings=settings)
        try:
            described = handle.run(b"DESCRIBE TABLE (" + text + b"\n)", "TabSeparatedRaw", parameters.bound)
        except QueryFailed:
            return {}
        finally:
            handle.close()
        return zoned_columns(described.body.decode(errors="replace").splitlines())

    def _describe(self, outcome: Outcome) -> None:
        """Set the headers that tell of the answer and of what it took."""
        headers = self._response.headers
        headers["X-ClickHouse-Timezone"] = "UTC"
        if self._format:
            headers["X-ClickHouse-Format"] = self._format
            headers["Content-Type"] = content_type(self._format)
        else:
            headers["Content-Type"] = "text/plain; charset=UTF-8"
        headers["X-ClickHouse-Summary"] = header_json(
            {
                "read_rows": outcome.read_rows,
                "read_bytes": outcome.read_bytes,
                "written_rows": outcome.written_rows,
                "written_bytes": outcome.written_bytes,
                "total_rows_to_read": outcome.total_rows or outcome.read_rows,
                "result_rows": outcome.result_rows or outcome.written_rows,
                "result_bytes": outcome.result_bytes or outcome.written_bytes,
                "elapsed_ns": int(outcome.elapsed * 1e9),
                "memory_usage": 0,
            }
        )


def _leaves_something(statement: Statement) -> bool:
    """Tell whether a statement changes its session: SET, USE, a temporary table."""
    return statement.keyword in (b"SET", b"USE") or any(token.word in (b"TEMPORARY", b"TEMP") for token in statement.tokens[:5])


def _may_be_insert(text: bytes) -> bool:
    """Tell whether reading on could be spared; a body of rows of INSERT is the only one that need not be held."""
    return b"INSERT" in text[:65536].upper()
