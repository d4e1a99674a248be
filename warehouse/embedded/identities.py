"""Query ids: clients choose theirs, chDB makes its own; here statements about queries are put into the engine's terms.

A handle carries the client's id in an inert setting that system.processes and system.query_log show.
"""

import threading
from contextlib import ExitStack
from dataclasses import replace

from warehouse.embedded.engine import _CARRIER, Engine, quote
from warehouse.embedded.statements import Statement, read

_TABLES = {b"PROCESSES": "processes", b"QUERY_LOG": "query_log"}


class Identities:
    """Which client's id runs in which session's handle, and the statements that name such ids."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._running: dict[str, str] = {}
        self._lock = threading.Lock()

    def begin(self, stack: ExitStack, query_id: str, carrier: str) -> None:
        """Note that a session runs a query of this id, for as long as the stack lasts."""
        with self._lock:
            self._running[carrier] = query_id
        stack.callback(self._end, carrier)

    def _end(self, carrier: str) -> None:
        with self._lock:
            self._running.pop(carrier, None)

    def translate(self, statement: Statement) -> Statement:
        """Let KILL QUERY and FROM system.processes | query_log speak of the clients' ids."""
        if statement.keyword == b"KILL" and statement.secondary == b"QUERY":
            return self._kill(statement)
        places = [
            (tokens[0], tokens[2])
            for tokens in zip(statement.tokens, statement.tokens[1:], statement.tokens[2:], strict=False)
            if tokens[0].word == b"SYSTEM" and tokens[1].text == b"." and tokens[2].word in _TABLES and self._after_from(statement, tokens[0].start)
        ]
        if not places:
            return statement
        text = statement.text
        for first, last in reversed(places):
            text = text[: first.start] + self._view(_TABLES[last.word], self._aliased(statement, last.stop)).encode() + text[last.stop :]
        return self._reread(statement, text)

    def _kill(self, statement: Statement) -> Statement:
        text = statement.text
        for token in reversed(statement.tokens):
            if token.text.lower().strip(b'`"') == b"query_id":
                text = text[: token.start] + self._expression().encode() + text[token.stop :]
        return self._reread(statement, text)

    def _reread(self, statement: Statement, text: bytes) -> Statement:
        again = read(text)
        return again or replace(statement, text=text)

    def _expression(self) -> str:
        """Give the client's id of a row of processes or query_log."""
        carried = f"Settings['{_CARRIER}']"
        with self._lock:
            running = dict(self._running)
        if running:
            sessions = ", ".join(quote(name) for name in running)
            ids = ", ".join(quote(name) for name in running.values())
            carried = f"transform({carried}, [{sessions}], [{ids}], {carried})"
        return f"if(empty({carried}), query_id, {carried})"

    def _view(self, table: str, aliased: bool) -> str:
        view = f"(SELECT * REPLACE ({self._expression()} AS query_id) FROM system.{table})"  # noqa: S608 ids are quoted
        return view if aliased else f"{view} AS {table}"

    def _after_from(self, statement: Statement, place: int) -> bool:
        before = [token for token in statement.tokens if token.stop <= place]
        return bool(before) and before[-1].word in (b"FROM", b"JOIN")

    def _aliased(self, statement: Statement, place: int) -> bool:
        after = [token for token in statement.tokens if token.start >= place]
        if not after:
            return False
        keywords = {b"WHERE", b"PREWHERE", b"GROUP", b"ORDER", b"LIMIT", b"FORMAT", b"SETTINGS", b"JOIN", b"LEFT", b"INNER", b"UNION", b"HAVING", b"INTO"}
        return after[0].word == b"AS" or (after[0].kind in ("word", "quoted") and after[0].word not in keywords)
