"""Wait until a descriptor can be read or written: by poll, since select() knows no descriptor above 1,023 and an engine has thousands."""

import select


def readable(*descriptors: int, seconds: float) -> list[int]:
    """Return the descriptors that can be read, or that the other side has closed, within that time."""
    return _waited(descriptors, select.POLLIN, seconds)


def writable(descriptor: int, *, seconds: float) -> bool:
    """Tell whether a descriptor can be written, or its reader has gone, within that time."""
    return bool(_waited((descriptor,), select.POLLOUT, seconds))


def _waited(descriptors: tuple[int, ...], event: int, seconds: float) -> list[int]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, event)
    return [descriptor for descriptor, _ in poll.poll(seconds * 1000)]
