"""The report queue of one login: offline reports that pass 201 and 202 on their way to 200, kept for five hours under their names."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.faults import Fault
from sandbox.yandex_direct.errors import DirectError

KEPT = timedelta(hours=5)
QUEUE = 5
REQUESTS, PER_SECONDS = 20, 10.0
RETRY_IN = 1
POLLS = 2
"""A report is ready on its third request: queued, in progress, done."""


@dataclass
class Waiting:
    """One offline report: its file is made when it is ordered, and handed out when it is ready."""

    fingerprint: str
    body: bytes
    rows: int
    ordered: datetime
    fault: Fault | None
    asked: int = 0
    failed: bool = False

    @property
    def ready(self) -> bool:
        """Tell whether the file can be handed out."""
        slow = self.fault.polls if self.fault is not None and self.fault.kind == "report_slow" else 0
        return self.asked > POLLS + slow


@dataclass
class Desk:
    """What the service knows of one login."""

    reports: dict[str, Waiting] = field(default_factory=dict)
    calls: deque[float] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self) -> None:
        """Count a request. Raises DirectError for the 21st within ten seconds."""
        with self.lock:
            now = time.monotonic()
            while self.calls and now - self.calls[0] >= PER_SECONDS:
                self.calls.popleft()
            if len(self.calls) >= REQUESTS:
                raise DirectError(56, f"No more than {REQUESTS} requests per {PER_SECONDS:.0f} seconds are allowed")
            self.calls.append(now)

    def queued(self) -> int:
        """Count the reports that are not ready yet."""
        return sum(1 for r in self.reports.values() if not r.ready)

    def find(self, name: str, fingerprint: str, now: datetime) -> Waiting | None:
        """Return the report of a name, None when there is none. Raises DirectError when the name stands for other parameters."""
        with self.lock:
            for old in [n for n, r in self.reports.items() if now - r.ordered > KEPT or now < r.ordered]:
                del self.reports[old]
            known = self.reports.get(name)
            if known is not None and known.fingerprint != fingerprint:
                raise DirectError(4000, f"The report {name} with other parameters is already generated or in the queue")
            return known

    def order(self, name: str, make: Callable[[], Waiting]) -> Waiting:
        """Put a report into the queue. Raises DirectError for the sixth."""
        with self.lock:
            if self.queued() >= QUEUE:
                raise DirectError(9000, f"The queue holds {QUEUE} reports, which is the limit; take one before ordering the next", retry_in=RETRY_IN)
        made = make()
        with self.lock:
            self.reports[name] = made
        return made

    def keep(self, name: str, made: Waiting) -> None:
        """Keep a report that was ready at once."""
        made.asked = POLLS + 1
        with self.lock:
            self.reports[name] = made

    def forget(self, name: str) -> None:
        """Drop a report that failed."""
        with self.lock:
            self.reports.pop(name, None)
