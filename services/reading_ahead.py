"""Read an iterator in a thread of its own, a few items ahead of the consumer."""

import threading
from collections.abc import Generator, Iterator
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

from connectors.patience import carried

T = TypeVar("T")

AHEAD = 2
"""Items that wait at most: memory is bounded by them."""

_POLL = 0.1
_PARTING = 5.0
"""Seconds that a consumer who leaves waits for the item under way; the thread is a daemon and ends with it."""


class _End(Generic[T]):
    """The end of the iterator, with the error that ended it, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def read_ahead(items: Iterator[T], ahead: int = AHEAD) -> Generator[T, None, None]:
    """Yield the items in order while a thread fetches the next ones; an error of the iterator is raised here.

    Leaving the loop early ends the thread after the item under way.
    """
    queue: Queue[T | _End[T]] = Queue(ahead)
    left = threading.Event()
    thread = threading.Thread(target=carried(_fetch), args=(items, queue, left), name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        left.set()
        _empty(queue)
        thread.join(_PARTING)


def _fetch(items: Iterator[T], queue: "Queue[T | _End[T]]", left: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if not _put(queue, item, left):
                break
    except BaseException as caught:  # noqa: BLE001 # house: it is raised again in the consumer's thread
        error = caught
    finally:
        if isinstance(items, Generator):
            items.close()
    _put(queue, _End(error), left)


def _put(queue: "Queue[T | _End[T]]", item: "T | _End[T]", left: threading.Event) -> bool:
    while not left.is_set():
        try:
            queue.put(item, timeout=_POLL)
        except Full:
            continue
        return True
    return False


def _empty(queue: "Queue[T | _End[T]]") -> None:
    while True:
        try:
            queue.get_nowait()
        except Empty:
            return
