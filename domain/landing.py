"""The port to the place where exact response bytes land."""

from collections.abc import Iterable
from typing import Protocol


class Landing(Protocol):
    """Keep bytes under a key; keys are slash-separated paths."""

    def put(self, key: str, body: bytes) -> None:
        """Store the body, replacing what stood there."""
        ...

    def get(self, key: str) -> bytes:
        """Return the body, or raise NotFound."""
        ...

    def keys(self, prefix: str) -> Iterable[str]:
        """List the keys below a prefix, sorted."""
        ...

    def delete(self, prefix: str) -> int:
        """Delete everything below a prefix and return how many objects went."""
        ...
