"""Work of one run that its steps share: the first step that asks begins all of it, each waits for its own part."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from connectors.patience import carried

T = TypeVar("T")


class SideBySide:
    """Parts of work by run and name, each in a thread of its own that does not outlive the process. Thread-safe."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, str], Future[Any] | None] = {}  # None: its step has taken the result
        self._lock = threading.Lock()

    def begin(self, run_id: str, parts: Mapping[str, Callable[[], object]]) -> None:
        """Begin the parts that this run has not begun yet; who wants their results asks for each by name."""
        with self._lock:
            for part, work in parts.items():
                if (run_id, part) not in self._begun:
                    self._begun[run_id, part] = _begin(work, part)

    def result(self, run_id: str, parts: Mapping[str, Callable[[], T]], name: str) -> T:
        """Begin the parts that this run has not begun yet, wait for `name` and return what it returns, or raise what it raises.

        Only the part that is asked for is done again when it is asked for again (a step that is tried once more).
        """
        self.begin(run_id, parts)
        with self._lock:
            mine = self._begun[run_id, name] or _begin(parts[name], name)
            self._begun[run_id, name] = mine
        try:
            value: T = mine.result()
            return value
        finally:
            with self._lock:
                self._begun[run_id, name] = None


def _begin(work: Callable[[], T], name: str) -> "Future[T]":
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 # house: it is raised again in the thread that waits
            future.set_exception(error)

    threading.Thread(target=carried(run), name=f"part-{name}", daemon=True).start()
    return future
