"""A property's quotas: tokens by day and hour, concurrent requests, server errors, potentially thresholded requests.

The figures are those of a standard property (developers.google.com/analytics/devguides/reporting/data/v1/quotas).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox.ga4.errors import exhausted

_HOUR, _DAY = 3600.0, 86_400.0
LIMITS: dict[str, tuple[int, float, int]] = {
    "tokensPerDay": (200_000, _DAY, 1),
    "tokensPerHour": (40_000, _HOUR, 2),
    "tokensPerProjectPerHour": (14_000, _HOUR, 0),
    "serverErrorsPerProjectPerHour": (10, _HOUR, 5),
    "potentiallyThresholdedRequestsPerHour": (120, _HOUR, 4),
}
"""By bucket: its size, its life in seconds, and the code of what it says when it is empty."""
CONCURRENT = 10
ROWS_PER_TOKEN = 5_000


@dataclass
class _Bucket:
    started: float
    used: int = 0


@dataclass
class Quotas:
    """What each property has used; safe for many threads. Spent tokens refuse requests, used-up server errors are only told."""

    monotonic: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _used: dict[tuple[str, str], _Bucket] = field(default_factory=dict)
    _running: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def request(self, property_id: str) -> Iterator[None]:
        """Hold one of the ten places for a request. Raises AnalyticsError when a quota is used up."""
        with self._lock:
            if self._running.get(property_id, 0) >= CONCURRENT:
                raise exhausted(3)
            for name, (size, _, code) in LIMITS.items():
                if name.startswith("tokens") and self._bucket(property_id, name).used >= size:
                    raise exhausted(code)
            self._running[property_id] = self._running.get(property_id, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._running[property_id] -= 1

    def charge(self, property_id: str, rows: int, *, thresholded: bool) -> dict[str, Any]:
        """Take a report's tokens and return the PropertyQuota that tells of them."""
        cost = 1 + rows // ROWS_PER_TOKEN
        spent = {name: cost for name in LIMITS if name.startswith("tokens")} | {"potentiallyThresholdedRequestsPerHour": int(thresholded)}
        with self._lock:
            told: dict[str, Any] = {}
            for name, (size, _, _) in LIMITS.items():
                bucket = self._bucket(property_id, name)
                bucket.used += spent.get(name, 0)
                told[name] = _status(spent.get(name, 0), max(0, size - bucket.used))
            told["concurrentRequests"] = _status(0, CONCURRENT - self._running.get(property_id, 0))
        return told

    def server_error(self, property_id: str) -> None:
        """Count an internal error against the property."""
        with self._lock:
            self._bucket(property_id, "serverErrorsPerProjectPerHour").used += 1

    def spend(self, property_id: str, name: str, count: int) -> None:
        """Use up some of a bucket, for tests that meet its end."""
        with self._lock:
            self._bucket(property_id, name).used += count

    def forget(self) -> None:
        """Give everything back."""
        with self._lock:
            self._used.clear()

    def _bucket(self, property_id: str, name: str) -> _Bucket:
        now = self.monotonic()
        bucket = self._used.get((property_id, name))
        if bucket is None or now - bucket.started >= LIMITS[name][1]:
            bucket = self._used[property_id, name] = _Bucket(now)
        return bucket


def _status(consumed: int, remaining: int) -> dict[str, int]:
    return {name: value for name, value in (("consumed", consumed), ("remaining", remaining)) if value}
