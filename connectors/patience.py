"""Bounded waiting: how often a call is tried again, and how long a platform may make us wait."""

import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from domain.errors import RateLimited, TransientFailure

T = TypeVar("T")

UNHINTED_PAUSE = 60.0
"""Seconds that a RateLimited without the server's own pause names when it is raised."""


@dataclass(frozen=True)
class Patience:
    """How long a connector waits for its platform. All figures are seconds, except `attempts`.

    A transient failure is tried `attempts` times in all; quota pauses follow the server's hint and may add up to `budget`,
    after which RateLimited is raised with the pause that is still owed. `job_budget` bounds the wait for an asynchronous report.
    """

    sleep: Callable[[float], None] = time.sleep
    attempts: int = 4
    first_pause: float = 0.25
    budget: float = 120.0
    job_budget: float = 3600.0

    def call(self, once: Callable[[], T]) -> T:
        """Return what `once` returns, trying again after transient failures and quota answers."""
        waited = 0.0
        failed = 0
        for attempt in itertools.count():
            try:
                return once()
            except RateLimited as error:
                pause = error.retry_after or min(self.first_pause * 2 ** (attempt + 1), UNHINTED_PAUSE)
                if waited + pause > self.budget:
                    error.retry_after = error.retry_after or UNHINTED_PAUSE
                    raise
                waited += pause
            except TransientFailure:
                failed += 1
                if failed >= self.attempts:
                    raise
                pause = self.first_pause * 4 ** (failed - 1)
            self.sleep(pause)
        raise AssertionError("unreachable: the loop returns or raises")


@dataclass
class Pace:
    """Keep below a limit of calls per period by waiting before the call that would break it; `period` is seconds."""

    calls: int
    period: float
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    _recent: deque[float] = field(default_factory=deque)

    def wait(self) -> None:
        """Take one call's place, waiting for it when the period is full."""
        now = max(self.monotonic(), self._recent[-1]) if self._recent else self.monotonic()
        while self._recent and now - self._recent[0] >= self.period:
            self._recent.popleft()
        if len(self._recent) >= self.calls:
            pause = self.period - (now - self._recent.popleft())
            self.sleep(pause)
            now += pause
        self._recent.append(now)
