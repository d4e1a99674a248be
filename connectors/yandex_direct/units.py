"""Units and connections: what Direct lets a login do, kept count of."""

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectors.patience import Pace

REQUESTS, PERIOD = 20, 10.0
"""The Reports service takes 20 requests in 10 seconds."""

CONNECTIONS = 5
"""Requests that one advertiser may have under way."""

QUEUE = 5
"""Reports that one user may have in the queue."""

SCARCE = 0.1
"""The share of the day's units below which a warning is logged."""

_HEADER = re.compile(r"(\d+)/(\d+)/(\d+)")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Units:
    """What the header `Units: spent/rest/limit` last said for a login."""

    login: str
    spent: int
    rest: int
    limit: int

    def __str__(self) -> str:
        return f"{self.rest} of {self.limit} left today"


@dataclass
class Desk:
    """What one advertiser may do at a time: connections, and the pace of report requests."""

    pace: Pace
    pacing: threading.Lock = field(default_factory=threading.Lock)
    connections: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(CONNECTIONS))


class Allowance:
    """The limits of one credential, and the units that its logins have left; safe for many threads."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._desks: dict[str, Desk] = {}
        self._queue = threading.BoundedSemaphore(QUEUE)
        self._lock = threading.Lock()
        self.units: dict[str, Units] = {}

    @contextmanager
    def connection(self, login: str) -> Iterator[None]:
        """Hold one of the advertiser's connections, waiting for it."""
        with self._desk(login).connections:
            yield

    @contextmanager
    def place_in_queue(self) -> Iterator[None]:
        """Hold one of the user's places for reports under way, waiting for it."""
        with self._queue:
            yield

    def pace(self, login: str) -> None:
        """Wait until another report request may go out for the advertiser."""
        desk = self._desk(login)
        with desk.pacing:
            desk.pace.wait()

    def note(self, headers: Mapping[str, str], login: str) -> None:
        """Remember the units that an answer's headers name; a warning is logged when few are left."""
        found = _HEADER.search(headers.get("Units", ""))
        if found is None:
            return
        spent, rest, limit = (int(part) for part in found.groups())
        payer = headers.get("Units-Used-Login") or login
        before = self.units.get(payer)
        self.units[payer] = Units(payer, spent, rest, limit)
        if rest < limit * SCARCE and (before is None or before.rest >= limit * SCARCE):
            _log.warning("Yandex.Direct: %s has %d of %d units left today", payer, rest, limit)

    def _desk(self, login: str) -> Desk:
        with self._lock:
            return self._desks.setdefault(login, Desk(Pace(REQUESTS, PERIOD, self._sleep)))
