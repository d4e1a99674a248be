"""Query ids: clients choose theirs, chDB makes its own; here statements about queries are put into the clients' terms.

A handle carries the client's id in an inert setting, which system.processes and system.query_log show.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from warehouse.embedded.engine import CARRIER, quote
from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.statements import Statement, Token, read

_TABLES = {b"PROCESSES": "processes", b"QUERY_LOG": "query_log"}
_CARRIED = f"Settings['{CARRIER}']"
_QUERY_ID = f"if(empty({_CARRIED}), query_id, {_CARRIED})"
_CLAUSES = {
    *(b"WHERE", b"PREWHERE", b"GROUP", b"ORDER", b"LIMIT", b"FORMAT", b"SETTINGS", b"JOIN", b"LEFT", b"RIGHT", b"FULL", b"INNER", b"CROSS"),
    *(b"UNION", b"HAVING", b"INTO", b"FINAL", b"SAMPLE", b"ARRAY", b"ANY", b"ALL", b"ASOF", b"SEMI", b"ANTI", b"USING", b"ON", b"EXCEPT", b"INTERSECT"),
}


class Running:
    """The ids of the queries that run, each once."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def claim(self, query_id: str) -> Iterator[None]:
        """Hold an id for a query. Raises QueryFailed (QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING) while another one holds it."""
        with self._lock:
            if query_id in self._ids:
                raise QueryFailed.named("QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", f"Query with id = {query_id} is already running.")
            self._ids.add(query_id)
        try:
            yield
        finally:
            with self._lock:
                self._ids.discard(query_id)


def translate(statement: Statement, query_id: str) -> Statement:
    """Let KILL QUERY, SELECT … FROM system.processes | query_log, and queryID() speak of the clients' ids."""
    words = [token.word for token in statement.tokens[:2]]
    if words == [b"KILL", b"QUERY"]:
        places = [(token.start, token.stop, _QUERY_ID) for token in statement.tokens if token.text.lower().strip(b'`"') == b"query_id"]
    else:
        places = sorted(_tables(statement.tokens) + _own_id(statement.tokens, query_id))
    if not places:
        return statement
    text = statement.text
    for start, stop, instead in reversed(places):
        text = text[:start] + instead.encode() + text[stop:]
    return read(text) or replace(statement, text=text)


def _own_id(tokens: tuple[Token, ...], query_id: str) -> list[tuple[int, int, str]]:
    """Find the calls of queryID()."""
    triples = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return [
        (name.start, close.stop, f"toString({quote(query_id)})")
        for name, opening, close in triples
        if name.word in (b"QUERYID", b"QUERY_ID") and (opening.text, close.text) == (b"(", b")")
    ]


def _tables(tokens: tuple[Token, ...]) -> list[tuple[int, int, str]]:
    """Find `FROM system.processes` and its like, each with the subquery to put in its place."""
    found = []
    for index in range(len(tokens) - 3):
        before, system, dot, table = tokens[index : index + 4]
        if before.word in (b"FROM", b"JOIN") and system.word == b"SYSTEM" and dot.text == b"." and table.word in _TABLES:
            name = _TABLES[table.word]
            view = f"(SELECT * REPLACE ({_QUERY_ID} AS query_id) FROM system.{name})"  # noqa: S608 of constants alone
            after = tokens[index + 4] if index + 4 < len(tokens) else None
            aliased = after is not None and (after.word == b"AS" or (after.kind in ("word", "quoted") and after.word not in _CLAUSES))
            found.append((system.start, table.stop, view if aliased else f"{view} AS {name}"))
    return found
