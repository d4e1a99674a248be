"""Bounded waiting: how often a call is tried again, and how long a platform may make us wait."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from domain.errors import RateLimited, TransientFailure

P = ParamSpec("P")
T = TypeVar("T")

UNHINTED_PAUSE = 60.0
"""Seconds that a RateLimited without the server's own pause names when it is raised."""


class NotInTime(TransientFailure):
    """An asynchronous report that was not ready within `job_budget`: asked for anew at once, it would cost as much once more."""


@dataclass
class Effort:
    """What a pull asked of its platform: calls, tries again included; pauses, and the seconds that they lasted. Thread-safe."""

    requests: int = 0
    waits: int = 0
    seconds_waited: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def asked(self) -> None:
        """Count a call."""
        with self._lock:
            self.requests += 1

    def paused(self, seconds: float) -> None:
        """Count a pause."""
        with self._lock:
            self.waits += 1
            self.seconds_waited += seconds


_effort: ContextVar[Effort | None] = ContextVar("effort", default=None)
_once_only: ContextVar[bool] = ContextVar("once_only", default=False)


@contextmanager
def counting() -> Iterator[Effort]:
    """Count what every connector asks and waits inside of the block, in threads that carry its context too."""
    effort = Effort()
    token = _effort.set(effort)
    try:
        yield effort
    finally:
        _effort.reset(token)


def _count_pause(seconds: float) -> None:
    effort = _effort.get()
    if effort is not None:
        effort.paused(seconds)


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """Return work for another thread that keeps this one's context: its calls are counted here, under this one's ids and span."""
    return partial(copy_context().run, work)


@contextmanager
def once_only(wanted: bool) -> Iterator[None]:
    """Where `wanted`, no call tries a transient failure again inside of the block, in threads that carry its context too: the platform is known to be down.

    An asynchronous job that ends badly is begun anew all the same: its calls were answered.
    """
    token = _once_only.set(wanted)
    try:
        yield
    finally:
        _once_only.reset(token)


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

    def pause(self, seconds: float) -> None:
        """Wait, and let it be counted."""
        _count_pause(seconds)
        self.sleep(seconds)

    def call(self, once: Callable[[], T]) -> T:
        """Return what `once` returns, trying again after transient failures and quota answers."""
        waited = 0.0
        failed = 0
        for attempt in itertools.count():
            effort = _effort.get()
            if effort is not None:
                effort.asked()
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
                if failed >= self.attempts or _once_only.get():
                    raise
                pause = self.first_pause * 4 ** (failed - 1)
            self.pause(pause)
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
            _count_pause(pause)
            self.sleep(pause)
            now += pause
        self._recent.append(now)
