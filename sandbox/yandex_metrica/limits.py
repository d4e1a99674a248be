"""The quotas: requests per second of an address, parallel requests, requests in five minutes and in a day of a user."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from sandbox.yandex_metrica.errors import MetricaError

PER_SECOND = {"logs": 10, "report": 30, "management": 30}
PARALLEL = 3
REPORTS, REPORTS_SECONDS = 200, 300.0
A_DAY = 5_000


class Limits:
    """Count requests by user (token) and by group of methods; everybody on loopback shares one address."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._recent: dict[str, deque[float]] = {}
        self._reports: dict[str, deque[float]] = {}
        self._daily: dict[tuple[str, date], int] = {}
        self._running: dict[str, int] = {}

    def forget(self) -> None:
        """Forget what was used up."""
        with self._lock:
            self._recent.clear()
            self._reports.clear()
            self._daily.clear()

    @contextmanager
    def request(self, user: str, group: str, day: date) -> Iterator[None]:
        """Let one request run. Raises MetricaError for the one too many: 429, or 420 where the user's own counts are used up."""
        with self._lock:
            self._admit(user, group, day)
            self._running[user] = self._running.get(user, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._running[user] -= 1

    def _admit(self, user: str, group: str, day: date) -> None:
        now = self._monotonic()
        if _full(self._recent.setdefault("logs" if group == "logs" else "api", deque()), now, PER_SECOND[group], 1.0):
            raise MetricaError(429, "quota_requests_by_ip", f"Quota exceeded: {PER_SECOND[group]} requests per second for an IP address")
        if self._running.get(user, 0) >= PARALLEL:
            raise MetricaError(429, "quota_parallel_requests", f"Quota exceeded: {PARALLEL} parallel requests for a user")
        if group == "report" and _full(self._reports.setdefault(user, deque()), now, REPORTS, REPORTS_SECONDS):
            raise MetricaError(420, "quota_requests_by_uid", f"Quota exceeded: {REPORTS} requests in 5 minutes for a user")
        if self._daily.get((user, day), 0) >= A_DAY:
            raise MetricaError(420, "quota_requests_by_uid", f"Quota exceeded: {A_DAY} requests a day for a user")
        self._recent["logs" if group == "logs" else "api"].append(now)
        self._daily[user, day] = self._daily.get((user, day), 0) + 1
        if group == "report":
            self._reports[user].append(now)


def _full(calls: deque[float], now: float, most: int, seconds: float) -> bool:
    while calls and now - calls[0] >= seconds:
        calls.popleft()
    return len(calls) >= most
