"""Watching over running queries from the side: progress headers, and clients that have gone.

A connection's thread is inside the engine while its query runs, so one thread of the server looks after all of them a few times
a second; a query that is quicker than that costs nothing.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from warehouse.embedded.engine import Handle
from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.http import Connection, Disconnected, Response
from warehouse.embedded.parameters import Parameters, header_json

_TICK = 0.05
_COUNTS = ("read_rows", "read_bytes", "written_rows", "written_bytes", "total_rows_to_read", "result_rows", "result_bytes")


@dataclass
class _Case:
    """One running query."""

    connection: Connection
    response: Response
    handle: Handle
    stop_when_gone: bool
    interval: float | None
    started: float = field(default_factory=time.monotonic)
    reported: float = field(default_factory=time.monotonic)

    def look(self, now: float) -> None:
        if self.stop_when_gone and self.connection.gone():
            self.handle.kill()
        elif self.interval and now - self.reported >= self.interval and not self.response.head_sent:
            self.reported = now
            counts = {name: self.handle.progress.get(name, 0) for name in _COUNTS}
            self.response.progress(header_json({**counts, "elapsed_ns": int((now - self.started) * 1e9)}))


class Watch:
    """The server's side look at its running queries."""

    def __init__(self) -> None:
        self._cases: dict[int, _Case] = {}
        self._some = threading.Condition()
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    @contextmanager
    def over(self, connection: Connection, response: Response, handle: Handle, parameters: Parameters, *, stop_when_gone: bool) -> Iterator[None]:
        """Watch a query for a block: report its progress, and kill it when its client goes if that is wanted."""
        case = _Case(connection, response, handle, stop_when_gone, parameters.progress_interval if parameters.progress else None)
        with self._some:
            self._cases[id(case)] = case
            if len(self._cases) == 1:
                self._some.notify()
        try:
            yield
        finally:
            with self._some:
                del self._cases[id(case)]

    def _run(self) -> None:
        while True:
            with self._some:
                while not self._cases:
                    self._some.wait()
            time.sleep(_TICK)
            now = time.monotonic()
            with self._some:
                cases = [case for case in self._cases.values() if now - case.started >= _TICK]
            for case in cases:
                with suppress(Disconnected, QueryFailed, OSError, ValueError):
                    case.look(now)
