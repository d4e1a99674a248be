"""Rate limits: a sliding window of instants per key, in memory of this process."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from domain.errors import TooManyRequests


class RateLimit:
    """Allow `times` hits per `seconds` for each key; keys that rest are forgotten, and never more than `keys` are kept."""

    def __init__(self, times: int, seconds: float, *, keys: int = 10_000, now: Callable[[], float] = time.monotonic) -> None:
        self._times = times
        self._seconds = seconds
        self._keys = keys
        self._now = now
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def hit(self, *keys: str) -> None:
        """Count one hit for every key, or raise TooManyRequests with the pause until the window frees a place."""
        now = self._now()
        with self._lock:
            pause = max(self._pause(key, now) for key in keys)
            if pause > 0:
                raise TooManyRequests("Too many attempts from here", retry_after=pause)
            for key in keys:
                self._hits.setdefault(key, deque()).append(now)
                self._hits.move_to_end(key)
            while len(self._hits) > self._keys:
                self._hits.popitem(last=False)

    def _pause(self, key: str, now: float) -> float:
        hits = self._hits.get(key)
        if hits is None:
            return 0.0
        while hits and hits[0] <= now - self._seconds:
            hits.popleft()
        if not hits:
            del self._hits[key]
            return 0.0
        return hits[0] + self._seconds - now if len(hits) >= self._times else 0.0
